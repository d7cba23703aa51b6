package chaos

import (
	"context"
	"errors"
	"fmt"

	"bogops/validator/ceph"
)

// Daemons is the hand that stops and starts the daemons of a Ceph cluster.
type Daemons struct {
	Pick  func(ctx context.Context, kind string) (daemon string, err error)
	Break func(ctx context.Context, daemon, way string) error
	Mend  func(ctx context.Context, daemon, way string) error
}

// CephFaults are the storage faults on a cluster, by kind as in the contest
// file. What is seen is what the monitors say to the judge's own key, and not
// what the hand says of itself.
func CephFaults(cluster *ceph.Cluster, hand Daemons) map[string]Action {
	s := Storage{Pick: hand.Pick, Break: hand.Break, Mend: hand.Mend, Running: running(cluster), Serves: serves(cluster)}
	actions := map[string]Action{}
	for _, f := range []struct{ kind, title, way, daemon string }{
		{"stop-osd", "OSD stopped", "stop", "osd"},
		{"kill-osd", "OSD killed", "kill", "osd"},
		{"freeze-osd", "OSD frozen", "freeze", "osd"},
		{"stop-monitor", "Monitor stopped", "stop", "mon"},
		{"kill-monitor", "Monitor killed", "kill", "mon"},
		{"freeze-monitor", "Monitor frozen", "freeze", "mon"},
	} {
		actions[f.kind] = StorageFault(f.kind, f.title, f.way, f.daemon, s)
	}
	return actions
}

// TeamFaults are the storage faults on the real day: the one that a team's own
// command can do. Without the command there are none, and that costs nothing.
func TeamFaults(cluster *ceph.Cluster) map[string]Action {
	if cluster.OSD == nil {
		return nil
	}
	all := CephFaults(cluster, Daemons{
		Pick:  func(context.Context, string) (string, error) { return "an OSD that the team's command chooses", nil },
		Break: func(ctx context.Context, _, _ string) error { return cluster.OSD(ctx, "stop") },
		Mend:  func(ctx context.Context, _, _ string) error { return cluster.OSD(ctx, "start") },
	})
	return map[string]Action{"stop-osd": all["stop-osd"]}
}

func running(cluster *ceph.Cluster) func(context.Context, string) (int, error) {
	return func(ctx context.Context, kind string) (int, error) {
		health, err := cluster.Health(ctx)
		if kind == "mon" {
			return len(health.Monitors), err
		}
		return health.Up, err
	}
}

func serves(cluster *ceph.Cluster) func(context.Context) error {
	return func(ctx context.Context) error {
		health, err := cluster.Health(ctx)
		if err != nil {
			return err
		}
		if !health.Active {
			return fmt.Errorf("not every placement group is active: %s %v", health.Status, health.Checks)
		}
		if len(health.Monitors) == 0 {
			return errors.New("no monitor is in quorum")
		}
		return nil
	}
}
