package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// FallbackNumbers are what an instance knows of the fall-back at one moment.
type FallbackNumbers struct {
	State      string // primary, fallback or reconciling, as last read; empty before
	Epoch      uint64
	Serving    bool          // the instance acts under that epoch
	LeaseAge   time.Duration // since what it knows was read; negative: never
	Held       int           // requests that wait until it serves
	Areas      int           // in S3, not yet empty
	Backlog    int           // objects and tombstones away from home
	OldestAway time.Time     // when the oldest of them was written; zero: none
}

// Fallback tells at every scrape where objects go, and what is away from home.
func Fallback(numbers func() FallbackNumbers) prometheus.Collector {
	g := &gathered{}
	state := g.desc("bogops_fallback_state", "Which store serves: 1 for that state, 0 for the others, all 0 until it is known.", "state")
	epoch := g.desc("bogops_fallback_epoch", "How often the state has changed, over all instances.")
	serving := g.desc("bogops_fallback_serving", "Whether this instance serves under the state that it knows.")
	age := g.desc("bogops_fallback_lease_age_seconds", "How long ago this instance read the state; it has no series before the first time.")
	held := g.desc("bogops_fallback_held_requests", "Requests that wait until this instance serves.")
	areas := g.desc("bogops_fallback_areas", "Areas of the fall-back store that are not yet empty.")
	backlog := g.desc("bogops_fallback_backlog_objects", "Objects and tombstones that are away from home, as last counted.")
	oldest := g.desc("bogops_fallback_oldest_away_timestamp_seconds", "When the oldest object away from home was written, in seconds since 1970; it has no series where none is.")
	g.collect = func(to chan<- prometheus.Metric) {
		n := numbers()
		for _, name := range []string{"primary", "fallback", "reconciling"} {
			gauge(to, state, oneIf(name == n.State), name)
		}
		gauge(to, epoch, float64(n.Epoch))
		gauge(to, serving, oneIf(n.Serving))
		if n.LeaseAge >= 0 {
			gauge(to, age, n.LeaseAge.Seconds())
		}
		gauge(to, held, float64(n.Held))
		gauge(to, areas, float64(n.Areas))
		gauge(to, backlog, float64(n.Backlog))
		if !n.OldestAway.IsZero() {
			gauge(to, oldest, float64(n.OldestAway.UnixMilli())/1000)
		}
	}
	return g
}

// CephNumbers are how busy the way to a Ceph cluster is at one moment.
type CephNumbers struct {
	InFlight, InFlightMax int64 // operations
	Waiting, WaitingMax   int64 // operations that wait for a place
	Held, HeldMax         int64 // bytes of bodies on their way
}

// Ceph tells at every scrape how busy the way to the cluster is.
func Ceph(numbers func() CephNumbers) prometheus.Collector {
	g := &gathered{}
	inFlight := g.desc("bogops_ceph_in_flight_operations", "Operations that the cluster has been sent and has not answered.")
	inFlightMax := g.desc("bogops_ceph_in_flight_limit_operations", "Operations in flight at most.")
	waiting := g.desc("bogops_ceph_waiting_operations", "Operations that wait for a place.")
	waitingMax := g.desc("bogops_ceph_waiting_limit_operations", "Operations that wait at most; more are refused.")
	held := g.desc("bogops_ceph_held_bytes", "Bytes of bodies on their way to and from the cluster.")
	heldMax := g.desc("bogops_ceph_held_limit_bytes", "Bytes of bodies on their way at most.")
	g.collect = func(to chan<- prometheus.Metric) {
		n := numbers()
		gauge(to, inFlight, float64(n.InFlight))
		gauge(to, inFlightMax, float64(n.InFlightMax))
		gauge(to, waiting, float64(n.Waiting))
		gauge(to, waitingMax, float64(n.WaitingMax))
		gauge(to, held, float64(n.Held))
		gauge(to, heldMax, float64(n.HeldMax))
	}
	return g
}

// CephChores say what has come of the work in the background on a Ceph pool.
type CephChores struct {
	Passes       int64 // of the collector
	PassesFailed int64 // of Passes, in whole or in part
	BeatsFailed  int64 // rounds in which not all uploads could be said to go on
	Uploads      int64 // in the registry, at the latest pass
	Tails        int64 // removed by passes
}

// CephBackground tells at every scrape how the work in the background goes.
func CephBackground(chores func() CephChores) prometheus.Collector {
	g := &gathered{}
	passes := g.desc("bogops_ceph_collector_passes_total", "Passes of the collector over what no object refers to.")
	failed := g.desc("bogops_ceph_collector_failed_passes_total", "Passes of the collector in which something failed.")
	beats := g.desc("bogops_ceph_failed_beats_total", "Rounds in which not all uploads could be registered as alive.")
	uploads := g.desc("bogops_ceph_registered_uploads", "Bodies in tails that the registry knew at the latest pass.")
	tails := g.desc("bogops_ceph_collected_tails_total", "Tails that passes of the collector have removed.")
	g.collect = func(to chan<- prometheus.Metric) {
		n := chores()
		counter(to, passes, float64(n.Passes))
		counter(to, failed, float64(n.PassesFailed))
		counter(to, beats, float64(n.BeatsFailed))
		gauge(to, uploads, float64(n.Uploads))
		counter(to, tails, float64(n.Tails))
	}
	return g
}

func oneIf(is bool) float64 {
	if is {
		return 1
	}
	return 0
}
