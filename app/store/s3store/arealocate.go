package s3store

import (
	"context"

	"bogops/app/store"
)

var _ store.Locator = (*area)(nil)

// Locate implements store.Locator. The bytes of a small object are the end of
// what it names, behind the head; those of a big one are all of it.
func (p *area) Locate(ctx context.Context, key string) (store.Location, error) {
	err := p.watch.open(ctx)
	if err == nil {
		var s stored
		if s, err = p.glance(ctx, p.name(key), key); err == nil && !s.Exists() {
			err = store.ErrNotFound
		}
		if err == nil {
			name := p.name(key)
			if s.body != "" {
				name += "." + s.body
			}
			return store.Location{Kind: kind, ETag: s.Info.ETag, Size: s.Info.Size, Bucket: p.b.name, Object: name}, nil
		}
	}
	return store.Location{}, p.failed("locate", key, err)
}
