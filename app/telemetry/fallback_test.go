package telemetry

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
)

func TestTheFallBackIsToldAsItIsAtTheScrape(t *testing.T) {
	now := FallbackNumbers{LeaseAge: -1}
	collector := Fallback(func() FallbackNumbers { return now })
	require.NoError(t, testutil.CollectAndCompare(collector, strings.NewReader(`
		# HELP bogops_fallback_state Which store serves: 1 for that state, 0 for the others, all 0 until it is known.
		# TYPE bogops_fallback_state gauge
		bogops_fallback_state{state="fallback"} 0
		bogops_fallback_state{state="primary"} 0
		bogops_fallback_state{state="reconciling"} 0
	`), "bogops_fallback_state", "bogops_fallback_lease_age_seconds", "bogops_fallback_oldest_away_timestamp_seconds"))

	now = FallbackNumbers{State: "fallback", Epoch: 3, Serving: true, LeaseAge: 1500 * time.Millisecond, Held: 2, Areas: 1, Backlog: 17, OldestAway: time.Unix(1748768400, 5e8)}
	require.NoError(t, testutil.CollectAndCompare(collector, strings.NewReader(`
		# HELP bogops_fallback_areas Areas of the fall-back store that are not yet empty.
		# TYPE bogops_fallback_areas gauge
		bogops_fallback_areas 1
		# HELP bogops_fallback_backlog_objects Objects and tombstones that are away from home, as last counted.
		# TYPE bogops_fallback_backlog_objects gauge
		bogops_fallback_backlog_objects 17
		# HELP bogops_fallback_epoch How often the state has changed, over all instances.
		# TYPE bogops_fallback_epoch gauge
		bogops_fallback_epoch 3
		# HELP bogops_fallback_held_requests Requests that wait until this instance serves.
		# TYPE bogops_fallback_held_requests gauge
		bogops_fallback_held_requests 2
		# HELP bogops_fallback_lease_age_seconds How long ago this instance read the state; it has no series before the first time.
		# TYPE bogops_fallback_lease_age_seconds gauge
		bogops_fallback_lease_age_seconds 1.5
		# HELP bogops_fallback_oldest_away_timestamp_seconds When the oldest object away from home was written, in seconds since 1970; it has no series where none is.
		# TYPE bogops_fallback_oldest_away_timestamp_seconds gauge
		bogops_fallback_oldest_away_timestamp_seconds 1.7487684005e+09
		# HELP bogops_fallback_serving Whether this instance serves under the state that it knows.
		# TYPE bogops_fallback_serving gauge
		bogops_fallback_serving 1
		# HELP bogops_fallback_state Which store serves: 1 for that state, 0 for the others, all 0 until it is known.
		# TYPE bogops_fallback_state gauge
		bogops_fallback_state{state="fallback"} 1
		bogops_fallback_state{state="primary"} 0
		bogops_fallback_state{state="reconciling"} 0
	`)))
}

func TestTheWayToCephIsToldAsItIsAtTheScrape(t *testing.T) {
	require.NoError(t, testutil.CollectAndCompare(Ceph(func() CephNumbers { return CephNumbers{1, 2, 3, 4, 5, 6} }), strings.NewReader(`
		# HELP bogops_ceph_held_bytes Bytes of bodies on their way to and from the cluster.
		# TYPE bogops_ceph_held_bytes gauge
		bogops_ceph_held_bytes 5
		# HELP bogops_ceph_held_limit_bytes Bytes of bodies on their way at most.
		# TYPE bogops_ceph_held_limit_bytes gauge
		bogops_ceph_held_limit_bytes 6
		# HELP bogops_ceph_in_flight_limit_operations Operations in flight at most.
		# TYPE bogops_ceph_in_flight_limit_operations gauge
		bogops_ceph_in_flight_limit_operations 2
		# HELP bogops_ceph_in_flight_operations Operations that the cluster has been sent and has not answered.
		# TYPE bogops_ceph_in_flight_operations gauge
		bogops_ceph_in_flight_operations 1
		# HELP bogops_ceph_waiting_limit_operations Operations that wait at most; more are refused.
		# TYPE bogops_ceph_waiting_limit_operations gauge
		bogops_ceph_waiting_limit_operations 4
		# HELP bogops_ceph_waiting_operations Operations that wait for a place.
		# TYPE bogops_ceph_waiting_operations gauge
		bogops_ceph_waiting_operations 3
	`)))
}

func TestTheWorkInTheBackgroundOnCephIsTold(t *testing.T) {
	require.NoError(t, testutil.CollectAndCompare(CephBackground(func() CephChores { return CephChores{1, 2, 3, 4, 5} }), strings.NewReader(`
		# HELP bogops_ceph_collected_tails_total Tails that passes of the collector have removed.
		# TYPE bogops_ceph_collected_tails_total counter
		bogops_ceph_collected_tails_total 5
		# HELP bogops_ceph_collector_failed_passes_total Passes of the collector in which something failed.
		# TYPE bogops_ceph_collector_failed_passes_total counter
		bogops_ceph_collector_failed_passes_total 2
		# HELP bogops_ceph_collector_passes_total Passes of the collector over what no object refers to.
		# TYPE bogops_ceph_collector_passes_total counter
		bogops_ceph_collector_passes_total 1
		# HELP bogops_ceph_failed_beats_total Rounds in which not all uploads could be registered as alive.
		# TYPE bogops_ceph_failed_beats_total counter
		bogops_ceph_failed_beats_total 3
		# HELP bogops_ceph_registered_uploads Bodies in tails that the registry knew at the latest pass.
		# TYPE bogops_ceph_registered_uploads gauge
		bogops_ceph_registered_uploads 4
	`)))
}
