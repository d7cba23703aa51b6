package radosstore

import (
	"context"
	"fmt"

	"bogops/app/store"
	"bogops/app/store/versioned"
)

// List implements store.Store. What a page costs is said at lister.
func (h *Home) List(ctx context.Context, opts store.ListOptions) (store.Page, error) {
	page, err := h.listing.list(ctx, opts)
	if err != nil {
		return store.Page{}, fmt.Errorf("radosstore: list: %w", err)
	}
	return page, nil
}

// Tombstones implements versioned.Home.
func (h *Home) Tombstones(ctx context.Context, cursor string, limit int) ([]versioned.Head, string, error) {
	heads, next, err := h.listing.tombstones(ctx, cursor, limit)
	if err != nil {
		return nil, "", fmt.Errorf("radosstore: tombstones: %w", err)
	}
	return heads, next, nil
}

var _ versioned.Home = (*Home)(nil)
