package rehearse

import (
	"context"
	"fmt"
	"maps"

	"bogops/validator/chaos"
	"bogops/validator/redeploy"
	"bogops/validator/target"
)

// actions is what may be broken of a member on this machine.
func (m *member) actions() map[string]chaos.Action {
	all := map[string]chaos.Action{"kill-instance": killInstance(m.platform)}
	if m.cluster != nil {
		maps.Copy(all, chaos.CephFaults(m.way, m.daemons()))
	}
	return all
}

// killInstance kills one process −9: the rehearsal's twin of a terminated
// virtual machine. The group replaces it.
func killInstance(p *platform) chaos.Action {
	var victim string
	return chaos.Action{
		Kind: "kill-instance", Title: "Instance killed",
		Resolve: func(context.Context) (id string, err error) {
			victim, err = p.victim()
			return victim, err
		},
		Do: func(context.Context) error { return p.group.Kill(victim) },
		Verify: func(context.Context) error {
			if p.group.Alive(victim) {
				return fmt.Errorf("instance %s still runs", victim)
			}
			return nil
		},
		Healed: func(context.Context) error { return p.group.Whole() },
		Undo:   func(ctx context.Context) (bool, error) { return p.group.Refill(ctx) },
	}
}

// deploys is what stands in for a pipeline: a roll-out on this machine.
func deploys(p *platform, at target.Target) map[string]redeploy.Deploy {
	return map[string]redeploy.Deploy{"app-deploy": redeploy.Directly(at, func(ctx context.Context, nonce string) error {
		return p.roll(ctx, "v2+"+nonce, readyWithin)
	})}
}
