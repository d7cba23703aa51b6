package radosstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"bogops/app/store"
	"bogops/app/store/versioned"
)

// headRead is how much of a head is read where its body is not wanted.
const headRead = 4 << 10

// Head implements versioned.Place.
func (h *Home) Head(ctx context.Context, key string) (versioned.Head, error) {
	if err := store.CheckKey(key); err != nil {
		return versioned.Head{}, err
	}
	found, err := h.readHead(ctx, key)
	return found.Head, err
}

// readHead returns the head of key without its body; the zero head where there
// is none.
func (h *Home) readHead(ctx context.Context, key string) (head, error) {
	for want := headRead; ; {
		b := make([]byte, want)
		n, err := h.pool.read(ctx, headName(key), b, 0)
		if errors.Is(err, errMissing) {
			return head{}, nil
		}
		if err != nil {
			return head{}, failed("read", key, err)
		}
		found, need, err := h.parse(b[:n], want, key)
		if err != nil || need <= want {
			return found, err
		}
		want = need
	}
}

// parse reads the head that is at the beginning of b, as a read of want bytes
// found it, and says how many bytes it would have needed; more than want: read
// again.
func (h *Home) parse(b []byte, want int, key string) (head, int, error) {
	need, err := headLen(b)
	switch {
	case err != nil:
		return head{}, 0, failed("read", key, err)
	case need > len(b) && len(b) == want:
		return head{}, need, nil
	case need > len(b):
		return head{}, 0, failed("read", key, fmt.Errorf("%w: the head ends after %d bytes of %d", store.ErrDamaged, len(b), need))
	}
	found, err := parseHead(b[:need])
	if err != nil {
		return head{}, 0, failed("read", key, err)
	}
	if found.Info.Key != key {
		return head{}, 0, failed("read", key, fmt.Errorf("%w: the head is that of %s", store.ErrDamaged, store.Fingerprint(found.Info.Key)))
	}
	return found, need, nil
}

// failed says what was done to which key; keys are not for logs.
func failed(what, key string, err error) error {
	return fmt.Errorf("radosstore: %s %s: %w", what, store.Fingerprint(key), err)
}

// Bury implements versioned.Place.
func (h *Home) Bury(ctx context.Context, key string, base, next versioned.Head) (versioned.Head, error) {
	if err := store.CheckKey(key); err != nil {
		return versioned.Head{}, err
	}
	next.Tombstone = true
	next.Info = store.Info{Key: key, Modified: next.Info.Modified.Round(0).UTC()}
	return h.replace(ctx, "bury", base, head{Head: next}, nil, nil)
}

// Remove implements versioned.Place.
func (h *Home) Remove(ctx context.Context, key string, base versioned.Head) error {
	if base.Version.IsZero() {
		return failed("remove", key, fmt.Errorf("%w: nothing cannot be removed", versioned.ErrMoved))
	}
	err := h.index.remove(ctx, key, base, func() error { return h.removeHead(ctx, key, base) })
	if err != nil {
		return failed("remove", key, err)
	}
	return nil
}

func (h *Home) removeHead(ctx context.Context, key string, base versioned.Head) error {
	err := h.pool.change(ctx, headName(key), change{guard: []byte(base.Guard), remove: true})
	switch {
	case errors.Is(err, errGuard), errors.Is(err, errMissing):
		return versioned.ErrMoved
	case errors.Is(err, store.ErrUnknown):
		// Nothing there now: whatever is there later has another guard.
		if now, lookErr := h.lookAgain(ctx, key); lookErr != nil || !now.Version.IsZero() {
			return err
		}
		return nil
	}
	return err
}

// lookTime is how long a look back may take. It is short: the cluster has just
// let an operation time out, and the caller has waited for that already.
const lookTime = time.Second

// lookAgain reads the head after an attempt of unknown outcome.
func (h *Home) lookAgain(ctx context.Context, key string) (head, error) {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	return h.readHead(ctx, key)
}

// replace writes next and its inline body over base, and its entry of the
// listing at the same time. held is what body lies in.
func (h *Home) replace(ctx context.Context, what string, base versioned.Head, next head, body []byte, held *buffer) (versioned.Head, error) {
	key := next.Info.Key
	kept, err := h.index.around(ctx, key, base, next.Head, func() (versioned.Head, error) {
		kept, err := h.writeHead(ctx, base, next, body, held)
		if errors.Is(err, store.ErrUnknown) {
			if now, lookErr := h.lookAgain(ctx, key); lookErr == nil && now.Version == next.Version {
				return now.Head, nil
			}
		}
		return kept, err
	})
	if err != nil {
		return versioned.Head{}, failed(what, key, err)
	}
	return kept, nil
}

// joined is up to which size a body is copied behind its head: one piece is
// cheaper for the OSDs than two, and longer ones cost more to copy.
const joined = 64 << 10

// writeHead writes next over base in one operation.
func (h *Home) writeHead(ctx context.Context, base versioned.Head, next head, body []byte, held *buffer) (versioned.Head, error) {
	c := change{create: base.Version.IsZero()}
	if !c.create {
		c.guard = []byte(base.Guard)
	}
	if len(body) <= joined {
		c.full = [][]byte{append(next.encode(len(body)), body...)}
	} else {
		c.full = [][]byte{next.encode(0), body}
	}
	guard := string(c.full[0][:guardLen])
	var holds []*buffer
	if held != nil {
		holds = append(holds, held)
	}
	err := h.pool.change(ctx, headName(next.Info.Key), c, holds...)
	if errors.Is(err, errGuard) {
		return versioned.Head{}, versioned.ErrMoved
	}
	next.Guard = guard
	return next.Head, err
}
