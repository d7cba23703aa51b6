package fallback

import (
	"context"
	"errors"
	"fmt"
	"io"

	"bogops/app/store"
	"bogops/app/store/versioned"
)

// Get implements store.Store.
func (s *Store) Get(ctx context.Context, key string, rng store.Range) (io.ReadCloser, store.Info, error) {
	body, info, err := s.get(ctx, key, rng)
	if err != nil {
		return nil, store.Info{}, fmt.Errorf("fallback: get %s: %w", store.Fingerprint(key), err)
	}
	return body, info, nil
}

func (s *Store) get(ctx context.Context, key string, rng store.Range) (io.ReadCloser, store.Info, error) {
	op, err := s.begin(ctx)
	if err != nil {
		return nil, store.Info{}, err
	}
	var body io.ReadCloser
	drop := func() {
		if body != nil {
			body.Close()
			body = nil
		}
	}
	head, err := op.find(key, func(p versioned.Place) (head versioned.Head, err error) {
		drop()
		body, head, err = p.Open(op.ctx, key, rng)
		return head, err
	})
	// From here on the reader lives whatever becomes of the term. That the term
	// had ended before, the second check says.
	op.unhook()
	if err = op.found(head, err); err != nil {
		drop()
		op.end()
		return nil, store.Info{}, err
	}
	op.detach()
	return begun{body, op.cancel}, head.Info, nil
}

// begun is a reader that has passed the second check.
type begun struct {
	io.ReadCloser
	cancel context.CancelCauseFunc
}

// Close implements io.Closer.
func (b begun) Close() error {
	defer b.cancel(context.Canceled)
	return b.ReadCloser.Close()
}

// Stat implements store.Store.
func (s *Store) Stat(ctx context.Context, key string) (store.Info, error) {
	head, err := s.stat(ctx, key, nil)
	if err != nil {
		return store.Info{}, fmt.Errorf("fallback: stat %s: %w", store.Fingerprint(key), err)
	}
	return head.Info, nil
}

// Locate implements store.Locator.
func (s *Store) Locate(ctx context.Context, key string) (store.Location, error) {
	var at store.Location
	_, err := s.stat(ctx, key, func(op *operation) (err error) {
		locator, ok := op.place().(store.Locator)
		if !ok {
			return errors.New("the store does not know where its objects lie")
		}
		at, err = locator.Locate(op.ctx, key)
		return err
	})
	if err != nil {
		return store.Location{}, fmt.Errorf("fallback: locate %s: %w", store.Fingerprint(key), err)
	}
	return at, nil
}

// stat finds the head of key, and then does what else the operation wants of
// the place where it lies.
func (s *Store) stat(ctx context.Context, key string, then func(*operation) error) (versioned.Head, error) {
	op, err := s.begin(ctx)
	if err != nil {
		return versioned.Head{}, err
	}
	defer op.end()
	head, err := op.find(key, func(p versioned.Place) (versioned.Head, error) { return p.Head(op.ctx, key) })
	if err == nil && head.Exists() && then != nil {
		err = then(op)
	}
	return head, op.found(head, err)
}

// found is the end of every read: what was found, that nothing was, or that it is
// damaged, is told only after the second check. An area that has ended may hold
// the head of a late write whose body was swept.
func (op *operation) found(head versioned.Head, err error) error {
	if err == nil && !head.Exists() {
		err = store.ErrNotFound
	}
	if err == nil || errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrDamaged) {
		if again := op.second(); again != nil {
			return again
		}
	}
	return op.told(err)
}

// look is how a head is asked for: Head, or Open for its bytes too.
type look func(versioned.Place) (versioned.Head, error)

// find returns what key holds, by the rules of the mode.
func (op *operation) find(key string, look look) (versioned.Head, error) {
	switch op.term.mode {
	case Fallback:
		return op.findInArea(look)
	case Reconciling:
		return op.findAnywhere(key, look)
	}
	return look(op.s.home)
}

// findInArea asks the epoch's own area. What that does not hold Ceph may.
func (op *operation) findInArea(look look) (versioned.Head, error) {
	head, err := look(op.area(op.term.epoch))
	if err == nil && head.Version.IsZero() {
		err = errOnlyCeph
	}
	return head, err
}

var errOnlyCeph = fmt.Errorf("%w: Ceph is away, and only Ceph knows of this key", store.ErrUnavailable)

// List implements store.Store. While objects lie away from home it brings home
// first what the listing would miss, where that is little; else it says
// ErrUnavailable.
func (s *Store) List(ctx context.Context, opts store.ListOptions) (store.Page, error) {
	page, err := s.list(ctx, opts)
	if err != nil {
		return store.Page{}, fmt.Errorf("fallback: list: %w", err)
	}
	return page, nil
}

func (s *Store) list(ctx context.Context, opts store.ListOptions) (store.Page, error) {
	op, err := s.begin(ctx)
	if err != nil {
		return store.Page{}, err
	}
	defer op.end()
	switch op.term.mode {
	case Fallback:
		return store.Page{}, fmt.Errorf("%w: Ceph is away, and only Ceph knows all keys", store.ErrUnavailable)
	case Reconciling:
		if err := op.bringAll(opts); err != nil {
			return store.Page{}, op.told(err)
		}
	}
	page, err := s.home.List(op.ctx, opts)
	if err == nil {
		err = op.second()
	}
	return page, op.told(err)
}
