package s3store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"bogops/app/store"
)

// watch looks at the server in the background, and puts it to the test before
// the first write.
type watch struct {
	b       *bucket
	create  bool
	between time.Duration
	end     context.CancelFunc
	done    chan struct{}

	mu     sync.Mutex
	traits *traits // nil: not proved yet
	feels  store.Health
	closed bool
}

// uploadsLive is how long an upload may take before it counts as left over.
const uploadsLive = 24 * time.Hour

// startWatch has a first look at once. The caller stops the watch.
func startWatch(ctx context.Context, b *bucket, opts Options) (*watch, error) {
	w := &watch{b: b, create: opts.Create, between: orElse(opts.Watch, defaultWatch), done: make(chan struct{})}
	if err := w.look(ctx); errors.Is(err, errLies) {
		b.close()
		return nil, err
	}
	if ctx.Err() != nil {
		b.close()
		return nil, ctx.Err()
	}
	running, end := context.WithCancel(context.WithoutCancel(ctx))
	w.end = end
	go w.run(running)
	return w, nil
}

func (w *watch) run(ctx context.Context) {
	defer close(w.done)
	swept := false
	for {
		if !swept {
			_, err := w.b.sweepUploads(ctx, time.Now().Add(-uploadsLive))
			swept = err == nil
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(w.between):
		}
		_ = w.look(ctx) // health says it
	}
}

// look asks the server for a little, or, as long as it was not put to the test,
// for all that the stores build on.
func (w *watch) look(ctx context.Context) error {
	w.mu.Lock()
	known := w.traits
	w.mu.Unlock()
	var err error
	if known == nil {
		known, err = w.try(ctx)
	} else {
		bound, cancel := context.WithTimeout(ctx, w.b.timeout)
		defer cancel()
		_, err = w.b.api.HeadBucket(bound, &s3.HeadBucketInput{Bucket: &w.b.name})
	}
	feels := store.Health{State: store.Healthy}
	if err != nil {
		feels = store.Health{State: store.Down, Reason: fmt.Sprintf("The bucket cannot be used: %v.", explain(err))}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.traits, w.feels = known, feels
	return err
}

func (w *watch) try(ctx context.Context) (*traits, error) {
	if w.create {
		if err := w.b.create(ctx); err != nil {
			return nil, err
		}
	}
	t, err := w.b.prove(ctx)
	if err != nil {
		return nil, err
	}
	return &t, nil
}

// open is the error of an operation that may not begin.
func (w *watch) open(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return fmt.Errorf("%w: the store is closed", store.ErrUnavailable)
	}
	return nil
}

// proven is open for writes: they wait for the proof.
func (w *watch) proven(ctx context.Context) (traits, error) {
	if err := w.open(ctx); err != nil {
		return traits{}, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.traits == nil {
		return traits{}, fmt.Errorf("%w: no write before the server was put to the test: %s", store.ErrUnavailable, w.feels.Reason)
	}
	return *w.traits, nil
}

func (w *watch) health() store.Health {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return store.Health{State: store.Down, Reason: "The store is closed."}
	}
	return w.feels
}

// stop ends the watch and waits for it. It may be called again.
func (w *watch) stop() {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.end()
	<-w.done
}
