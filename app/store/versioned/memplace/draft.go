package memplace

import (
	"context"
	"errors"
	"io"

	"bogops/app/store"
	"bogops/app/store/versioned"
)

// draft is a body that lies in its area without a head.
type draft struct {
	place place
	key   string
	body  uint64
	size  int64
	sum   []byte
	spent bool // committed, or nobody knows whether
	used  bool // failed otherwise: no second try
}

// Stage implements versioned.Place.
func (p place) Stage(ctx context.Context, key string, body io.Reader, opts store.PutOptions) (versioned.Draft, error) {
	verified := store.Verify(ctx, body, opts)
	data, err := io.ReadAll(verified)
	if err != nil {
		return nil, p.failed("stage", key, err)
	}
	d := &draft{place: p, key: key, size: int64(len(data)), sum: verified.SHA256()}
	err = p.read(ctx, p.describe("stage", key, p.epoch, false), func() {
		p.site.staged++
		d.body = p.site.staged
		p.site.area(p.epoch).bodies[d.body] = data
	})
	if err != nil {
		d.Discard()
		return nil, p.failed("stage", key, err)
	}
	return d, nil
}

// Commit implements versioned.Draft.
func (d *draft) Commit(ctx context.Context, base, next versioned.Head) (versioned.Head, error) {
	if d.spent || d.used {
		return versioned.Head{}, d.place.failed("commit", d.key, errors.New("the draft was used already"))
	}
	next.Tombstone = false
	next.Info = store.Info{
		Key: d.key, Size: d.size, ETag: next.Version.ETag(), SHA256: d.sum,
		ContentType: next.Info.ContentType, Meta: next.Info.Meta, Modified: next.Info.Modified.UTC(),
	}
	head, err := d.place.swap(ctx, "commit", d.key, base, kept{next, d.body})
	if err != nil {
		d.spent = errors.Is(err, store.ErrUnknown)
		d.used = !errors.Is(err, versioned.ErrMoved)
		return versioned.Head{}, d.place.failed("commit", d.key, err)
	}
	d.spent = true
	return head, nil
}

// Discard implements versioned.Draft.
func (d *draft) Discard() {
	if d.spent {
		return
	}
	d.used = true
	d.place.site.mu.Lock()
	defer d.place.site.mu.Unlock()
	delete(d.place.site.area(d.place.epoch).bodies, d.body)
}
