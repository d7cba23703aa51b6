package fleet

import (
	"context"
	"fmt"
	"time"
)

// Oldest names the instance that has lived longest, if any lives.
func (g *Group) Oldest() (id string, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, m := range g.machines {
		if m.alive() && !m.draining {
			return m.id, true
		}
	}
	return "", false
}

// Kill ends an instance with SIGKILL, as a machine that loses its power, and
// waits until it is gone. Of one that is not there it says so.
func (g *Group) Kill(id string) error {
	g.mu.Lock()
	m := g.find(id)
	g.mu.Unlock()
	if m == nil {
		return fmt.Errorf("fleet %s has no instance %q", g.o.ID, id)
	}
	m.kill()
	return nil
}

// Alive says whether an instance's process runs.
func (g *Group) Alive(id string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	m := g.find(id)
	return m != nil && m.alive()
}

// Whole returns nil when as many instances as are wanted run and are ready.
func (g *Group) Whole() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	ready := 0
	for _, m := range g.machines {
		if m.alive() && g.balancer.isReady(m.id) {
			ready++
		}
	}
	if ready < g.state.Size {
		return fmt.Errorf("%d of %d instances are ready", ready, g.state.Size)
	}
	return nil
}

// AwaitWhole waits until the group is whole, and returns what it lacks when ctx
// ends before.
func (g *Group) AwaitWhole(ctx context.Context) error {
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		err := g.Whole()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-ticker.C:
		}
	}
}
