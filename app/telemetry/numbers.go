package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"bogops/app/admit"
	"bogops/app/selfaudit"
)

// gathered is a collector whose numbers are asked for at every scrape, all at
// one moment.
type gathered struct {
	descs   []*prometheus.Desc
	collect func(chan<- prometheus.Metric)
}

func (g *gathered) Describe(to chan<- *prometheus.Desc) {
	for _, desc := range g.descs {
		to <- desc
	}
}

func (g *gathered) Collect(to chan<- prometheus.Metric) { g.collect(to) }

func (g *gathered) desc(name, help string, labels ...string) *prometheus.Desc {
	desc := prometheus.NewDesc(name, help, labels, nil)
	g.descs = append(g.descs, desc)
	return desc
}

func gauge(to chan<- prometheus.Metric, desc *prometheus.Desc, value float64, labels ...string) {
	to <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
}

func counter(to chan<- prometheus.Metric, desc *prometheus.Desc, value float64, labels ...string) {
	to <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, value, labels...)
}

// Audit tells what the audit has found. bogops_audit_lost_objects must be 0.
func Audit(numbers func() selfaudit.Numbers) prometheus.Collector {
	g := &gathered{}
	found := g.desc("bogops_audit_objects_total", "Acknowledged objects that were read again, by what was found.", "result")
	lost := g.desc("bogops_audit_lost_objects", "Acknowledged objects that the audit found to be lost since the start; must be 0.")
	sample := g.desc("bogops_audit_sample_objects", "Acknowledged objects that the audit draws from.")
	g.collect = func(to chan<- prometheus.Metric) {
		n := numbers()
		for result, count := range n.Found {
			counter(to, found, float64(count), string(result))
		}
		gauge(to, lost, float64(n.Found[selfaudit.Lost]))
		gauge(to, sample, float64(n.Sample))
	}
	return g
}

// Admission tells how full the server is, and whom it has refused.
func Admission(numbers func() admit.Numbers) prometheus.Collector {
	g := &gathered{}
	inFlight := g.desc("bogops_admission_in_flight_requests", "Object requests that are admitted now.")
	inFlightMax := g.desc("bogops_admission_in_flight_limit_requests", "Object requests that are admitted at most.")
	connections := g.desc("bogops_admission_open_connections", "Connections that are open now.")
	connectionsMax := g.desc("bogops_admission_open_connections_limit", "Connections that are open at most.")
	held := g.desc("bogops_admission_held_bytes", "Bytes that admitted requests may hold in memory now.")
	heldMax := g.desc("bogops_admission_held_limit_bytes", "Bytes that admitted requests may hold at most.")
	refused := g.desc("bogops_admission_refused_total", "Requests refused, by reason.", "reason")
	working := g.desc("bogops_admission_working_places", "Places of a line that are given out now; a place in the line of inputs is a byte.", "line")
	places := g.desc("bogops_admission_limit_places", "Places that a line has; a place in the line of inputs is a byte.", "line")
	waiting := g.desc("bogops_admission_waiting_requests", "Requests that wait in a line.", "line")
	g.collect = func(to chan<- prometheus.Metric) {
		n := numbers()
		gauge(to, inFlight, float64(n.InFlight))
		gauge(to, inFlightMax, float64(n.InFlightMax))
		gauge(to, connections, float64(n.Connections))
		gauge(to, connectionsMax, float64(n.ConnectionsMax))
		gauge(to, held, float64(n.Bytes))
		gauge(to, heldMax, float64(n.BytesMax))
		for reason, count := range n.Refused {
			counter(to, refused, float64(count), reason)
		}
		for name, line := range map[string]admit.LineNumbers{"inputs": n.Inputs, "turns": n.Turns, "cheap": n.Cheap, "dear": n.Dear} {
			gauge(to, working, float64(line.Working), name)
			gauge(to, places, float64(line.Places), name)
			gauge(to, waiting, float64(line.Waiting), name)
		}
	}
	return g
}

// CertificateExpiry tells when the certificate of each name ends; a name
// without one has no series. The names are those of the settings.
func CertificateExpiry(ends func() map[string]time.Time) prometheus.Collector {
	g := &gathered{}
	desc := g.desc("bogops_certificate_not_after_timestamp_seconds",
		"When the certificate that is served for a name ends, in seconds since 1970.", "name")
	g.collect = func(to chan<- prometheus.Metric) {
		for name, end := range ends() {
			gauge(to, desc, float64(end.Unix()), name)
		}
	}
	return g
}
