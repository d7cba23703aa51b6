package telemetry

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"bogops/app/store"
)

// healthPatience is how long a scrape waits for a store to say how it feels. A
// store that does not answer is down for whoever has to be served.
const healthPatience = 2 * time.Second

// StoreHealth tells at every scrape which state s is in: 1 for that, 0 for the
// others.
func StoreHealth(s store.Store) prometheus.Collector {
	return storeHealth{s, prometheus.NewDesc("bogops_store_state",
		"Which state the store is in: 1 for that one, 0 for the others.", []string{"state"}, nil)}
}

type storeHealth struct {
	store store.Store
	desc  *prometheus.Desc
}

func (h storeHealth) Describe(to chan<- *prometheus.Desc) { to <- h.desc }

func (h storeHealth) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), healthPatience)
	defer cancel()
	now := h.store.Health(ctx).State
	for _, state := range []store.State{store.Healthy, store.Degraded, store.Down} {
		value := 0.0
		if state == now {
			value = 1
		}
		to <- prometheus.MustNewConstMetric(h.desc, prometheus.GaugeValue, value, string(state))
	}
}

// DroppedLines tells at every scrape how many lines of the access log an output
// that stood still has cost.
func DroppedLines(dropped func() int64) prometheus.Collector {
	return prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "bogops_log_dropped_lines_total", Help: "Lines of the access log that were dropped because the log's reader stood still.",
	}, func() float64 { return float64(dropped()) })
}

// CertificateExpiry tells at every scrape when the certificate of each name
// ends; a name without one has no series. The names are those of the settings.
func CertificateExpiry(ends func() map[string]time.Time) prometheus.Collector {
	return certificateExpiry{ends, prometheus.NewDesc("bogops_certificate_not_after_timestamp_seconds",
		"When the certificate that is served for a name ends, in seconds since 1970.", []string{"name"}, nil)}
}

type certificateExpiry struct {
	ends func() map[string]time.Time
	desc *prometheus.Desc
}

func (e certificateExpiry) Describe(to chan<- *prometheus.Desc) { to <- e.desc }

func (e certificateExpiry) Collect(to chan<- prometheus.Metric) {
	for name, end := range e.ends() {
		to <- prometheus.MustNewConstMetric(e.desc, prometheus.GaugeValue, float64(end.Unix()), name)
	}
}
