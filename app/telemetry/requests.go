package telemetry

import (
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// nativeReset is how often a native histogram that has outgrown its bound may
// begin anew.
const nativeReset = time.Hour

// other stands in a label for every value that is not foreseen.
const other = "other"

// requests are the metrics of HTTP requests.
type requests struct {
	inFlight  prometheus.Gauge
	total     *prometheus.CounterVec
	cut       *prometheus.CounterVec
	refused   *prometheus.CounterVec
	durations *prometheus.HistogramVec
	received  *prometheus.CounterVec
	sent      *prometheus.CounterVec
	bodies    *prometheus.HistogramVec

	// series holds what is found for a seriesKey: to look each of seven
	// vectors up by its label values would cost more than to count.
	series *sync.Map
}

// seriesKey is a set of labels. Route and status are the server's own words
// and methods are folded, so there are a few hundred of them at most.
type seriesKey struct {
	method, route string
	status        int
}

type series struct {
	total, cut     prometheus.Counter
	received, sent prometheus.Counter
	duration, body prometheus.Observer
}

func newRequests() requests {
	return requests{
		series: &sync.Map{},
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "bogops_http_requests_in_flight", Help: "Requests that are being served now.",
		}),
		total: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "bogops_http_requests_total", Help: "Requests answered, by method, route and status code.",
		}, []string{"method", "route", "code"}),
		cut: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "bogops_http_requests_cut_total", Help: "Requests whose answer was cut short after it had begun: no error can be told any more.",
		}, []string{"method", "route"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "bogops_http_problems_total", Help: "Requests answered with a problem, by the problem's type.",
		}, []string{"problem"}),
		durations: histogram("bogops_http_request_duration_seconds",
			"Time from the request's headers to the end of its answer, by method, route and class of status.",
			seconds[:], "method", "route", "class"),
		received: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "bogops_http_received_bytes_total", Help: "Bytes of request bodies that handlers read.",
		}, []string{"method", "route"}),
		sent: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "bogops_http_sent_bytes_total", Help: "Bytes of bodies in answers.",
		}, []string{"method", "route"}),
		bodies: histogram("bogops_http_request_body_size_bytes",
			"Sizes of the request bodies that handlers read; requests without one do not count.",
			sizes[:], "method", "route"),
	}
}

func (r *requests) collectors() []prometheus.Collector {
	return []prometheus.Collector{r.inFlight, r.total, r.cut, r.refused, r.durations, r.received, r.sent, r.bodies}
}

func (r *requests) of(key seriesKey) *series {
	if found, ok := r.series.Load(key); ok {
		return found.(*series)
	}
	class := string('0'+byte(key.status/100%10)) + "xx"
	s := &series{
		total:    r.total.WithLabelValues(key.method, key.route, strconv.Itoa(key.status)),
		cut:      r.cut.WithLabelValues(key.method, key.route),
		received: r.received.WithLabelValues(key.method, key.route),
		sent:     r.sent.WithLabelValues(key.method, key.route),
		duration: r.durations.WithLabelValues(key.method, key.route, class),
		body:     r.bodies.WithLabelValues(key.method, key.route),
	}
	r.series.Store(key, s)
	return s
}

// methodLabel folds every method that no route takes into one.
func methodLabel(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete, http.MethodPost, http.MethodPatch, http.MethodOptions:
		return method
	}
	return other
}

// Request is one request that is being served. It belongs to the goroutine
// that serves it.
type Request struct {
	telemetry *Telemetry
	key       seriesKey
	began     time.Time
	body      *countedBody
	span      requestSpan
}

// Outcome is what a server knows of a request once it is over.
type Outcome struct {
	Status  int
	Sent    int64  // bytes of the answer's body
	Cut     bool   // the answer was cut after it had begun
	Problem string // type of the problem that was the answer; empty: none
	Role    string // whose token was shown; empty: nobody's
	ID      string // the request's id, for traces
}

// Begin measures r, which matched route: a template, never a path; empty for
// none. It returns the request to serve in its place.
func (t *Telemetry) Begin(r *http.Request, route string) (*http.Request, *Request) {
	if route == "" {
		route = other
	}
	begun := &Request{telemetry: t, key: seriesKey{method: methodLabel(r.Method), route: route}, began: time.Now()}
	t.requests.inFlight.Inc()
	r = begun.startSpan(r)
	if r.Body != nil && r.Body != http.NoBody {
		begun.body = &countedBody{ReadCloser: r.Body}
		// In a copy: by the body of its own request net/http tells whether
		// the client still waits to be asked for it, and answers at once.
		r = r.WithContext(r.Context())
		r.Body = begun.body
	}
	return r, begun
}

// End counts the request. It returns the time that it took.
func (r *Request) End(out Outcome) time.Duration {
	took := time.Since(r.began)
	m := &r.telemetry.requests
	m.inFlight.Dec()
	r.key.status = out.Status
	s := m.of(r.key)
	s.total.Inc()
	s.duration.Observe(took.Seconds())
	s.sent.Add(float64(max(out.Sent, 0)))
	if r.body != nil {
		s.received.Add(float64(r.body.read))
		s.body.Observe(float64(r.body.read))
	}
	if out.Cut {
		s.cut.Inc()
	}
	if out.Problem != "" {
		m.refused.WithLabelValues(out.Problem).Inc()
	}
	r.endSpan(out)
	return took
}

// Method is the request's method, or "other" for one that no route takes.
func (r *Request) Method() string { return r.key.method }

// countedBody counts what is read of a request's body.
type countedBody struct {
	io.ReadCloser
	read int64
}

func (b *countedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.read += int64(n)
	return n, err
}
