package probe

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"bogops/validator/ceph"
	"bogops/validator/journal"
	"bogops/validator/target"
	"bogops/validator/verdict"
)

// cephProbes is the Ceph brick, one line for each promise. What is not shown is
// UNPROVEN, and never green.
func cephProbes() []Probe {
	return []Probe{
		inCeph("health", "The cluster's monitors, or its manager, say that it is well.", cephHealth),
		inCeph("topology", "The cluster stands on three monitors and three OSDs, and keeps copies on different hosts.", cephTopology),
		inCeph("roundtrip", "What is put through the API is rebuilt from Ceph, byte for byte, with the judge's own key.", cephRoundtrip).weighing(3),
		inCeph("sentinel", "An object that is removed inside Ceph is no longer served: there is no shadow store.", cephSentinel).within(2 * time.Minute).weighing(2),
		inCeph("delta", "The pool grows by what is put.", cephDelta).within(time.Minute).bonus(),
	}
}

// inCeph is a required check of the Ceph brick. A check that a contest has not
// agreed with the team is NOT_IN_PLAY, which leaves the count.
func inCeph(id, promise string, run func(context.Context, *Session) (string, error)) Probe {
	return Probe{
		Check:   journal.Check{ID: "ceph/" + id, Brick: "ceph", Level: Bronze, Promise: promise, Required: true, Weight: 1},
		Timeout: 30 * time.Second,
		Run:     run,
	}
}

func (p Probe) bonus() Probe {
	p.Check.Required = false
	return p
}

// ceph is the judge's way into the platform's Ceph.
func (s *Session) ceph() *ceph.Cluster {
	if cluster := s.Env.Ceph[s.Target.ID]; cluster != nil {
		return cluster
	}
	return ceph.Nowhere()
}

// cephHealth wants one of the two sources to answer; where both do, the
// monitors' word counts.
func cephHealth(ctx context.Context, s *Session) (string, error) {
	cluster := s.ceph()
	health, err := cluster.Health(ctx)
	if err != nil && cluster.Metrics != nil && (errors.Is(err, ceph.ErrNoWay) || errors.Is(err, ceph.ErrUnreachable)) {
		var status string
		if status, err = cluster.Metrics(ctx); err == nil {
			s.note("metrics", status)
			return wantHealthy(ceph.Health{Status: status})
		}
	}
	if errors.Is(err, ceph.ErrUnreachable) {
		return "", &target.Failure{Kind: target.TimedOut, What: "the monitors of Ceph", Err: err}
	}
	if err != nil {
		return "", ceph.Settle(ctx, s.Target, err, "a monitor or the manager that answers")
	}
	s.note("health", health)
	if before, same := cluster.Stable(health.FSID); !same {
		return "", verdict.Wrong("The cluster is another one than before", health.FSID, before)
	}
	return wantHealthy(health)
}

func wantHealthy(h ceph.Health) (string, error) {
	said := h.Status
	if len(h.Checks) > 0 {
		said += " (" + strings.Join(h.Checks, ", ") + ")"
	}
	if h.Status != "HEALTH_OK" && h.Status != "HEALTH_WARN" {
		return "", verdict.New(verdict.Degraded, "The cluster is not well", said, "HEALTH_OK or HEALTH_WARN")
	}
	if h.FSID == "" {
		return said + " by the manager's metrics", nil
	}
	return fmt.Sprintf("%s, cluster %s", said, h.FSID), nil
}

// The least that a cluster must have.
const (
	leastMonitors = 3
	leastOSDs     = 3
	leastCopies   = 2
)

func cephTopology(ctx context.Context, s *Session) (string, error) {
	const wants = "the monitors' word on the topology"
	cluster := s.ceph()
	pool, err := s.provenPool(ctx)
	if err != nil {
		return "", err
	}
	t, err := cluster.Topology(ctx, pool)
	if err != nil {
		return "", ceph.Settle(ctx, s.Target, err, wants)
	}
	s.note("topology", t)
	for _, rule := range []struct {
		what      string
		ok        bool
		got, want string
	}{
		{"Monitors in quorum", t.Monitors >= leastMonitors, fmt.Sprint(t.Monitors), "at least 3"},
		{"OSDs that are up", t.Up >= leastOSDs, fmt.Sprint(t.Up), "at least 3"},
		{"Copies of an object (size of pool " + pool + ")", t.Size >= leastCopies, fmt.Sprint(t.Size), "at least 2"},
		{"Copies without which nothing is written (min_size of pool " + pool + ")", t.MinSize >= min(leastCopies, t.Size) && t.MinSize <= t.Size, fmt.Sprint(t.MinSize), fmt.Sprintf("2 to %d", t.Size)},
		{"Failure domain of pool " + pool, t.FailureDomain != "osd" && t.FailureDomain != "", t.FailureDomain, "host, or wider"},
		{"Failure domains with an OSD that is up", t.Buckets >= t.Size, fmt.Sprint(t.Buckets), fmt.Sprintf("at least the %d copies", t.Size)},
		{"Machines under the OSDs", s.Env.OneMachine || len(t.Machines) >= leastOSDs, fmt.Sprint(len(t.Machines)), "at least 3"},
	} {
		if !rule.ok {
			return "", verdict.New(verdict.Degraded, rule.what, rule.got, rule.want)
		}
	}
	note := fmt.Sprintf("%d monitors, %d OSDs, pool %s of size %d/%d over %ss", t.Monitors, t.Up, pool, t.Size, t.MinSize, t.FailureDomain)
	if len(t.Machines) < leastOSDs {
		note += fmt.Sprintf(" [R: on %d machine(s), as only a rehearsal may]", len(t.Machines))
	}
	return note, nil
}
