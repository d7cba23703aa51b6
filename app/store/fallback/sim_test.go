package fallback

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"bogops/app/store/linear"
	"bogops/app/store/versioned/memplace"
)

// A simulation is a platform of several instances over one world in virtual
// time: clients do random operations while faults come and go, all drawn from
// one seed. What the clients were told is checked per key. The seed plays the
// same plan again, and nearly the same schedule: goroutines that wake at one
// moment run in an order of the scheduler's.
type simulation struct {
	world   *memplace.World
	variant variant
	plan    draws // what the faults are drawn from, by one goroutine
	draws   draws // what everything else is
	tick    atomic.Int64
	phase   atomic.Int64
	began   time.Time
	done    chan struct{}
	counts  counts

	mu    sync.Mutex
	nodes []*simNode
	born  int
	ops   []linear.Op
	trace []string
	wrong error // the first thing that cannot be
}

const (
	simLease   = 10 * time.Second
	simClients = 16
	simPhases  = 8 // faults of a run, each with keys of its own
	simKeys    = 4 // of a phase
)

// variant is what is wrong with a platform; the zero variant is right.
type variant struct {
	rules         broken
	unguardedAway bool // S3 ignores all guards
	unguardedHome bool // Ceph ignores all guards
	often         int  // the fault that shows it best: every other one is that
}

// simNode is one process of the platform.
type simNode struct {
	*Store
	instance *memplace.Instance
	paused   atomic.Bool
	killed   atomic.Bool
}

// draws is a source of chance that many may use.
type draws struct {
	mu   sync.Mutex
	from *rand.Rand
}

func (d *draws) below(n int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.from.IntN(n)
}

func (d *draws) between(least, most time.Duration) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return least + time.Duration(d.from.Int64N(int64(most-least)))
}

// bubbleClock is virtual time, with a time of day that may be off.
type bubbleClock struct {
	began time.Time
	off   time.Duration
}

func (c bubbleClock) Now() time.Duration { return time.Since(c.began) }

func (c bubbleClock) Wall() time.Time { return time.Now().Add(c.off).UTC() }

func (c bubbleClock) Timer(d time.Duration) (<-chan time.Time, func()) {
	timer := time.NewTimer(d)
	return timer.C, func() { timer.Stop() }
}

// simulate runs one simulation and returns what was wrong with it.
func simulate(t *testing.T, seed uint64, v variant, total *counts) (wrong error) {
	var ops []linear.Op
	var trace []string
	synctest.Test(t, func(t *testing.T) {
		sim := &simulation{
			world: memplace.NewWorld(), variant: v, began: time.Now(), done: make(chan struct{}),
			plan:  draws{from: rand.New(rand.NewPCG(seed, 1))},
			draws: draws{from: rand.New(rand.NewPCG(seed, 2))},
		}
		sim.run(t.Context())
		ops, trace, wrong = sim.ops, sim.trace, sim.wrong
		total.add(&sim.counts)
	})
	if wrong = errors.Join(wrong, linear.Check(ops, 2*time.Minute)); wrong != nil {
		return fmt.Errorf("seed %d: %w\n%s", seed, wrong, strings.Join(trace, "\n"))
	}
	return nil
}

func (sim *simulation) run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for _, site := range []*memplace.Site{sim.world.Home, sim.world.Away} {
		site.SetTimeout(4 * time.Second)
		site.SetDelay(sim.delay)
	}
	sim.world.Away.SetUnguarded(sim.variant.unguardedAway)
	sim.world.Home.SetUnguarded(sim.variant.unguardedHome)
	for range 2 + sim.plan.below(2) {
		sim.add(ctx)
	}
	time.Sleep(3 * simLease)
	var all sync.WaitGroup
	for id := range simClients {
		all.Go(func() { sim.client(ctx, id) })
	}
	all.Go(sim.haunt)
	all.Go(func() { sim.watch(ctx) })
	for range simPhases {
		sim.fault(ctx)
		sim.heal()
		sim.phase.Add(1)
	}
	time.Sleep(20 * simLease) // eight of them an instance may still stand still
	close(sim.done)
	all.Wait()
	sim.readBack(ctx)
	for _, n := range sim.nodes {
		_ = n.Close()
	}
}

