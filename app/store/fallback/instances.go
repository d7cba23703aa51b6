package fallback

import (
	"context"
	"errors"
	"slices"
	"time"

	"bogops/app/store"
)

// health is what an instance says of itself beside the control record: under a
// name of its own, so nobody else writes it.
type health struct {
	Name    string   `json:"name"`
	Address string   `json:"address"` // in the cluster, to shut it out when it is gone; empty: unknown
	Epoch   uint64   `json:"epoch"`   // that it follows
	Lease   int64    `json:"lease"`   // that it lives by, in milliseconds
	Down    bool     `json:"down"`    // Ceph, seen from there, for longer than the limit
	Back    bool     `json:"back"`    // Ceph works from there, for as long as is wanted
	Cleared uint64   `json:"cleared"` // round of tombstones before which nothing began that is under way
	Unknown []string `json:"unknown"` // marks of keys whose writes may still land
	Nonce   string   `json:"nonce"`
}

// sighting is a health record as another instance saw it change.
type sighting struct {
	health health
	tag    string
	at     time.Duration // when it was first seen so, on this instance's clock
}

// live says whether the record has changed within the time that a live instance
// needs. No clock of another machine is looked at.
func (s sighting) live(now, limit time.Duration) bool { return now-s.at <= limit }

// reporter is what the reporter remembers.
type reporter struct {
	tag   string // of the own record
	beats int
	seen  map[string]sighting
}

// observeEvery is how many reports there are to one look at the others, while
// nothing depends on them.
const observeEvery = 5

// report tells the others of this instance, looks at them, and moves the mode
// where they agree, until the store is closed.
func (s *Store) report() {
	for s.ctx.Err() == nil {
		s.reportOnce(s.ctx)
		s.sleep(s.renew, s.wakeReporter)
	}
}

func (s *Store) reportOnce(ctx context.Context) {
	if !s.tell(ctx) {
		return
	}
	s.reporter.beats++
	wish := s.wish()
	if wish == "" && s.reporter.beats%observeEvery != 1 {
		return
	}
	s.seeRound(ctx)
	if err := s.observe(ctx); err != nil {
		s.log.Info("fall-back: the other instances could not be read", "error", err)
		return
	}
	if wish != "" && s.agreed(wish) {
		s.move(ctx, wish)
	}
}

// tell writes the health record.
func (s *Store) tell(ctx context.Context) bool {
	address, err := s.home.Address()
	if err != nil {
		address = ""
	}
	now := s.clock.Now()
	s.mu.Lock()
	h := health{
		Name: s.name, Address: address, Epoch: s.lease.known.Epoch, Lease: s.cfg.Lease.Milliseconds(), Nonce: nonce(),
		Down:    s.pulse.down(now, s.cfg.TripAfter),
		Back:    s.pulse.back(now, s.cfg.BackAfter, s.cfg.TripAfter),
		Cleared: s.flights.cleared(), Unknown: slices.Clone(s.flights.unknown),
	}
	s.mu.Unlock()
	if h.Epoch == 0 {
		return false
	}
	s.reporter.tag, err = s.writeJSON(ctx, instances+s.name, h, s.reporter.tag)
	if err != nil {
		// Its tag may have moved by a write of ours whose answer was lost.
		var old health
		s.reporter.tag, _ = s.readJSON(ctx, instances+s.name, &old)
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lease.reported = max(s.lease.reported, h.Epoch)
	s.serve(s.clock.Now())
	return true
}

// observe looks at every health record.
func (s *Store) observe(ctx context.Context) error {
	callCtx, cancel := context.WithTimeout(ctx, s.callTimeout)
	names, err := s.away.Names(callCtx, instances)
	cancel()
	if err != nil {
		return err
	}
	seen := map[string]sighting{}
	for _, name := range names {
		var h health
		tag, err := s.readJSON(ctx, name, &h)
		switch {
		case errors.Is(err, store.ErrNotFound):
			continue // gone since
		case err != nil:
			return err
		}
		last, known := s.reporter.seen[name]
		if !known || last.tag != tag {
			last = sighting{h, tag, s.clock.Now()}
		}
		seen[name] = last
	}
	s.reporter.seen = seen
	return nil
}

// farewell takes the own health record away, unless something of this process
// may still land.
func (s *Store) farewell() {
	s.mu.Lock()
	clean := len(s.flights.begun) == 0 && len(s.flights.unknown) == 0 && !s.flights.more
	s.mu.Unlock()
	if !clean || s.reporter.tag == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.callTimeout)
	defer cancel()
	if err := s.away.Remove(ctx, instances+s.name); err != nil {
		s.log.Info("fall-back: the health record could not be removed", "error", err)
	}
}
