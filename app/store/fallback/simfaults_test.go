package fallback

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"bogops/app/store/versioned/memplace"
)

// Faults that show some broken rules best.
const (
	stuckAway   = 5
	deafReader  = 12
	slowReturn  = 13
	lateLanding = 14
)

// fault does one kind of harm, lets it last, and leaves it to heal.
func (sim *simulation) fault(ctx context.Context) {
	home, away := sim.world.Home, sim.world.Away
	lasts := sim.plan.between(simLease/2, 6*simLease)
	headWrite := func(call memplace.Call) bool { return call.Op == "commit" || call.Op == "bury" }
	kind := sim.plan.below(15)
	if sim.variant.often > 0 && sim.plan.below(2) == 0 {
		kind = sim.variant.often
	}
	sim.note("fault %d", kind)
	defer func() { sim.note("fault %d is over", kind) }()
	switch kind {
	case 0: // Ceph is away
		home.SetDown(true)
		time.Sleep(lasts)
	case 1: // Ceph is frozen; what was under way may land later
		home.Hang()
		time.Sleep(lasts)
	case 2: // S3 is away
		away.SetDown(true)
		time.Sleep(lasts / 3)
	case 3: // S3 is frozen
		away.Hang()
		time.Sleep(lasts / 3)
	case 4: // an instance stands still in mid-PUT while Ceph goes
		sim.stopAt(headWrite, &sim.counts.middle)
		sim.comesAndGoes()
	case stuckAway: // the same after Ceph has gone, as it comes back
		home.SetDown(true)
		time.Sleep(4 * simLease)
		sim.stopAt(func(call memplace.Call) bool { return call.Site == "away" && headWrite(call) }, &sim.counts.middle)
		time.Sleep(simLease / 5)
		home.SetDown(false)
		time.Sleep(6 * simLease)
	case 6: // the reconciler stands still before its removal, and another trip comes
		sim.stopAt(func(call memplace.Call) bool { return call.Site == "away" && call.Op == "remove" }, &sim.counts.removals)
		sim.comesAndGoes()
		sim.comesAndGoes()
	case 7: // an instance ends, and another one comes
		sim.kill(ctx)
		time.Sleep(lasts)
	case 8: // the control record is lost
		if err := sim.world.Instance("vandal").Away().Remove(ctx, recordName); err == nil {
			sim.counts.lost.Add(1)
		}
		time.Sleep(3 * simLease)
	case 9: // answers are lost, and writes come late, while Ceph comes and goes
		home.SetDecide(sim.doubt)
		away.SetDecide(sim.doubt)
		sim.comesAndGoes()
		time.Sleep(lasts)
	case 10: // half of the instances, or one alone, have lost Ceph
		home.SetDecide(refuse(sim.any().cfg.Instance, ""))
		time.Sleep(lasts)
	case 11: // Ceph goes again while everything comes home
		sim.comesAndGoes()
		home.SetDown(true)
		time.Sleep(lasts)
	case deafReader: // an instance does not hear that Ceph is back
		home.SetDown(true)
		time.Sleep(4 * simLease)
		home.SetDown(false)
		time.Sleep(sim.plan.between(simLease/2, simLease))
		away.SetDecide(refuse(sim.any().cfg.Instance, "read-record"))
		time.Sleep(2 * simLease)
	case slowReturn: // what is away stays there for a while
		home.SetDown(true)
		time.Sleep(4 * simLease)
		away.SetDecide(refuse("", "heads"))
		home.SetDown(false)
		time.Sleep(3*simLease + lasts)
	case lateLanding: // late writes reach an area as it empties, which an instance does not hear of
		home.SetDown(true)
		time.Sleep(5 * simLease / 2)
		away.SetDecide(sim.doubt)
		time.Sleep(3 * simLease / 2)
		away.SetDecide(nil)
		home.SetDown(false)
		time.Sleep(sim.plan.between(2*simLease, 5*simLease/2))
		away.SetDecide(refuse(sim.any().cfg.Instance, "read-record"))
		for range 10 {
			time.Sleep(sim.plan.between(0, simLease/5))
			sim.land(away, 3)
		}
	}
	if sim.plan.below(2) == 0 {
		sim.heal()
		time.Sleep(sim.plan.between(0, 4*simLease))
	}
}

