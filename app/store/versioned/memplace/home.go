package memplace

import (
	"context"
	"fmt"
	"slices"

	"bogops/app/store"
	"bogops/app/store/versioned"
)

// Home is the pool as one instance sees it; it implements versioned.Home and
// store.Locator.
type Home struct{ place }

// Records implements versioned.Home.
func (h *Home) Records() versioned.Records { return records{h.view} }

// List implements versioned.Home. It sorts all keys for each page.
func (h *Home) List(ctx context.Context, opts store.ListOptions) (store.Page, error) {
	var page store.Page
	err := h.read(ctx, h.describe("list", opts.Prefix, 0, false), func() {
		heads := h.site.area(0).heads
		var keys []string
		for key, found := range heads {
			if found.head.Exists() {
				keys = append(keys, key)
			}
		}
		slices.Sort(keys)
		keys, page.Prefixes, page.More = store.Select(keys, opts)
		for _, key := range keys {
			page.Objects = append(page.Objects, share(heads[key].head).Info)
		}
	})
	if err != nil {
		return store.Page{}, fmt.Errorf("memplace: list: %w", err)
	}
	return page, nil
}

// Tombstones implements versioned.Home.
func (h *Home) Tombstones(ctx context.Context, cursor string, limit int) ([]versioned.Head, string, error) {
	return h.heads(ctx, "tombstones", cursor, limit, func(head versioned.Head) bool { return head.Tombstone })
}

// Health implements versioned.Home.
func (h *Home) Health(context.Context) store.Health {
	faults := h.site.now()
	switch {
	case h.closed.Load():
		return store.Health{State: store.Down, Reason: "The store is closed."}
	case faults.down:
		return store.Health{State: store.Down, Reason: "The store is down."}
	case faults.hung != nil:
		return store.Health{State: store.Down, Reason: "The store gives no answer."}
	case h.instance.gate() != nil:
		return store.Health{State: store.Down, Reason: "The process was killed."}
	}
	return store.Health{State: store.Healthy}
}

// Describe implements versioned.Home.
func (h *Home) Describe() store.Description { return store.Description{Kind: "memory"} }

// Close implements versioned.Home.
func (h *Home) Close() error {
	h.closed.Store(true)
	return nil
}

// Address implements versioned.Home.
func (h *Home) Address() (string, error) { return h.address(), nil }

// Blocklist implements versioned.Home.
func (h *Home) Blocklist(ctx context.Context, address string) error {
	err := h.read(ctx, h.describe("blocklist", address, 0, false), func() { h.site.blocked[address] = true })
	if err != nil {
		return fmt.Errorf("memplace: blocklist %s: %w", address, err)
	}
	return nil
}

// Locate implements store.Locator. Each object is one piece, named by its key.
func (h *Home) Locate(ctx context.Context, key string) (store.Location, error) {
	head, err := h.Head(ctx, key)
	if err == nil && !head.Exists() {
		err = h.failed("locate", key, store.ErrNotFound)
	}
	if err != nil {
		return store.Location{}, err
	}
	at := store.Location{Kind: "memory", ETag: head.Info.ETag, Size: head.Info.Size}
	if at.Size > 0 {
		at.Pieces = []store.Piece{{Name: key, Length: at.Size}}
	}
	return at, nil
}