// readBack reads everything through every instance, has the last ghosts land,
// and reads again.
func (sim *simulation) readBack(ctx context.Context) {
	for _, n := range sim.nodes {
		if s := n.State(); s.Mode != Primary || !s.Serving {
			sim.accuse(fmt.Errorf("%s after everything has healed: mode %s of epoch %d, areas %v, serving %t: %s", n.name, s.Mode, s.Epoch, s.Areas, s.Serving, s.Reason))
		}
	}
	for range 2 {
		for phase := range simPhases {
			for k := range simKeys {
				for _, n := range sim.nodes {
					op := linear.Op{Client: simClients, Kind: linear.Get, Key: simKey(phase, k)}
					if !sim.do(ctx, n, op) {
						sim.accuse(fmt.Errorf("%s: %s could not be read back after everything has healed", n.name, op.Key))
					}
				}
			}
		}
		sim.counts.landed.Add(int64(sim.world.Home.Land(memplace.All) + sim.world.Away.Land(memplace.All)))
	}
}

// accuse notes what cannot be.
func (sim *simulation) accuse(err error) {
	sim.note("%v", err)
	sim.mu.Lock()
	defer sim.mu.Unlock()
	if sim.wrong == nil {
		sim.wrong = err
	}
}

// note keeps what happened for whoever looks into what was wrong.
func (sim *simulation) note(format string, about ...any) {
	sim.mu.Lock()
	defer sim.mu.Unlock()
	sim.trace = append(sim.trace, fmt.Sprintf("%8.3f s, operation %d: ", time.Since(sim.began).Seconds(), sim.tick.Load())+fmt.Sprintf(format, about...))
}

func (sim *simulation) delay() time.Duration {
	if sim.draws.below(200) == 0 {
		return sim.draws.between(0, 2*time.Second)
	}
	return sim.draws.between(0, 20*time.Millisecond)
}

// add starts one more process, with a clock of its own and its time of day off
// by minutes.
func (sim *simulation) add(ctx context.Context) {
	sim.mu.Lock()
	sim.born++
	name := "i" + strconv.Itoa(sim.born)
	sim.mu.Unlock()
	n := &simNode{instance: sim.world.Instance(name)}
	clock := bubbleClock{time.Now().Add(-sim.plan.between(time.Second, time.Hour)), sim.plan.between(-10*time.Minute, 10*time.Minute)}
	s, err := Open(ctx, Config{
		Home: n.instance.Home(), Away: n.instance.Away(), Instance: name, Lease: simLease, Clock: clock, broken: sim.variant.rules,
	})
	if err != nil {
		sim.accuse(err)
		return
	}
	n.Store = s
	sim.mu.Lock()
	sim.nodes = append(sim.nodes, n)
	sim.mu.Unlock()
}

// watch counts the trips.
func (sim *simulation) watch(ctx context.Context) {
	eye := sim.world.Instance("eye").Away()
	var last uint64
	for sim.running() {
		sim.pause(time.Second)
		var r record
		value, _, err := eye.Read(ctx, recordName)
		if err != nil || json.Unmarshal(value, &r) != nil || r.Epoch <= last {
			continue
		}
		sim.note("epoch %d, mode %s, areas %v", r.Epoch, r.Mode, r.Areas)
		if last = r.Epoch; r.Mode == Fallback {
			sim.counts.trips.Add(1)
		}
	}
}

func (sim *simulation) running() bool {
	select {
	case <-sim.done:
		return false
	default:
		return true
	}
}

// pause waits for d, or for the end of the run.
func (sim *simulation) pause(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-sim.done:
	}
}

func simKey(phase, n int) string { return fmt.Sprintf("%d/%d", phase, n) }
