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
	g := &gathered{}
	desc := g.desc("bogops_store_state", "Which state the store is in: 1 for that one, 0 for the others.", "state")
	g.collect = func(to chan<- prometheus.Metric) {
		ctx, cancel := context.WithTimeout(context.Background(), healthPatience)
		defer cancel()
		now := s.Health(ctx).State
		for _, state := range []store.State{store.Healthy, store.Degraded, store.Down} {
			value := 0.0
			if state == now {
				value = 1
			}
			gauge(to, desc, value, string(state))
		}
	}
	return g
}

// Malformed tells at every scrape how many requests could not be parsed. No
// handler sees them, so they are in no other metric and in no log.
func Malformed(count func() int64) prometheus.Collector {
	return prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "bogops_http_malformed_requests_total", Help: "Requests over HTTP/1 that could not be parsed and were answered with a problem.",
	}, func() float64 { return float64(count()) })
}

// DroppedLines tells at every scrape how many lines of the access log an output
// that stood still has cost.
func DroppedLines(dropped func() int64) prometheus.Collector {
	return prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "bogops_log_dropped_lines_total", Help: "Lines of the access log that were dropped because the log's reader stood still.",
	}, func() float64 { return float64(dropped()) })
}
