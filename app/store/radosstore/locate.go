package radosstore

import (
	"context"

	"bogops/app/store"
)

// Locate implements store.Locator. Whoever may read the pool rebuilds the bytes
// from it with nothing but `rados get`.
func (h *Home) Locate(ctx context.Context, key string) (store.Location, error) {
	if err := store.CheckKey(key); err != nil {
		return store.Location{}, err
	}
	found, err := h.readHead(ctx, key)
	if err != nil {
		return store.Location{}, err
	}
	if !found.Exists() {
		return store.Location{}, failed("locate", key, store.ErrNotFound)
	}
	fsid, err := h.pool.where()
	if err != nil {
		return store.Location{}, failed("locate", key, err)
	}
	return store.Location{
		Kind: "ceph", ETag: found.Info.ETag, Size: found.Info.Size,
		FSID: fsid, Pool: h.cfg.Pool, Namespace: h.cfg.Namespace,
		Pieces: found.pieces(),
	}, nil
}

func (h head) pieces() []store.Piece {
	if h.Info.Size == 0 {
		return nil
	}
	if h.inline() {
		return []store.Piece{{Name: headName(h.Info.Key), At: h.bodyAt, Length: h.Info.Size}}
	}
	pieces := make([]store.Piece, len(h.sums))
	for n := range pieces {
		pieces[n] = store.Piece{
			Name:   tailName(h.Info.Key, h.draft, n),
			Offset: int64(n) * h.chunk, Length: h.tail(n),
		}
	}
	return pieces
}

var _ store.Locator = (*Home)(nil)
