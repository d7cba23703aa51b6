package versioned

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	mrand "math/rand/v2"
	"time"

	"bogops/app/store"
)

// attempts is how often a write starts over because another one of its key was
// faster. Each time somebody else has got on, so only a crowd exhausts it.
const attempts = 64

// patience is the longest pause before an attempt; the first are without one.
const patience = 10 * time.Millisecond

// Writer makes the writes of store.Store out of those of a Place, as one epoch.
// Its methods may be called concurrently.
type Writer struct {
	Place Place
	Epoch uint64           // of every version it writes
	Now   func() time.Time // nil: time.Now

	// Over is asked before each attempt about the head that it is to replace;
	// an error ends the write with nothing written. nil allows every head.
	// Blind has a write without a condition try first whether the key holds
	// nothing: one step for a new object, one more for an old one. Over is asked
	// about the zero Head then, which nobody has seen in place.
	Over  func(ctx context.Context, base Head) error
	Blind bool
}

// Put is the Put of store.Store. It returns the head that was written and the
// one that it took the place of.
func (w Writer) Put(ctx context.Context, key string, body io.Reader, opts store.PutOptions) (written, replaced Head, err error) {
	allowed := func(base Head) error { return opts.Check(etag(base)) }
	base, err := w.first(ctx, key, w.Blind && !opts.IfAbsent && opts.IfMatch == "")
	if err == nil {
		err = allowed(base) // a condition that fails already spares the body
	}
	if err != nil {
		return Head{}, Head{}, err
	}
	draft, err := w.Place.Stage(ctx, key, body, opts)
	if err != nil {
		return Head{}, Head{}, err
	}
	defer draft.Discard()
	info := store.Info{Key: key, ContentType: opts.ContentType, Meta: opts.Meta}
	return w.write(ctx, key, base, allowed, func(base Head, version Version, at time.Time) (Head, error) {
		info.Modified = at
		return draft.Commit(ctx, base, Head{Version: version, Info: info})
	})
}

// Delete is the Delete of store.Store. It writes a tombstone over anything, also
// over nothing and over another tombstone: a write whose outcome is unknown may
// be waiting for just that head, and must not land once the key was deleted.
func (w Writer) Delete(ctx context.Context, key, ifMatch string) (written, replaced Head, err error) {
	base, err := w.Place.Head(ctx, key)
	if err != nil {
		return Head{}, Head{}, err
	}
	allowed := func(base Head) error { return store.CheckMatch(ifMatch, etag(base)) }
	return w.write(ctx, key, base, allowed, func(base Head, version Version, at time.Time) (Head, error) {
		next := Head{Version: version, Tombstone: true, Info: store.Info{Key: key, Modified: at}}
		return w.Place.Bury(ctx, key, base, next)
	})
}

func (w Writer) first(ctx context.Context, key string, blind bool) (Head, error) {
	if blind {
		return Head{}, ctx.Err()
	}
	return w.Place.Head(ctx, key)
}

// write attempts until the head that it is guarded by was still in place.
func (w Writer) write(ctx context.Context, key string, base Head, allowed func(Head) error,
	attempt func(base Head, version Version, at time.Time) (Head, error)) (written, replaced Head, err error) {
	for n := range attempts {
		if n > 0 {
			if err := pause(ctx, n); err != nil {
				return Head{}, Head{}, err
			}
			if base, err = w.Place.Head(ctx, key); err != nil {
				return Head{}, Head{}, err
			}
		}
		if err := allowed(base); err != nil {
			return Head{}, Head{}, err
		}
		if base.Version.Epoch > w.Epoch {
			return Head{}, Head{}, fmt.Errorf("%w: epoch %d has written here, and this is epoch %d", store.ErrUnavailable, base.Version.Epoch, w.Epoch)
		}
		if w.Over != nil {
			if err := w.Over(ctx, base); err != nil {
				return Head{}, Head{}, err
			}
		}
		written, err = attempt(base, w.next(base.Version), w.now())
		if !errors.Is(err, ErrMoved) {
			return written, base, err
		}
	}
	return Head{}, Head{}, fmt.Errorf("%w: %d attempts, and each time another write was faster", store.ErrUnavailable, attempts)
}

// next is a new version over base.
func (w Writer) next(base Version) Version {
	v := Version{Epoch: w.Epoch, Generation: base.Generation + 1}
	rand.Read(v.Nonce[:]) // never fails: crypto/rand ends the program first
	return v
}

func (w Writer) now() time.Time {
	if w.Now != nil {
		return w.Now().UTC()
	}
	return time.Now().UTC()
}

// pause lets those pass that are writing already, longer with each attempt.
func pause(ctx context.Context, n int) error {
	if n < 4 {
		return ctx.Err()
	}
	timer := time.NewTimer(mrand.N(min(patience, time.Duration(n)*100*time.Microsecond)))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// etag is what conditions are checked against; empty where there is no object.
func etag(head Head) string {
	if !head.Exists() {
		return ""
	}
	return head.Info.ETag
}
