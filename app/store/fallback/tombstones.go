package fallback

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"bogops/app/store"
	"bogops/app/store/versioned"
)

// A tombstone keeps late writes from landing: one that was sent when the key
// held nothing would land again where it holds nothing again. So tombstones go in
// rounds. The collector finds a batch of them, and then raises the round. Each
// instance that sees the new round goes on with its work, and says so when
// nothing of its own that began before is under way; of keys that may still be
// written to by something whose outcome is unknown it gives the marks. When all
// have spoken the batch is removed, but for those keys. A late write that began
// after the round knew of the tombstone and fails without it, or it did not look
// and is simply later than the delete.

// forgetAfter is for how long a health record stays unchanged before its
// instance is shut out of the cluster, so that nobody waits for it any longer.
const forgetAfter = 10 * time.Minute

// mostCollected is how many tombstones a batch holds.
const mostCollected = 1000

// batch is what the collector waits to remove.
type batch struct {
	epoch uint64 // primary, in which it was found
	round uint64
	heads []versioned.Head
	next  string // cursor of the next batch
}

type round struct {
	Number uint64 `json:"number"`
	Nonce  string `json:"nonce"`
}

// collect goes one step: to find a batch, or to remove one that is due. It is
// called in primary only, where no area is listed, and by one who has waited
// since that mode began.
func (op *operation) collect() error {
	b := &op.s.worker.batch
	if b.epoch != op.term.epoch || len(b.heads) == 0 {
		return op.gather(b)
	}
	unknown, all, err := op.s.everybodyCleared(op.ctx, b.round)
	if err != nil || !all {
		return err
	}
	// What an older write left in an area that is off the list must not outlive
	// the tombstone: were the record lost, the area would be listed again.
	if err := op.sweep(); err != nil {
		return err
	}
	heads := b.heads
	b.heads = nil
	for _, head := range heads {
		if err := op.second(); err != nil {
			return err
		}
		if slices.Contains(unknown, mark(head.Info.Key)) || head.Version.Epoch > op.term.epoch {
			continue
		}
		if err := op.s.home.Remove(op.ctx, head.Info.Key, head); err != nil && !errors.Is(err, versioned.ErrMoved) {
			return fmt.Errorf("removing a tombstone: %w", err)
		}
	}
	return nil
}

// gather finds the next batch and begins its round.
func (op *operation) gather(b *batch) error {
	heads, next, err := op.s.home.Tombstones(op.ctx, b.next, mostCollected)
	if err != nil {
		return err
	}
	*b = batch{epoch: op.term.epoch, next: next}
	if len(heads) == 0 {
		return nil
	}
	r, tag, err := op.s.readRound(op.ctx)
	if err != nil {
		return err
	}
	r = round{r.Number + 1, nonce()}
	if _, err := op.s.writeJSON(op.ctx, roundName, r, tag); err != nil {
		return err
	}
	b.heads, b.round = heads, r.Number
	return nil
}

func (s *Store) readRound(ctx context.Context) (r round, tag string, err error) {
	tag, err = s.readJSON(ctx, roundName, &r)
	if errors.Is(err, store.ErrNotFound) {
		err = nil
	}
	return r, tag, err
}

// seeRound looks whether a new round has begun.
func (s *Store) seeRound(ctx context.Context) {
	r, _, err := s.readRound(ctx)
	if err != nil {
		return // the next look will do
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flights.see(r.Number)
}

// everybodyCleared reads every health record and says whether nothing that began
// before the round is under way anywhere, and which keys may still be written to
// by something of unknown outcome. An instance that has been silent for long is
// shut out of the cluster first, and then no longer asked.
func (s *Store) everybodyCleared(ctx context.Context, number uint64) (unknown []string, all bool, err error) {
	names, err := s.away.Names(ctx, instances)
	if err != nil {
		return nil, false, err
	}
	all = true
	for _, name := range names {
		var h health
		tag, err := s.readJSON(ctx, name, &h)
		if errors.Is(err, store.ErrNotFound) {
			continue // it has ended, with nothing under way
		}
		if err != nil {
			return nil, false, err
		}
		unknown = append(unknown, h.Unknown...)
		if h.Cleared < number {
			all = false
			s.forget(ctx, name, h, tag)
		}
	}
	return unknown, all, nil
}

// forget shuts an instance out that has not changed its record for long.
func (s *Store) forget(ctx context.Context, name string, h health, tag string) {
	last := s.worker.silent[name]
	if last.tag != tag {
		s.worker.silent[name] = sighting{h, tag, s.clock.Now()}
		return
	}
	if last.live(s.clock.Now(), max(forgetAfter, 10*s.cfg.Lease)) || h.Address == "" {
		return
	}
	if err := s.home.Blocklist(ctx, h.Address); err != nil {
		s.log.Warn("fall-back: a silent instance could not be shut out", "instance", h.Name, "error", err)
		return
	}
	s.log.Warn("fall-back: shut a silent instance out of the cluster", "instance", h.Name, "address", h.Address)
	if err := s.away.Remove(ctx, name); err == nil {
		delete(s.worker.silent, name)
	}
}
