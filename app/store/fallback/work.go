package fallback

import (
	"context"
	"errors"
	"time"

	"bogops/app/store"
	"bogops/app/store/versioned"
)

// worker is what the worker remembers.
type worker struct {
	seat     seat
	lastTidy time.Duration
	batch    batch
	silent   map[string]sighting // instances that a round waits for
}

// work does what one instance does for all, where it is the reconciler, and
// counts what is away from home, until the store is closed.
func (s *Store) work() {
	for s.ctx.Err() == nil {
		if err := s.workOnce(s.ctx); err != nil && s.ctx.Err() == nil {
			s.log.Info("fall-back: work was left for later", "error", err)
		}
		s.sleep(s.renew, s.wakeWorker)
	}
}

func (s *Store) workOnce(ctx context.Context) error {
	now := s.clock.Now()
	s.mu.Lock()
	known, t := s.lease.known, s.lease.serving(now)
	if s.broken.listAtOnce && t == nil && known.Mode == Reconciling {
		at := context.WithoutCancel(ctx)
		t = &term{known.Epoch, known.Mode, known.Areas, known.Lineage, at, func(error) {}}
	}
	if t == nil || s.closed {
		s.mu.Unlock()
		return nil
	}
	op := s.start(ctx, t)
	s.mu.Unlock()
	defer op.end()
	var err error
	switch tidy := now-s.worker.lastTidy >= s.cfg.Lease; {
	case t.mode == Reconciling && s.sit(op.ctx):
		err = op.reconcile()
	case t.mode == Primary && tidy && s.sit(op.ctx):
		s.worker.lastTidy = now
		err = errors.Join(op.collect(), op.sweep())
	}
	return errors.Join(err, s.survey(ctx, now))
}

// seat is the lease of the reconciler: a record whose holder keeps changing it.
// It only saves work, for two reconcilers at once do no harm: every step of
// theirs is guarded.
type seat struct {
	tag string
	at  time.Duration // when tag was first seen
}

type holder struct {
	Name  string `json:"name"`
	Nonce string `json:"nonce"`
}

// sit takes the seat or keeps it. It is taken from a holder who has not changed
// the record for two leases.
func (s *Store) sit(ctx context.Context) bool {
	var h holder
	tag, err := s.readJSON(ctx, reconcilerName, &h)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return false
	}
	now, seat := s.clock.Now(), &s.worker.seat
	if tag != seat.tag {
		seat.tag, seat.at = tag, now
	}
	if tag != "" && h.Name != s.name && now-seat.at <= 2*s.cfg.Lease {
		return false
	}
	tag, err = s.writeJSON(ctx, reconcilerName, holder{s.name, nonce()}, tag)
	if err == nil {
		seat.tag, seat.at = tag, now
	}
	return err == nil
}

// backlog is what was last counted away from home. Store.mu guards it.
type backlog struct {
	objects int
	more    bool
	oldest  time.Time
	next    time.Duration // when the next count is due
}

// mostCounted bounds a count of what is away from home.
const mostCounted = 10_000

// countRest is how many times as long as a count took there is none: it asks for
// every head, and S3 has its clients to serve.
const countRest = 20

// survey counts what the listed areas hold, now and then.
func (s *Store) survey(ctx context.Context, now time.Duration) error {
	s.mu.Lock()
	areas := s.lease.known.Areas
	due := len(areas) == 0 || now >= s.backlog.next
	s.mu.Unlock()
	if !due {
		return nil
	}
	begun, found := s.clock.Now(), backlog{}
	for _, area := range areas {
		for cursor, first := "", true; (first || cursor != "") && !found.more; first = false {
			heads, next, err := s.away.Heads(ctx, area, cursor, 256)
			if err != nil {
				return err
			}
			found.count(heads)
			cursor, found.more = next, found.objects >= mostCounted
		}
	}
	now = s.clock.Now()
	found.next = now + max(s.cfg.Lease/2, countRest*(now-begun))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.backlog = found
	return nil
}

func (b *backlog) count(heads []versioned.Head) {
	b.objects += len(heads)
	for _, head := range heads {
		if at := head.Info.Modified; b.oldest.IsZero() || at.Before(b.oldest) {
			b.oldest = at
		}
	}
}
