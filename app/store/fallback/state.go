package fallback

import (
	"slices"
	"time"
)

// State is what the platform says of its fall-back.
type State struct {
	Mode  Mode     // of the control record as last read; empty before the first reading
	Epoch uint64   // of that record; 0 before
	Areas []uint64 // not yet empty

	Serving  bool          // this instance acts under that epoch
	LeaseAge time.Duration // since the record was last asked for and found; negative: never
	Held     int           // requests that wait for the end of the wait

	Backlog     int       // objects and tombstones away from home, as last counted
	BacklogMore bool      // the count stopped at its bound
	OldestAway  time.Time // when the oldest of them was written; zero: none

	Reason string // why this instance does not serve, in one sentence; empty where it does
}

// State returns how things stand here. It asks nobody and never waits.
func (s *Store) State() State {
	now := s.clock.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	state := State{
		Mode: s.lease.known.Mode, Epoch: s.lease.known.Epoch, Areas: slices.Clone(s.lease.known.Areas),
		Serving: s.lease.serving(now) != nil && !s.closed, LeaseAge: -1, Held: s.held,
		Backlog: s.backlog.objects, BacklogMore: s.backlog.more, OldestAway: s.backlog.oldest,
	}
	if s.lease.known.Epoch > 0 {
		state.LeaseAge = now - s.lease.renewed
	}
	if !state.Serving {
		state.Reason = s.why(now)
	}
	return state
}

// why says why this instance does not serve. The caller holds mu.
func (s *Store) why(now time.Duration) string {
	switch l := &s.lease; {
	case s.closed:
		return "The store is closed."
	case l.known.Epoch == 0 && s.trouble != "":
		return "The control record could not be read or made: " + s.trouble + "."
	case l.known.Epoch == 0:
		return "The control record was not read yet."
	case now >= l.expiry && s.trouble != "":
		return "The control record could not be read or followed: " + s.trouble + "."
	case now >= l.expiry:
		return "The control record could not be read for the time of a lease."
	case now < l.waitUntil:
		return "The mode may have changed less than the time of a lease ago."
	case l.reported < l.known.Epoch:
		return "This instance could not yet say that it follows the mode."
	}
	return "This instance is about to serve."
}
