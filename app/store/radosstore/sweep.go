package radosstore

import (
	"context"
	"errors"
	"time"

	"bogops/app/store/versioned"
)

// sweepEvery is how often the whole index is walked for what is dead in it.
func (c *collector) sweepEvery() time.Duration {
	every := c.home.index.stale / 4
	if c.retention > 0 {
		every = min(every, c.retention/4)
	}
	return every
}

// sweep walks the index. It drops the entries of writes that never took effect,
// settles those whose settling was lost, and removes tombstones that are older
// than the retention: by then no write that was begun before the delete can be
// on its way to land where the tombstone was. That a write is never held up for
// that long is what a stand-alone pool has to believe; with a fall-back the
// tombstones go by what every instance says instead, and the retention is 0.
//
// It costs the walk, and one read of a head for every key whose highest entry
// is pending, or a tombstone, and that old.
func (c *collector) sweep(ctx context.Context, did *Collected) error {
	var errs []error
	err := c.home.index.walk(ctx, "", func(g group, _ string) (bool, error) {
		if err := c.sweepKey(ctx, g, did); err != nil {
			errs = append(errs, err)
		}
		return true, ctx.Err()
	})
	return errors.Join(append(errs, err)...)
}

func (c *collector) sweepKey(ctx context.Context, g group, did *Collected) error {
	x, now := c.home.index, c.home.now()
	top, sure := g.believed()
	if sure {
		for _, e := range g.entries[:len(g.entries)-1] {
			x.drop(e) // its guard is gone, so it never takes effect
			did.Entries++
		}
		g.entries = g.entries[len(g.entries)-1:]
	}
	old := top.tombstone && c.retention > 0 && now.Sub(top.put) >= c.retention
	if !old && (sure || now.Sub(top.put) < x.stale) {
		return nil
	}
	head, err := c.home.listing.lookAt(ctx, g)
	if err != nil {
		return err
	}
	if old && head.Tombstone && head.Version == top.version {
		err := c.home.Remove(ctx, g.key, head)
		if err == nil {
			did.Tombstones++
		}
		if errors.Is(err, versioned.ErrMoved) {
			return nil
		}
		return err
	}
	for _, e := range g.entries {
		if e.version != head.Version && !e.settled && now.Sub(e.put) >= x.stale {
			x.drop(e)
			did.Entries++
		}
	}
	return nil
}
