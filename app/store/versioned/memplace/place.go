package memplace

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"

	"bogops/app/store"
	"bogops/app/store/versioned"
)

// place is one area of a store; it implements versioned.Place.
type place struct {
	view
	epoch uint64
}

// kept is a head and which body belongs to it.
type kept struct {
	head versioned.Head
	body uint64
}

// guard is made of what a head says, as an entity tag in S3 is: a head that
// comes back just as it was is taken for the same.
func guard(v versioned.Version) string {
	return fmt.Sprintf("%d.%d.%x", v.Epoch, v.Generation, v.Nonce)
}

func (p place) failed(op, key string, err error) error {
	return fmt.Errorf("memplace: %s %s: %s: %w", p.site.name, op, store.Fingerprint(key), err)
}

// Head implements versioned.Place.
func (p place) Head(ctx context.Context, key string) (versioned.Head, error) {
	var head versioned.Head
	err := p.read(ctx, p.describe("head", key, p.epoch, false), func() {
		head = share(p.site.area(p.epoch).heads[key].head)
	})
	if err != nil {
		return versioned.Head{}, p.failed("head", key, err)
	}
	return head, nil
}

// Open implements versioned.Place.
func (p place) Open(ctx context.Context, key string, rng store.Range) (io.ReadCloser, versioned.Head, error) {
	var head versioned.Head
	var body []byte
	whole := true
	err := p.read(ctx, p.describe("open", key, p.epoch, false), func() {
		area := p.site.area(p.epoch)
		found := area.heads[key]
		head = share(found.head)
		if head.Exists() {
			body, whole = area.bodies[found.body]
		}
	})
	if err == nil && !whole {
		err = fmt.Errorf("%w: the body is gone", store.ErrDamaged)
	}
	if err != nil {
		return nil, versioned.Head{}, p.failed("open", key, err)
	}
	if !head.Exists() {
		return nil, head, nil
	}
	from, to := rng.Clip(head.Info.Size)
	return io.NopCloser(bytes.NewReader(body[from:to])), head, nil
}

// Bury implements versioned.Place.
func (p place) Bury(ctx context.Context, key string, base, next versioned.Head) (versioned.Head, error) {
	next.Tombstone = true
	next.Info = store.Info{Key: key, Modified: next.Info.Modified.UTC()}
	head, err := p.swap(ctx, "bury", key, base, kept{head: next})
	if err != nil {
		return versioned.Head{}, p.failed("bury", key, err)
	}
	return head, nil
}

// Remove implements versioned.Place.
func (p place) Remove(ctx context.Context, key string, base versioned.Head) error {
	if base.Version.IsZero() {
		return p.failed("remove", key, errors.New("got the head of nothing, want one that was found"))
	}
	land := func() bool {
		area := p.site.area(p.epoch)
		if !p.holds(key, base) {
			return false
		}
		delete(area.bodies, area.heads[key].body)
		delete(area.heads, key)
		return true
	}
	mine := func() bool { return p.site.area(p.epoch).heads[key].head.Version.IsZero() }
	if err := p.write(ctx, p.describe("remove", key, p.epoch, true), land, mine); err != nil {
		return p.failed("remove", key, err)
	}
	return nil
}

// swap puts next in the place of base.
func (p place) swap(ctx context.Context, op, key string, base versioned.Head, next kept) (versioned.Head, error) {
	if next.head.Version.IsZero() {
		return versioned.Head{}, errors.New("got the version of nothing, want one of a write")
	}
	next.head.Guard = guard(next.head.Version)
	next.head = share(next.head)
	land := func() bool {
		if !p.holds(key, base) {
			return false
		}
		area := p.site.area(p.epoch)
		if old := area.heads[key].body; old != next.body {
			delete(area.bodies, old)
		}
		area.heads[key] = next
		return true
	}
	mine := func() bool { return p.site.area(p.epoch).heads[key].head.Version == next.head.Version }
	if err := p.write(ctx, p.describe(op, key, p.epoch, true), land, mine); err != nil {
		return versioned.Head{}, err
	}
	return share(next.head), nil
}

// holds says whether base is still in place. The caller holds the site's mu.
func (p place) holds(key string, base versioned.Head) bool {
	return p.site.faults.unguarded || p.site.area(p.epoch).heads[key].head.Guard == base.Guard
}

// share keeps the place's own memory out of a caller's hands.
func share(head versioned.Head) versioned.Head {
	head.Info.Meta, head.Info.SHA256 = maps.Clone(head.Info.Meta), bytes.Clone(head.Info.SHA256)
	return head
}
