package fallback

import (
	"context"
	"errors"

	"bogops/app/store"
	"bogops/app/store/versioned"
)

// wish is the mode that this instance, asked alone, would move to; empty: none.
func (s *Store) wish() Mode {
	now := s.clock.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	mode := s.lease.known.Mode
	switch {
	case now >= s.lease.expiry:
		return "" // what it knows may be old
	case mode != Fallback && s.pulse.down(now, s.cfg.TripAfter):
		return Fallback
	case mode == Fallback && s.pulse.back(now, s.cfg.BackAfter, s.cfg.TripAfter):
		return Reconciling
	}
	return ""
}

// agreed says whether the live instances as last observed want a mode. Ceph is
// left where at least half of them have lost it, or the only one: an instance
// that has lost it alone is not ready instead. It is returned to where more than
// half of them have it back.
func (s *Store) agreed(wish Mode) bool {
	now := s.clock.Now()
	live, down, back := 0, 0, 0
	for _, seen := range s.reporter.seen {
		if !seen.live(now, s.cfg.Lease) {
			continue
		}
		live++
		if seen.health.Down {
			down++
		}
		if seen.health.Back {
			back++
		}
	}
	if wish == Fallback {
		return live > 0 && 2*down >= live
	}
	return 2*back > live
}

// move moves the mode, unless it has moved already. The mover learns of it as
// everybody does, and waits.
func (s *Store) move(ctx context.Context, m Mode) {
	s.mu.Lock()
	known, tag := s.lease.known, s.lease.tag
	s.mu.Unlock()
	if !known.mayMove(m) {
		return // somebody was faster, and this instance has learned of it since it wished
	}
	next := known.move(m, s.name, s.clock.Wall())
	if err := s.moveTo(ctx, next, tag); err != nil && !errors.Is(err, versioned.ErrMoved) {
		s.log.Warn("fall-back: the mode could not be moved", "to", m, "error", err)
	}
}

// moveTo makes next, of another mode, the control record over the one with tag.
// Wherever Ceph is there its mark is raised first, so that it is never behind.
func (s *Store) moveTo(ctx context.Context, next record, tag string) (err error) {
	if next.Mode != Fallback {
		if next.Epoch, err = s.raiseMark(ctx, next.Epoch); err != nil {
			return err
		}
	}
	return s.replace(ctx, next, tag)
}

// replace makes next the control record over the one with tag.
func (s *Store) replace(ctx context.Context, next record, tag string) error {
	before := s.clock.Now()
	tag, err := s.writeRecord(ctx, next, tag)
	switch {
	case err == nil:
		return s.adopt(next, tag, before)
	case errors.Is(err, versioned.ErrMoved), errors.Is(err, store.ErrUnknown):
		s.kick(s.wakeKeeper) // to read what it is now
	}
	return err
}
