package fallback

import (
	"context"
	"errors"

	"bogops/app/store"
	"bogops/app/store/versioned"
)

// operation is one call of a client, under the term that it began in.
type operation struct {
	s      *Store
	term   *term
	ctx    context.Context // ends with the caller's, and with the term
	round  uint64          // that it began in
	unhook func() bool
	cancel context.CancelCauseFunc
}

// start begins an operation. The caller holds mu.
func (s *Store) start(ctx context.Context, t *term) *operation {
	ctx, cancel := context.WithCancelCause(ctx)
	unhook := context.AfterFunc(t.ctx, func() { cancel(errTermEnded) })
	return &operation{s, t, ctx, s.flights.begin(), unhook, cancel}
}

// end ends an operation that needs its context no longer.
func (op *operation) end() {
	op.detach()
	op.cancel(context.Canceled)
}

// detach ends an operation whose context goes on: a reader that has begun lives
// by it, whatever becomes of the mode.
func (op *operation) detach() {
	op.unhook()
	op.s.mu.Lock()
	defer op.s.mu.Unlock()
	op.s.flights.end(op.round)
}

// area is where the objects of one fall-back epoch lie.
func (op *operation) area(epoch uint64) versioned.Place {
	if op.s.broken.unguardedS3 {
		return unguarded{op.s.away.Area(epoch)}
	}
	return op.s.away.Area(epoch)
}

// place is where this term writes.
func (op *operation) place() versioned.Place {
	if op.term.mode == Fallback {
		return op.area(op.term.epoch)
	}
	return op.s.home
}

// told is err as the client is told it: that the term has ended is the store's
// trouble, not the caller's wish.
func (op *operation) told(err error) error {
	settled := errors.Is(err, store.ErrUnknown) || errors.Is(err, store.ErrUnavailable)
	if !settled && errors.Is(err, context.Canceled) && errors.Is(context.Cause(op.ctx), errTermEnded) {
		return errTermEnded
	}
	return err
}
