package fallback

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"bogops/app/store"
)

// lease is what an instance knows of the control record, and until when it may
// act by it. Store.mu guards it.
//
// Whoever reads the record may act by it for L, counted from before the read.
// Whoever learns of another epoch, has just started, or comes back after its
// lease was out, waits L from then before it serves: by that time every lease on
// an older epoch is out.
type lease struct {
	known     record
	tag       string
	knownAt   time.Duration // when known was learned
	renewed   time.Duration // before the last reading that found known
	expiry    time.Duration // from when on nothing is served
	waitUntil time.Duration // before that nothing is served
	reported  uint64        // the last epoch that the health record of this instance names
	term      *term         // served now; nil: none
}

// term is an epoch that this instance serves. Its context ends when it stops
// being served. The areas only ever become fewer.
type term struct {
	epoch   uint64
	mode    Mode
	areas   []uint64
	lineage string

	ctx context.Context
	end context.CancelCauseFunc
}

var errTermEnded = fmt.Errorf("%w: the mode has moved", store.ErrUnavailable)

// serving is the term that is served at now; nil: none.
func (l *lease) serving(now time.Duration) *term {
	if now >= l.expiry {
		return nil
	}
	return l.term
}

// errWentBack is a record of an older epoch than was known before the reading.
var errWentBack = errors.New("the control record went back to an older epoch")

// adopt takes in a reading of the record that began at before. Where the
// epoch is another one it is the model's learn.
func (s *Store) adopt(r record, tag string, before time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, l := s.clock.Now(), &s.lease
	if l.known.Epoch > 0 && before < l.knownAt && !r.same(l.known) {
		return nil // a reading that was overtaken
	}
	if r.Lease != s.cfg.Lease.Milliseconds() {
		// Whoever wrote it waits for another time than the lease held here may
		// last, so that ends now.
		s.stop()
		l.expiry = 0
		return fmt.Errorf("the platform's lease is %d ms, and this instance's %d ms; want the same everywhere, or waits are too short", r.Lease, s.cfg.Lease.Milliseconds())
	}
	if r.Epoch < l.known.Epoch {
		return fmt.Errorf("%w: from %d to %d", errWentBack, l.known.Epoch, r.Epoch)
	}
	if !r.same(l.known) || now >= l.expiry {
		s.learn(r, now)
	}
	if before >= l.renewed || l.tag == "" {
		l.tag, l.known.Areas = tag, slices.Clone(r.Areas)
	}
	l.renewed = max(l.renewed, before)
	l.expiry = max(l.expiry, before+s.cfg.Lease)
	if l.term != nil && len(l.term.areas) != len(l.known.Areas) {
		shorter := *l.term
		shorter.areas = l.known.Areas
		l.term = &shorter
	}
	s.serve(now)
	return nil
}

// learn stops acting at once and begins the wait. The caller holds mu.
func (s *Store) learn(r record, now time.Duration) {
	l := &s.lease
	s.stop()
	if !r.same(l.known) {
		s.log.Info("fall-back: learned", "mode", r.Mode, "epoch", r.Epoch, "areas", r.Areas, "by", r.By)
	}
	l.known, l.knownAt, l.tag = r, now, ""
	l.renewed, l.expiry = 0, 0
	l.waitUntil = now + s.cfg.Lease
	if s.broken.noWait {
		l.waitUntil = now
	}
	s.kick(s.wakeReporter)
}

// stop ends the term. The caller holds mu.
func (s *Store) stop() {
	if s.lease.term != nil {
		s.lease.term.end(errTermEnded)
		s.lease.term = nil
		s.announce()
	}
}

// serve begins the term once the wait is over. The caller holds mu.
func (s *Store) serve(now time.Duration) {
	l := &s.lease
	if s.closed || l.term != nil || now < l.waitUntil || now >= l.expiry || l.reported < l.known.Epoch {
		return
	}
	ctx, end := context.WithCancelCause(s.ctx)
	l.term = &term{l.known.Epoch, l.known.Mode, l.known.Areas, l.known.Lineage, ctx, end}
	s.log.Info("fall-back: serving", "mode", l.known.Mode, "epoch", l.known.Epoch)
	s.announce()
	s.kick(s.wakeWorker)
}

// announce wakes those who wait for a change. The caller holds mu.
func (s *Store) announce() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// keep renews the lease until the store is closed.
func (s *Store) keep() {
	for s.ctx.Err() == nil {
		s.beat(s.ctx)
		s.sleep(s.untilBeat(), s.wakeKeeper)
	}
}

// beat reads the record once, and makes a new one where it was lost.
func (s *Store) beat(ctx context.Context) {
	before := s.clock.Now()
	r, tag, err := s.readRecord(ctx)
	if err == nil {
		err = s.adopt(r, tag, before)
	}
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, errWentBack) {
		err = s.restore(ctx, tag)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.trouble = ""; err != nil {
		s.trouble = err.Error()
	}
}

// untilBeat is how long the keeper sleeps: to the next renewal, or to the end of
// the wait where that comes first.
func (s *Store) untilBeat() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	pause := s.renew
	if left := s.lease.waitUntil - s.clock.Now(); left > 0 && s.lease.known.Epoch > 0 {
		pause = min(pause, left)
	}
	return pause
}
