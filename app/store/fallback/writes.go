package fallback

import (
	"context"
	"errors"
	"fmt"
	"io"

	"bogops/app/store"
	"bogops/app/store/versioned"
)

// Put implements store.Store. In fall-back Info.Replaced says whether the area
// held an object before: what Ceph may hold nobody knows.
func (s *Store) Put(ctx context.Context, key string, body io.Reader, opts store.PutOptions) (store.Info, error) {
	info, err := s.put(ctx, key, body, opts)
	if err != nil {
		return store.Info{}, fmt.Errorf("fallback: put %s: %w", store.Fingerprint(key), err)
	}
	return info, nil
}

func (s *Store) put(ctx context.Context, key string, body io.Reader, opts store.PutOptions) (store.Info, error) {
	op, err := s.begin(ctx)
	if err != nil {
		return store.Info{}, err
	}
	defer op.end()
	w := op.writer(opts.IfAbsent || opts.IfMatch != "")
	w.Blind = opts.Size >= 0 && opts.Size <= blindUpTo
	written, replaced, err := w.Put(op.ctx, key, body, opts)
	if err = op.wrote(ctx, key, replaced, err); err != nil {
		return store.Info{}, err
	}
	info := written.Info
	info.Replaced = replaced.Exists()
	return info, nil
}

// blindUpTo is the size of a body that is written without asking first what the
// key holds. A new object is then one write; an old one costs a write in vain,
// which for a big body is more than the question.
const blindUpTo = 128 << 10

// Delete implements store.Store. It writes a tombstone in every mode.
func (s *Store) Delete(ctx context.Context, key, ifMatch string) error {
	if err := s.delete(ctx, key, ifMatch); err != nil {
		return fmt.Errorf("fallback: delete %s: %w", store.Fingerprint(key), err)
	}
	return nil
}

func (s *Store) delete(ctx context.Context, key, ifMatch string) error {
	op, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer op.end()
	w := op.writer(ifMatch != "")
	if s.broken.deleteRemoves {
		w.Place = removing{w.Place}
	}
	_, replaced, err := w.Delete(op.ctx, key, ifMatch)
	return op.wrote(ctx, key, replaced, err)
}

// writer is what this term writes by. A condition is judged by what the key
// holds anywhere.
func (op *operation) writer(conditional bool) versioned.Writer {
	w := versioned.Writer{Place: op.place(), Epoch: op.term.epoch, Now: op.s.clock.Wall}
	if conditional && op.term.mode != Primary {
		w.Place = judged{w.Place, op}
	}
	return w
}

// judged is a place whose heads are those that a read would find. In fall-back
// that is none where the area holds nothing; while reconciling it is Ceph's, once
// whatever is newer was brought home.
type judged struct {
	versioned.Place
	op *operation
}

// Head implements versioned.Place.
func (j judged) Head(ctx context.Context, key string) (versioned.Head, error) {
	return j.op.find(key, func(p versioned.Place) (versioned.Head, error) { return p.Head(ctx, key) })
}

// wrote is the end of every write: that it is done, or that its condition did
// not hold, is told only after the second check. base is what it was written
// over.
func (op *operation) wrote(caller context.Context, key string, base versioned.Head, err error) error {
	switch {
	case err == nil:
		return op.secondWrite(caller)
	case errors.Is(err, store.ErrCondition):
		if again := op.second(); again != nil {
			return again
		}
	case errors.Is(err, store.ErrUnknown):
		op.doubt(key, base)
	}
	return op.told(err)
}

// doubt notes a write that may still land where the key holds nothing, or in an
// area at any time.
func (op *operation) doubt(key string, base versioned.Head) {
	if !base.Version.IsZero() && op.term.mode != Fallback {
		return
	}
	op.s.mu.Lock()
	defer op.s.mu.Unlock()
	op.s.flights.doubt(key)
}