// refuse has the calls of an instance refused, or those of one kind; empty is any.
func refuse(instance, op string) func(memplace.Call) memplace.Outcome {
	return func(call memplace.Call) memplace.Outcome {
		if (instance == "" || call.Instance == instance) && (op == "" || call.Op == op) {
			return memplace.Refuse
		}
		return memplace.Proceed
	}
}

// heal ends every fault but the standing still of an instance.
func (sim *simulation) heal() {
	for _, site := range []*memplace.Site{sim.world.Home, sim.world.Away} {
		site.SetDecide(nil)
		site.SetDown(false)
		site.Release()
	}
}

// comesAndGoes has Ceph be away for long enough that it is left.
func (sim *simulation) comesAndGoes() {
	sim.world.Home.SetDown(true)
	time.Sleep(sim.plan.between(2*simLease, 5*simLease))
	sim.world.Home.SetDown(false)
	time.Sleep(sim.plan.between(simLease, 5*simLease))
}

// stopAt has the next instance that makes such a call stand still just before it
// lands.
func (sim *simulation) stopAt(such func(memplace.Call) bool, count *atomic.Int64) {
	var stopped atomic.Bool
	decide := func(call memplace.Call) memplace.Outcome {
		if such(call) && stopped.CompareAndSwap(false, true) {
			if n := sim.find(call.Instance); n != nil && sim.stop(n) {
				count.Add(1)
			}
		}
		return memplace.Proceed
	}
	sim.world.Home.SetDecide(decide)
	sim.world.Away.SetDecide(decide)
}

// stop has an instance stand still for four leases or more.
func (sim *simulation) stop(n *simNode) bool {
	if n.killed.Load() || !n.paused.CompareAndSwap(false, true) {
		return false
	}
	n.instance.Pause()
	sim.note("%s stands still", n.name)
	sim.counts.pauses.Add(1)
	time.AfterFunc(sim.draws.between(4*simLease, 8*simLease), func() {
		sim.note("%s goes on", n.name)
		n.paused.Store(false)
		n.instance.Resume()
	})
	return true
}

// kill ends an instance and starts another one.
func (sim *simulation) kill(ctx context.Context) {
	n := sim.any()
	sim.note("%s is killed", n.name)
	n.killed.Store(true)
	n.instance.Kill()
	sim.counts.kills.Add(1)
	sim.add(ctx)
	sim.mu.Lock()
	sim.nodes = slices.DeleteFunc(sim.nodes, func(other *simNode) bool { return other == n })
	sim.mu.Unlock()
	_ = n.Close()
}

// doubt has one write in eight be a ghost, and one in eight lose its answer.
func (sim *simulation) doubt(call memplace.Call) memplace.Outcome {
	if call.Write {
		switch sim.draws.below(8) {
		case 0:
			return memplace.Haunt
		case 1:
			return memplace.Lose
		}
	}
	return memplace.Proceed
}

// haunt has ghosts land, or vanish, at moments of its own.
func (sim *simulation) haunt() {
	for sim.running() {
		sim.pause(sim.draws.between(0, 2*simLease))
		for _, site := range []*memplace.Site{sim.world.Home, sim.world.Away} {
			sim.land(site, 4)
			site.Drop(func(memplace.Ghost) bool { return sim.draws.below(20) == 0 })
		}
	}
}

// land has one ghost of so many land.
func (sim *simulation) land(site *memplace.Site, of int) {
	sim.counts.landed.Add(int64(site.Land(func(memplace.Ghost) bool { return sim.draws.below(of) == 0 })))
}

func (sim *simulation) any() *simNode {
	sim.mu.Lock()
	defer sim.mu.Unlock()
	return sim.nodes[sim.draws.below(len(sim.nodes))]
}

func (sim *simulation) find(instance string) *simNode {
	sim.mu.Lock()
	defer sim.mu.Unlock()
	for _, n := range sim.nodes {
		if n.cfg.Instance == instance {
			return n
		}
	}
	return nil
}
