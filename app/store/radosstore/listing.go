package radosstore

import (
	"context"
	"fmt"

	"bogops/app/store"
	"bogops/app/store/versioned"
)

// List implements store.Store.
func (h *Home) List(context.Context, store.ListOptions) (store.Page, error) {
	return store.Page{}, fmt.Errorf("radosstore: list: %w: there is no index", store.ErrUnavailable)
}

// Tombstones implements versioned.Home.
func (h *Home) Tombstones(context.Context, string, int) ([]versioned.Head, string, error) {
	return nil, "", fmt.Errorf("radosstore: tombstones: %w: there is no index", store.ErrUnavailable)
}

var _ versioned.Home = (*Home)(nil)
