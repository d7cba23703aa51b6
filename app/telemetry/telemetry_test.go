package telemetry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"bogops/app/admit"
	"bogops/app/selfaudit"
	"bogops/app/store"
	"bogops/app/store/memstore"
	"bogops/app/store/storetest"
)

// used is a Telemetry of which every metric has at least one series.
func used(t *testing.T) *Telemetry {
	m := New(Build{Version: "r1", GoVersion: "go"})
	s := Observe(memstore.New(), m)
	m.Register(StoreHealth(s), CertificateExpiry(func() map[string]time.Time { return map[string]time.Time{"a.test": time.Unix(1e9, 0)} }))
	auditor := selfaudit.New(selfaudit.Config{Store: s})
	gate := admit.New(admit.Config{})
	free, err := gate.HoldInput(t.Context(), 2<<20)
	require.NoError(t, err)
	t.Cleanup(free)
	m.Register(Audit(auditor.Numbers), Admission(gate.Numbers), DroppedLines(func() int64 { return 0 }), Malformed(func() int64 { return 0 }))
	r, begun := m.Begin(httptest.NewRequest("PUT", "/v1/objects/k", strings.NewReader("hello")), "/v1/objects/*key")
	_, err = s.Put(r.Context(), "k", r.Body, store.PutOptions{Size: 5})
	require.NoError(t, err)
	begun.End(Outcome{Status: 201, Sent: 10})
	_, begun = m.Begin(httptest.NewRequest("GET", "/v1/objects/k", nil), "/v1/objects/*key")
	begun.End(Outcome{Status: 404, Problem: "not-found", Cut: true})
	m.Processing(t.Context(), []string{"sha256"})(true)
	return m
}

func TestEveryMetricHasANameThatPrometheusLikes(t *testing.T) {
	m := used(t)
	problems, err := testutil.GatherAndLint(m.registry)
	require.NoError(t, err)
	require.Empty(t, problems)
	families, err := m.registry.Gather()
	require.NoError(t, err)
	for _, family := range families {
		require.Regexp(t, `^(bogops|go|process|promhttp)_`, family.GetName())
	}
	require.Greater(t, len(families), 40)
}

func TestRequestsAreCountedByMethodRouteAndStatus(t *testing.T) {
	m := used(t)
	require.NoError(t, testutil.GatherAndCompare(m.registry, strings.NewReader(`
# HELP bogops_http_problems_total Requests answered with a problem, by the problem's type.
# TYPE bogops_http_problems_total counter
bogops_http_problems_total{problem="not-found"} 1
# HELP bogops_http_received_bytes_total Bytes of request bodies that handlers read.
# TYPE bogops_http_received_bytes_total counter
bogops_http_received_bytes_total{method="GET",route="/v1/objects/*key"} 0
bogops_http_received_bytes_total{method="PUT",route="/v1/objects/*key"} 5
# HELP bogops_http_requests_cut_total Requests whose answer was cut short after it had begun: no error can be told any more.
# TYPE bogops_http_requests_cut_total counter
bogops_http_requests_cut_total{method="GET",route="/v1/objects/*key"} 1
bogops_http_requests_cut_total{method="PUT",route="/v1/objects/*key"} 0
# HELP bogops_http_requests_in_flight Requests that are being served now.
# TYPE bogops_http_requests_in_flight gauge
bogops_http_requests_in_flight 0
# HELP bogops_http_requests_total Requests answered, by method, route and status code.
# TYPE bogops_http_requests_total counter
bogops_http_requests_total{code="201",method="PUT",route="/v1/objects/*key"} 1
bogops_http_requests_total{code="404",method="GET",route="/v1/objects/*key"} 1
# HELP bogops_http_sent_bytes_total Bytes of bodies in answers.
# TYPE bogops_http_sent_bytes_total counter
bogops_http_sent_bytes_total{method="GET",route="/v1/objects/*key"} 0
bogops_http_sent_bytes_total{method="PUT",route="/v1/objects/*key"} 10
# HELP bogops_process_steps_total Processing steps begun, by step.
# TYPE bogops_process_steps_total counter
bogops_process_steps_total{step="sha256"} 1
# HELP bogops_store_state Which state the store is in: 1 for that one, 0 for the others.
# TYPE bogops_store_state gauge
bogops_store_state{state="degraded"} 0
bogops_store_state{state="down"} 0
bogops_store_state{state="ok"} 1
# HELP bogops_certificate_not_after_timestamp_seconds When the certificate that is served for a name ends, in seconds since 1970.
# TYPE bogops_certificate_not_after_timestamp_seconds gauge
bogops_certificate_not_after_timestamp_seconds{name="a.test"} 1e+09
`), "bogops_http_problems_total", "bogops_http_received_bytes_total", "bogops_http_requests_cut_total", "bogops_http_requests_in_flight",
		"bogops_http_requests_total", "bogops_http_sent_bytes_total", "bogops_process_steps_total", "bogops_store_state",
		"bogops_certificate_not_after_timestamp_seconds"))
}

func TestMethodsThatNobodyKnowsMakeOneSeries(t *testing.T) {
	m := New(Build{})
	for i := range 1000 {
		_, begun := m.Begin(httptest.NewRequest(fmt.Sprintf("BREW%d", i), "/", nil), "")
		require.Equal(t, "other", begun.Method())
		begun.End(Outcome{Status: 404})
	}
	require.Equal(t, 1, testutil.CollectAndCount(m.requests.total))
	require.Equal(t, 1, testutil.CollectAndCount(m.requests.durations))
}

