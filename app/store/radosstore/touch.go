package radosstore

import (
	"context"
	"crypto/rand"
	"errors"

	"bogops/app/store"
	"bogops/app/store/versioned"
)

// fenceHead makes sure that no head of the upload r can take effect any more,
// where what is there now is all that it waits for: over an object or
// a tombstone by a touch of its guard, over nothing by a tombstone of the
// upload's own version. ErrMoved says that the head changed meanwhile.
func (h *Home) fenceHead(ctx context.Context, r record, now head) error {
	if !now.Version.IsZero() {
		return h.touch(ctx, now)
	}
	next := versioned.Head{Version: versioned.Version{Epoch: r.Epoch, Generation: r.Generation}}
	rand.Read(next.Version.Nonce[:]) // never fails: crypto/rand ends the program first
	next.Info.Modified = h.now()
	_, err := h.Bury(ctx, r.Key, versioned.Head{}, next)
	return err
}

// touch changes the guard of a head as it was read, and nothing else of it: what
// was sent over the old guard and never answered does not land any more. Errors
// are those of versioned.Place.
func (h *Home) touch(ctx context.Context, base head) error {
	key, patch := base.Info.Key, touched(base.fixed)
	err := h.pool.change(ctx, headName(key), change{guard: []byte(base.Guard), patch: patch})
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errGuard), errors.Is(err, errMissing):
		return failed("touch", key, versioned.ErrMoved)
	case errors.Is(err, store.ErrUnknown):
		if now, lookErr := h.lookAgain(ctx, key); lookErr == nil && now.Guard == string(patch[:guardLen]) {
			return nil
		}
	}
	return failed("touch", key, err)
}
