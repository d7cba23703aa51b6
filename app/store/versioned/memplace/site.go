package memplace

import (
	"fmt"
	"sync"
	"time"

	"bogops/app/store"
)

// Site is one of the two stores: what it holds and how it fails. Its methods
// may be called concurrently.
type Site struct {
	name string

	mu      sync.Mutex
	areas   map[uint64]*area // by epoch; the pool has one, 0
	records map[string][]byte
	blocked map[string]bool // addresses
	staged  uint64          // the last body that was taken in
	ghosts  []Ghost
	faults  faults
}

type faults struct {
	down      bool
	hung      chan struct{} // closed by Release; nil while calls are answered
	timeout   time.Duration
	decide    func(Call) Outcome
	delay     func() time.Duration
	unguarded bool
}

// area is what a place holds. A body lies beside its head, as it does where it
// is too big for one write.
type area struct {
	heads  map[string]kept
	bodies map[uint64][]byte // never changed, so a reader keeps its bytes
}

func newSite(name string) *Site {
	return &Site{name: name, areas: map[uint64]*area{}, records: map[string][]byte{}, blocked: map[string]bool{}}
}

// area returns the area of an epoch. The caller holds mu.
func (s *Site) area(epoch uint64) *area {
	if s.areas[epoch] == nil {
		s.areas[epoch] = &area{heads: map[string]kept{}, bodies: map[uint64][]byte{}}
	}
	return s.areas[epoch]
}

// Call is one call of an instance to a store, as it is shown to a test.
type Call struct {
	Site     string // home or away
	Instance string
	Op       string // head, open, stage, commit, bury, remove; read-record, write-record …
	Key      string // or the record's name
	Epoch    uint64 // of the area; 0 at home
	Write    bool   // it changes a head or a record
}

// Outcome is what becomes of a call.
type Outcome int

// The outcomes. Those of a write are Proceed for a call that is none.
const (
	Proceed Outcome = iota
	Refuse          // nothing happens, ErrUnavailable
	Lose            // a write lands, its answer does not: it is settled by reading back
	Haunt           // a write is ErrUnknown, and becomes a Ghost
)

// SetDown has every call refused, or no longer.
func (s *Site) SetDown(down bool) { s.set(func(f *faults) { f.down = down }) }

// Hang has calls wait for Release, for the end of their context or for the
// time-out. A write that gives up waiting becomes a Ghost.
func (s *Site) Hang() {
	s.set(func(f *faults) {
		if f.hung == nil {
			f.hung = make(chan struct{})
		}
	})
}

// Release ends Hang. Ghosts stay until they are told to land.
func (s *Site) Release() {
	s.set(func(f *faults) {
		if f.hung != nil {
			close(f.hung)
			f.hung = nil
		}
	})
}

// SetTimeout is how long a call waits at most while the store hangs; 0, as at
// first, is for ever.
func (s *Site) SetTimeout(d time.Duration) { s.set(func(f *faults) { f.timeout = d }) }

// SetDelay has every call sleep for what delay returns, on its way in and on
// its way out; nil is no delay.
func (s *Site) SetDelay(delay func() time.Duration) { s.set(func(f *faults) { f.delay = delay }) }

// SetDecide has decide say what becomes of every call that the switches above
// let through; nil lets all of them proceed. It may be called concurrently.
func (s *Site) SetDecide(decide func(Call) Outcome) { s.set(func(f *faults) { f.decide = decide }) }

// SetUnguarded breaks the places of the store, not its records: writes land over
// whatever is there. It is for those who test that this is found.
func (s *Site) SetUnguarded(unguarded bool) { s.set(func(f *faults) { f.unguarded = unguarded }) }

func (s *Site) set(change func(*faults)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.faults)
}

func (s *Site) now() faults {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.faults
}

// Ghost is a write whose caller gave up on it, and that may still land.
type Ghost struct {
	Call
	address string
	land    func() bool // under mu; whether its guard held
}

// Ghosts is how many writes are still under way without a caller.
func (s *Site) Ghosts() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.ghosts)
}

// Land has those ghosts that choose picks reach the store now, in the order
// they were sent. It returns how many took effect: the others were guarded by
// what is no longer there, or came from a blocklisted address.
func (s *Site) Land(choose func(Ghost) bool) (landed int) {
	s.part(choose, func(g Ghost) {
		if !s.blocked[g.address] && g.land() {
			landed++
		}
	})
	return landed
}

// Drop has those ghosts that choose picks never reach the store.
func (s *Site) Drop(choose func(Ghost) bool) { s.part(choose, func(Ghost) {}) }

func (s *Site) part(choose func(Ghost) bool, end func(Ghost)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var left []Ghost
	for _, g := range s.ghosts {
		if choose(g) {
			end(g)
		} else {
			left = append(left, g)
		}
	}
	s.ghosts = left
}

// All picks every ghost.
func All(Ghost) bool { return true }

func (s *Site) errDown(why string) error {
	return fmt.Errorf("%w: %s %s", store.ErrUnavailable, s.name, why)
}
