package fleet

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"time"
)

// replaceAfter is what a group takes to notice that an instance is gone.
const replaceAfter = 1500 * time.Millisecond

// shortage is the time that the group has been without an instance, and how
// often in a row what it launched did not get ready.
type shortage struct {
	since time.Time
	fails int
}

// due says whether to launch now: after replaceAfter, and later and later where
// launching does not help.
func (s *shortage) due(now time.Time) bool {
	if s.since.IsZero() {
		s.since = now
	}
	return now.Sub(s.since) >= min(replaceAfter<<min(s.fails, 5), 30*time.Second)
}

// keep does what plan says until the group ends.
func (g *Group) keep() {
	defer g.work.Done()
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-g.ctx.Done():
			return
		case now := <-ticker.C:
			g.tend(now)
		}
	}
}

// tend looks once at what runs and takes at most one step.
func (g *Group) tend(now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.bury()
	g.endLease(now)
	if g.lease != nil {
		g.short = shortage{}
		return
	}
	next := plan(g.view())
	if next.launch {
		if (next.missing || g.short.fails > 0) && !g.short.due(now) {
			return
		}
		g.short.since = time.Time{}
		if _, err := g.launch(*g.state.Release); err != nil {
			g.short.fails++
			g.logf("launch an instance: %v", err)
		}
		return
	}
	g.short.since = time.Time{}
	if next.retire != "" {
		g.logf("%s leaves: it is not of the release, or one too many", next.retire)
		g.retire(g.find(next.retire), false)
	}
}

// remembered is how many dead instances can still be asked about.
const remembered = 16

// bury forgets the dead. The caller holds g.mu.
func (g *Group) bury() {
	dead := func(m *machine) bool { return !m.alive() }
	for _, m := range g.machines {
		switch {
		case dead(m):
			g.ended = append(g.ended[max(0, len(g.ended)-remembered+1):], m)
			if !m.wasReady && !m.draining {
				g.short.fails++
			}
		case !m.wasReady && g.balancer.isReady(m.id):
			m.wasReady = true
			g.short.fails = 0
		}
	}
	g.machines = slices.DeleteFunc(g.machines, dead)
	g.tell()
}

// tell gives the balancer the instances that may get connections. The caller
// holds g.mu.
func (g *Group) tell() {
	var list []backend
	for _, m := range g.machines {
		if at, listens := m.address(); listens && !m.draining && m.alive() {
			list = append(list, at)
		}
	}
	g.balancer.set(list)
}

// view is what plan decides on. The caller holds g.mu.
func (g *Group) view() view {
	v := view{size: g.state.Size}
	if g.state.Release == nil {
		v.size = 0 // what a first roll-out left, that was killed, has to go
	}
	for _, m := range g.machines {
		switch {
		case !m.alive():
		case m.draining:
			v.draining++
		default:
			v.have = append(v.have, seen{id: m.id, right: g.state.Release != nil && m.release == *g.state.Release, ready: g.balancer.isReady(m.id)})
		}
	}
	return v
}

// find returns the machine of that name, dead or alive, or nil. The caller
// holds g.mu.
func (g *Group) find(id string) *machine {
	for _, m := range slices.Concat(g.machines, g.ended) {
		if m.id == id {
			return m
		}
	}
	return nil
}

var errStopped = errors.New("the group is being stopped")

// launch starts an instance and returns at once; the balancer has it once it
// listens. The caller holds g.mu.
func (g *Group) launch(r Release) (*machine, error) {
	if g.ctx.Err() != nil {
		return nil, errStopped
	}
	command, err := g.command(r)
	if err != nil {
		return nil, err
	}
	if err := g.changeLocked(func(s *state) { s.Counter++ }); err != nil {
		return nil, err
	}
	id := fmt.Sprintf("%s-%d", g.o.ID, g.state.Counter)
	command.Args = append(command.Args, g.o.Args(id, r.Version)...)
	command.Env = environment(g.o.Env)
	m, err := launch(command, id, r, g.o.BootWithin, g.guard, g.o.Log)
	if err != nil {
		return nil, err
	}
	g.machines = append(g.machines, m)
	g.work.Go(func() {
		if m.awaitListening(g.ctx) == nil {
			g.mu.Lock()
			defer g.mu.Unlock()
			g.tell()
		}
	})
	return m, nil
}

// command is what an instance of a release is started by.
func (g *Group) command(r Release) (*exec.Cmd, error) {
	if r.Package == BuiltIn && g.o.App != "" {
		return exec.Command(g.o.App), nil
	}
	return g.packages.command(r.Package)
}

// retire takes an instance out of the balancer and then lets it drain, or with
// now kills it. It returns at once. The caller holds g.mu.
func (g *Group) retire(m *machine, now bool) {
	if g.ctx.Err() != nil {
		return // Stop ends it
	}
	began := m.draining
	m.draining = true
	g.tell()
	switch {
	case now:
		g.work.Go(m.kill)
	case !began:
		g.work.Go(func() {
			if err := m.retire(g.ctx, g.o.DrainWithin); err != nil && g.ctx.Err() == nil {
				g.logf("%v", err)
			}
		})
	}
}

// Refill launches what is missing at once, waits until it listens, and says
// whether anything was missing. While a roll-out is under way nothing is.
func (g *Group) Refill(ctx context.Context) (acted bool, err error) {
	for {
		g.mu.Lock()
		g.bury()
		var fresh *machine
		if g.lease == nil && g.state.Release != nil && len(g.view().have) < g.state.Size {
			fresh, err = g.launch(*g.state.Release)
		}
		g.mu.Unlock()
		if err != nil || fresh == nil {
			return acted, err
		}
		acted = true
		if err := fresh.awaitListening(ctx); err != nil {
			return acted, err
		}
	}
}
