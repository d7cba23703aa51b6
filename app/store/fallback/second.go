package fallback

import (
	"context"
	"fmt"

	"bogops/app/store"
)

// second is the second check of the epoch, after the last call to a store and
// before anything is told. It is model's second: of what was read, and of a
// write in Ceph, it asks whether the term is still served here.
func (op *operation) second() error {
	if op.s.broken.noSecond {
		return nil
	}
	op.s.mu.Lock()
	defer op.s.mu.Unlock()
	now := op.s.clock.Now()
	if t := op.s.lease.serving(now); t == nil || t.epoch != op.term.epoch || t.lineage != op.term.lineage {
		return fmt.Errorf("%w: the mode has moved from %s of epoch %d meanwhile", store.ErrUnavailable, op.term.mode, op.term.epoch)
	}
	return nil
}

// secondWrite is the second check of a write that has completed. In fall-back it
// is a reading of the control record that begins now (model's secondS3): only so
// is it sure that the reconciler will find the write.
func (op *operation) secondWrite(ctx context.Context) error {
	check := op.second
	if op.term.mode == Fallback && !op.s.broken.noSecond {
		check = func() error { return op.secondS3(ctx) }
	}
	if err := check(); err != nil {
		return fmt.Errorf("%w: written, but not confirmed: %v", store.ErrUnknown, err)
	}
	return nil
}

func (op *operation) secondS3(ctx context.Context) error {
	r, err := op.s.fresh(ctx)
	if err == nil && (r.Epoch != op.term.epoch || r.Lineage != op.term.lineage) {
		err = fmt.Errorf("the control record is of epoch %d, the write of %d", r.Epoch, op.term.epoch)
	}
	return err
}

// reading is one reading of the control record that several wait for.
type reading struct {
	done   chan struct{}
	record record
	err    error
}

// fresh returns the control record by a reading that begins after the call.
// Those who ask while one is under way share the next.
func (s *Store) fresh(ctx context.Context) (record, error) {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return record{}, errClosed()
	}
	next := s.next
	if next == nil {
		next = &reading{done: make(chan struct{})}
		s.next = next
		s.wg.Go(func() { s.readFresh(next) })
	}
	s.mu.Unlock()
	select {
	case <-next.done:
		return next.record, next.err
	case <-ctx.Done():
		return record{}, ctx.Err()
	}
}

// readFresh reads for all who wait for next, once no other reading is under way.
// From its beginning on nobody joins any more.
func (s *Store) readFresh(next *reading) {
	s.oneFresh <- struct{}{}
	defer func() { <-s.oneFresh }()
	s.mu.Lock()
	s.next = nil
	s.mu.Unlock()
	defer close(next.done)
	before := s.clock.Now()
	r, tag, err := s.readRecord(s.ctx)
	if err == nil {
		err = s.adopt(r, tag, before)
	}
	next.record, next.err = r, err
}