func TestAnObservedStoreKeepsEveryPromise(t *testing.T) {
	storetest.Run(t, func(testing.TB) storetest.Subject {
		s := Observe(memstore.New(), New(Build{}))
		return storetest.Subject{Store: s, Again: func(context.Context) (store.Store, error) { return s, nil }}
	})
}

// refusing fails every call with err.
type refusing struct {
	store.Store
	err error
}

func (r refusing) Stat(context.Context, string) (store.Info, error) { return store.Info{}, r.err }

func TestWhatACallerAskedWronglyIsAResultAndNoFailure(t *testing.T) {
	for _, c := range []struct {
		err     error
		result  string
		failure bool
	}{
		{nil, "ok", false},
		{fmt.Errorf("x: %w", store.ErrNotFound), "not_found", false},
		{store.ErrCondition, "condition", false},
		{store.ErrDigest, "bad_input", false},
		{context.Canceled, "canceled", false},
		{fmt.Errorf("%w: %w", store.ErrUnknown, store.ErrUnavailable), "unknown", true},
		{store.ErrUnavailable, "unavailable", true},
		{store.ErrFull, "full", true},
		{errors.New("of no kind"), "error", true},
	} {
		m := New(Build{})
		_, err := Observe(refusing{err: c.err}, m).Stat(t.Context(), "k")
		require.Equal(t, c.err, err)
		result, failure := resultOf(c.err)
		require.Equal(t, c.failure, failure, "%v", c.err)
		require.Equal(t, c.result, result)
		require.Equal(t, 1, testutil.CollectAndCount(m.stores.durations))
	}
}

// breaking gives two bytes and then fails.
type breaking struct{ store.Store }

func (breaking) Get(context.Context, string, store.Range) (io.ReadCloser, store.Info, error) {
	return io.NopCloser(io.MultiReader(strings.NewReader("ab"), failingReader{})), store.Info{}, nil
}

type failingReader struct{}

func (failingReader) Read([]byte) (int, error) { return 0, errors.New("broken") }

func TestAReadThatBreaksIsCountedOnce(t *testing.T) {
	m := New(Build{})
	body, _, err := Observe(breaking{}, m).Get(t.Context(), "k", store.Whole)
	require.NoError(t, err)
	_, err = io.ReadAll(body)
	require.Error(t, err)
	require.NoError(t, body.Close())
	require.NoError(t, body.Close())
	require.EqualValues(t, 1, testutil.ToFloat64(m.stores.broken))
	require.EqualValues(t, 2, testutil.ToFloat64(m.stores.read))
}

func TestTheAdminPortServesMetricsProfilesAndHealth(t *testing.T) {
	reason := errors.New("the store is down")
	server := httptest.NewServer(used(t).Admin(func(context.Context) error { return reason }, slog.New(slog.DiscardHandler)))
	t.Cleanup(server.Close)
	get := func(path string) (int, string) {
		answer, err := http.Get(server.URL + path)
		require.NoError(t, err)
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		return answer.StatusCode, string(text)
	}
	status, text := get("/metrics")
	require.Equal(t, 200, status)
	for _, want := range []string{"bogops_http_requests_total{", "bogops_store_state{", "go_goroutines ", "bogops_audit_lost_objects 0", "bogops_admission_in_flight_requests 0", `bogops_admission_working_places{line="inputs"} 2.097152e+06`, `bogops_audit_objects_total{result="lost"} 0`, `bogops_build_info{goversion="go",version="r1"} 1`} {
		require.Contains(t, text, want)
	}
	status, text = get("/debug/pprof/goroutine?debug=1")
	require.Equal(t, 200, status)
	require.Contains(t, text, "goroutine profile")
	status, _ = get("/healthz")
	require.Equal(t, 200, status)
	status, text = get("/readyz")
	require.Equal(t, 503, status)
	require.Contains(t, text, "the store is down")
	reason = nil
	status, _ = get("/readyz")
	require.Equal(t, 200, status)
	status, _ = get("/v1/objects/k")
	require.Equal(t, 404, status, "the admin port must not serve objects: it asks for no token")
}

// BenchmarkRequest is what a request costs: measured, and traced as well by an
// exporter that throws away.
func BenchmarkRequest(b *testing.B) {
	for _, traced := range []bool{false, true} {
		b.Run(fmt.Sprintf("traced=%t", traced), func(b *testing.B) {
			m := New(Build{})
			if traced {
				tracer := sdktrace.NewTracerProvider().Tracer("x")
				m.tracing.Store(&tracer)
			}
			r := httptest.NewRequest("GET", "/v1/objects/k", nil)
			b.ReportAllocs()
			for b.Loop() {
				_, begun := m.Begin(r, "/v1/objects/*key")
				begun.End(Outcome{Status: 200, Sent: 4096})
			}
		})
	}
}

// BenchmarkStore compares a store with the same one observed.
func BenchmarkStore(b *testing.B) {
	bare := memstore.New()
	for name, s := range map[string]store.Store{"bare": bare, "observed": Observe(bare, New(Build{}))} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = s.Stat(b.Context(), "none")
			}
		})
	}
}
