package radosstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"bogops/app/store"
)

// indexLayout is the record of the pool that says how its index is laid out. It
// is written once, by whoever comes first, and never changed: with another
// number of shards keys would be looked for where they are not.
type indexLayout struct {
	Format int `json:"format"`
	Shards int `json:"shards"`
}

const (
	layoutName   = "i:layout"
	layoutFormat = 1
	mostShards   = 4096
)

// open returns the shards, once the pool has said how many there are.
func (x *index) open(ctx context.Context) ([]*shard, error) {
	if shards := x.shards.Load(); shards != nil {
		return *shards, nil
	}
	x.opening.Lock()
	defer x.opening.Unlock()
	if shards := x.shards.Load(); shards != nil {
		return *shards, nil
	}
	found, err := x.layout(ctx)
	if err != nil {
		return nil, err
	}
	shards := make([]*shard, found.Shards)
	for n := range shards {
		shards[n] = &shard{object: shardName(n), names: map[string]int{}}
	}
	x.shards.Store(&shards)
	return shards, nil
}

func (x *index) layout(ctx context.Context) (indexLayout, error) {
	for range 3 {
		b := make([]byte, 256)
		n, err := x.pool.read(ctx, layoutName, b, 0)
		switch {
		case err == nil:
			return parseLayout(b[:n])
		case !errors.Is(err, errMissing):
			return indexLayout{}, fmt.Errorf("read how the index is laid out: %w", err)
		}
		text, err := json.Marshal(indexLayout{Format: layoutFormat, Shards: x.fresh})
		if err != nil {
			return indexLayout{}, err
		}
		err = x.pool.change(ctx, layoutName, change{create: true, full: [][]byte{text}})
		if err != nil && !errors.Is(err, errGuard) && !errors.Is(err, store.ErrUnknown) {
			return indexLayout{}, fmt.Errorf("write how the index is laid out: %w", err)
		}
	}
	return indexLayout{}, fmt.Errorf("%w: how the index is laid out can be neither written nor read", store.ErrUnavailable)
}

func parseLayout(b []byte) (l indexLayout, err error) {
	if err := json.Unmarshal(b, &l); err != nil {
		return l, fmt.Errorf("%w: %s cannot be read: %w", store.ErrDamaged, layoutName, err)
	}
	if l.Format != layoutFormat || l.Shards < 1 || l.Shards > mostShards {
		return l, fmt.Errorf("%w: the index has format %d and %d shards; this program reads format %d and 1 to %d", store.ErrDamaged, l.Format, l.Shards, layoutFormat, mostShards)
	}
	return l, nil
}
