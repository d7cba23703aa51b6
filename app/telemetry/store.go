package telemetry

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"bogops/app/store"
)

// stores are the metrics of store operations.
type stores struct {
	durations *prometheus.HistogramVec
	read      prometheus.Counter
	written   prometheus.Counter
	broken    prometheus.Counter

	// observers holds what durations has for an operationKey, as looking it
	// up by two labels costs as much as the rest.
	observers *sync.Map
}

type operationKey struct{ operation, result string }

func (s *stores) observe(key operationKey, took time.Duration) {
	found, ok := s.observers.Load(key)
	if !ok {
		found, _ = s.observers.LoadOrStore(key, s.durations.WithLabelValues(key.operation, key.result))
	}
	found.(prometheus.Observer).Observe(took.Seconds())
}

func newStores() stores {
	return stores{
		observers: &sync.Map{},
		durations: histogram("bogops_store_operation_duration_seconds",
			"Time of store operations, by operation and result; of a get until its bytes can be read.",
			seconds[:], "operation", "result"),
		read: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "bogops_store_read_bytes_total", Help: "Bytes of objects read from the store.",
		}),
		written: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "bogops_store_written_bytes_total", Help: "Bytes of objects whose writes the store acknowledged.",
		}),
		broken: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "bogops_store_broken_reads_total", Help: "Reads that failed after their first bytes.",
		}),
	}
}

func (s *stores) collectors() []prometheus.Collector {
	return []prometheus.Collector{s.durations, s.read, s.written, s.broken}
}

// results tells the errors of a store apart. What a caller asked wrongly or
// gave up is a result of its own: only the others are the store's failures.
var results = [...]struct {
	err     error
	result  string
	failure bool
}{
	{store.ErrNotFound, "not_found", false},
	{store.ErrCondition, "condition", false},
	{store.ErrBadKey, "bad_input", false},
	{store.ErrTruncated, "bad_input", false},
	{store.ErrTooLarge, "bad_input", false},
	{store.ErrDigest, "bad_input", false},
	{store.ErrUnknown, "unknown", true},
	{store.ErrFull, "full", true},
	{store.ErrUnavailable, "unavailable", true},
	{context.Canceled, "canceled", false},
	{context.DeadlineExceeded, "deadline", true},
}

func resultOf(err error) (result string, failure bool) {
	if err == nil {
		return "ok", false
	}
	for _, r := range results {
		if errors.Is(err, r.err) {
			return r.result, r.failure
		}
	}
	return "error", true
}

// Observe returns s, measured by t and traced where the request is. It keeps
// every promise of s.
func Observe(s store.Store, t *Telemetry) store.Store { return &observed{s, t} }

type observed struct {
	store.Store
	telemetry *Telemetry
}

func (o *observed) begin(ctx context.Context, operation string) (context.Context, func(error)) {
	return o.telemetry.operation(ctx, operation)
}

// ObserveLocate returns l's Locate, measured by t as an operation of the store.
func ObserveLocate(l store.Locator, t *Telemetry) func(context.Context, string) (store.Location, error) {
	return func(ctx context.Context, key string) (store.Location, error) {
		ctx, end := t.operation(ctx, "locate")
		at, err := l.Locate(ctx, key)
		end(err)
		return at, err
	}
}

// operation starts to measure an operation of the store; the returned function
// ends it.
func (t *Telemetry) operation(ctx context.Context, operation string) (context.Context, func(error)) {
	began := time.Now()
	ctx, span := t.startChild(ctx, "store."+operation)
	return ctx, func(err error) {
		result, failure := resultOf(err)
		t.stores.observe(operationKey{operation, result}, time.Since(began))
		span.end(result, failure)
	}
}

func (o *observed) Put(ctx context.Context, key string, body io.Reader, opts store.PutOptions) (store.Info, error) {
	ctx, end := o.begin(ctx, "put")
	info, err := o.Store.Put(ctx, key, body, opts)
	end(err)
	if err == nil {
		o.telemetry.stores.written.Add(float64(info.Size))
	}
	return info, err
}

func (o *observed) Get(ctx context.Context, key string, rng store.Range) (io.ReadCloser, store.Info, error) {
	ctx, end := o.begin(ctx, "get")
	body, info, err := o.Store.Get(ctx, key, rng)
	end(err)
	if err != nil {
		return nil, info, err
	}
	read := &observedReader{ReadCloser: body, stores: &o.telemetry.stores}
	// Whoever copies from a store that can write for itself must still see
	// that it can.
	if _, ok := body.(io.WriterTo); ok {
		return observedWriterTo{read}, info, nil
	}
	return read, info, nil
}

func (o *observed) Stat(ctx context.Context, key string) (store.Info, error) {
	ctx, end := o.begin(ctx, "stat")
	info, err := o.Store.Stat(ctx, key)
	end(err)
	return info, err
}

func (o *observed) Delete(ctx context.Context, key, ifMatch string) error {
	ctx, end := o.begin(ctx, "delete")
	err := o.Store.Delete(ctx, key, ifMatch)
	end(err)
	return err
}

func (o *observed) List(ctx context.Context, opts store.ListOptions) (store.Page, error) {
	ctx, end := o.begin(ctx, "list")
	page, err := o.Store.List(ctx, opts)
	end(err)
	return page, err
}

// observedReader counts the bytes of one object that is being read.
type observedReader struct {
	io.ReadCloser
	stores *stores
	bytes  int64
	broken bool
}

func (r *observedReader) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	r.bytes += int64(n)
	r.broken = r.broken || err != nil && err != io.EOF
	return n, err
}

func (r *observedReader) Close() error {
	r.stores.read.Add(float64(r.bytes))
	r.bytes = 0
	if r.broken {
		r.stores.broken.Inc()
		r.broken = false
	}
	return r.ReadCloser.Close()
}

type observedWriterTo struct{ *observedReader }

// WriteTo implements io.WriterTo. Its error may be the writer's, so it does
// not count as a broken read.
func (r observedWriterTo) WriteTo(w io.Writer) (int64, error) {
	n, err := r.ReadCloser.(io.WriterTo).WriteTo(w)
	r.bytes += n
	return n, err
}
