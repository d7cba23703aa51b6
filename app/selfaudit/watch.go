package selfaudit

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"

	"bogops/app/store"
)

// Watch returns s with every write noted by a. It keeps every promise of s.
func (a *Auditor) Watch(s store.Store) store.Store { return &watched{s, a} }

type watched struct {
	store.Store
	auditor *Auditor
}

// Put hashes the bytes on their way into the store where they are to be
// remembered. What the store says of them is not asked: it is the one that is
// being watched.
func (w *watched) Put(ctx context.Context, key string, body io.Reader, opts store.PutOptions) (store.Info, error) {
	chosen := w.auditor.begin(key)
	var fresh *entry
	outcome := store.ErrUnknown // until the store has returned: it may panic
	defer func() { w.auditor.end(key, fresh, outcome) }()
	sum := sha256.New()
	if chosen {
		body = io.TeeReader(body, sum)
	}
	info, err := w.Store.Put(ctx, key, body, opts)
	if outcome = err; err == nil && chosen {
		fresh = &entry{key: key, version: version{info.ETag, info.Modified}, size: info.Size}
		sum.Sum(fresh.sum[:0])
	}
	return info, err
}

// Delete forgets the object. Only a condition that failed is known to have left
// it there.
func (w *watched) Delete(ctx context.Context, key, ifMatch string) error {
	w.auditor.begin(key)
	outcome := store.ErrUnknown
	defer func() { w.auditor.end(key, nil, outcome) }()
	err := w.Store.Delete(ctx, key, ifMatch)
	if err == nil || errors.Is(err, store.ErrCondition) {
		outcome = err
	}
	return err
}
