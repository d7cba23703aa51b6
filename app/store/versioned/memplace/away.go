package memplace

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"

	"bogops/app/store/versioned"
)

// Away is the bucket as one instance sees it; it implements versioned.Away.
type Away struct{ records }

// Area implements versioned.Away.
func (a *Away) Area(epoch uint64) versioned.Place { return place{a.view, epoch} }

// Areas implements versioned.Away. A body without a head is something, too.
func (a *Away) Areas(ctx context.Context) ([]uint64, error) {
	var epochs []uint64
	err := a.read(ctx, a.describe("areas", "", 0, false), func() {
		for epoch, area := range a.site.areas {
			if len(area.heads)+len(area.bodies) > 0 {
				epochs = append(epochs, epoch)
			}
		}
	})
	if err != nil {
		return nil, fmt.Errorf("memplace: areas: %w", err)
	}
	slices.Sort(epochs)
	return epochs, nil
}

// Heads implements versioned.Away.
func (a *Away) Heads(ctx context.Context, epoch uint64, cursor string, limit int) ([]versioned.Head, string, error) {
	return place{a.view, epoch}.heads(ctx, "heads", cursor, limit, func(versioned.Head) bool { return true })
}

// Sweep implements versioned.Away. A write under way loses its body to it.
func (a *Away) Sweep(ctx context.Context, epoch uint64) (removed int, err error) {
	err = a.read(ctx, a.describe("sweep", "", epoch, false), func() {
		area := a.site.area(epoch)
		needed := map[uint64]bool{}
		for _, found := range area.heads {
			needed[found.body] = true
		}
		held := len(area.bodies)
		maps.DeleteFunc(area.bodies, func(body uint64, _ []byte) bool { return !needed[body] })
		removed = held - len(area.bodies)
	})
	if err != nil {
		return 0, fmt.Errorf("memplace: sweep %d: %w", epoch, err)
	}
	return removed, nil
}

// heads returns those heads that want picks, in the order of their keys'
// SHA-256, which is the cursor.
func (p place) heads(ctx context.Context, op, cursor string, limit int, want func(versioned.Head) bool) (heads []versioned.Head, next string, err error) {
	if limit < 1 {
		return nil, "", fmt.Errorf("memplace: %s: got limit %d, want at least 1", op, limit)
	}
	err = p.read(ctx, p.describe(op, "", p.epoch, false), func() {
		found := map[string]versioned.Head{}
		for key, held := range p.site.area(p.epoch).heads {
			sum := sha256.Sum256([]byte(key))
			if at := hex.EncodeToString(sum[:]); at > cursor && want(held.head) {
				found[at] = held.head
			}
		}
		for _, at := range slices.Sorted(maps.Keys(found)) {
			if len(heads) == limit {
				return
			}
			heads, next = append(heads, share(found[at])), at
		}
		next = ""
	})
	if err != nil {
		return nil, "", fmt.Errorf("memplace: %s: %w", op, err)
	}
	return heads, next, nil
}
