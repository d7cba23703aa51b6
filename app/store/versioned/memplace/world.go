// Package memplace keeps the two stores of a fall-back in memory: a Ceph pool
// and a bucket that several instances look at, and that fail as their tests
// want. A write is guarded at the moment it lands, which may be long after its
// caller gave up. It is for tests.
package memplace

import (
	"fmt"
	"sync"
	"sync/atomic"

	"bogops/app/store"
	"bogops/app/store/versioned"
)

// World is what outlives every instance: the stores and what they hold.
type World struct {
	Home, Away *Site
}

// NewWorld returns two empty stores without faults.
func NewWorld() *World { return &World{Home: newSite("home"), Away: newSite("away")} }

// Instance returns what one process sees of the world. Each call is another
// process; the name tells them apart in calls, ghosts and blocklists.
func (w *World) Instance(name string) *Instance { return &Instance{world: w, name: name} }

// Instance is one process that looks at a World. Its methods may be called
// concurrently.
type Instance struct {
	world *World
	name  string

	mu     sync.Mutex
	paused chan struct{} // closed by Resume; nil while it runs
	killed bool
}

// Home opens the pool.
func (i *Instance) Home() *Home { return &Home{place{i.view(i.world.Home), 0}} }

// Away opens the bucket.
func (i *Instance) Away() *Away { return &Away{records{i.view(i.world.Away)}} }

func (i *Instance) view(site *Site) view { return view{i, site, new(atomic.Bool)} }

// Pause stops the process at its next step into or out of a store, as SIGSTOP
// would: not even the end of a context moves it on.
func (i *Instance) Pause() {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.paused == nil {
		i.paused = make(chan struct{})
	}
}

// Resume lets a paused process go on.
func (i *Instance) Resume() {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.paused != nil {
		close(i.paused)
		i.paused = nil
	}
}

// Kill ends the process: none of its calls reaches a store any more. What its
// callers are told from now on tells nothing of what the stores hold.
func (i *Instance) Kill() {
	i.mu.Lock()
	i.killed = true
	i.mu.Unlock()
	i.Resume()
}

// gate is passed by every call on its way into a store and out of it.
func (i *Instance) gate() error {
	for {
		i.mu.Lock()
		paused, killed := i.paused, i.killed
		i.mu.Unlock()
		switch {
		case killed:
			return fmt.Errorf("%w: the process was killed", store.ErrUnavailable)
		case paused == nil:
			return nil
		}
		<-paused
	}
}

var (
	_ versioned.Home = (*Home)(nil)
	_ versioned.Away = (*Away)(nil)
	_ store.Locator  = (*Home)(nil)
)
