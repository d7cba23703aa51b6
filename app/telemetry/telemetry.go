// Package telemetry is what operators see of a server: Prometheus metrics and
// OpenTelemetry traces of its requests, its store and its certificates.
//
// No label and no attribute has a value that a stranger chooses: keys belong
// to users, nonces to the judge, and every new value of a label is a series
// that a Prometheus keeps for weeks. What is not foreseen counts as "other".
package telemetry

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"go.opentelemetry.io/otel/trace"
)

// Build says what runs, for the metric bogops_build_info.
type Build struct {
	Version   string
	GoVersion string
}

// Telemetry measures one server. Its registry is its own, so several servers
// in one process do not meet. All methods may be called concurrently.
type Telemetry struct {
	registry *prometheus.Registry
	requests requests
	stores   stores
	steps    *prometheus.CounterVec
	tracing  atomic.Pointer[trace.Tracer] // nil: nothing is traced
}

// New returns a Telemetry that has measured nothing yet.
func New(build Build) *Telemetry {
	t := &Telemetry{registry: prometheus.NewRegistry()}
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "bogops_build_info", Help: "Which build runs; always 1.",
		ConstLabels: prometheus.Labels{"version": build.Version, "goversion": build.GoVersion},
	})
	info.Set(1)
	t.requests = newRequests()
	t.stores = newStores()
	t.steps = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "bogops_process_steps_total", Help: "Processing steps begun, by step.",
	}, []string{"step"})
	t.Register(info, t.steps)
	t.Register(t.requests.collectors()...)
	t.Register(t.stores.collectors()...)
	t.Register(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return t
}

// Register adds collectors of other parts of the server. It panics where two
// of them claim the same metric: that is a mistake in the program.
func (t *Telemetry) Register(all ...prometheus.Collector) { t.registry.MustRegister(all...) }

// seconds are the upper bounds of the latency histograms: 0.1 ms, which a read
// from memory takes, to 60 s, where even a large upload should be over.
var seconds = [...]float64{
	0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
	0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
}

// sizes are the upper bounds of the body sizes, in bytes: 1 KiB to 1 GiB.
var sizes = [...]float64{1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20, 4 << 20, 16 << 20, 64 << 20, 256 << 20, 1 << 30}

// histogram has classic buckets for everyone, and beside them a native
// histogram, exact to a tenth, for a Prometheus that asks for it.
func histogram(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: name, Help: help, Buckets: buckets,
		NativeHistogramBucketFactor:     1.1,
		NativeHistogramMaxBucketNumber:  100,
		NativeHistogramMinResetDuration: nativeReset,
	}, labels)
}
