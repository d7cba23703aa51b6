package radosstore

import (
	"context"
	"errors"
	"fmt"

	"bogops/app/store/versioned"
)

// remove carries out erase, which takes away the tombstone base, the head of
// key, and clears the index of key.
//
// After it the versions of key begin anew, so no settled entry may be left or
// come later: it would sort above those of new objects and be believed. Writers
// settle at leisure, and a settling whose answer was lost may land at any time.
// So before anything else the shard's fence moves: a settling carries a fence
// that was seen before its head was written, or before a lister looked at the
// head, and one that is older than the fence never lands, however long its
// process stood still. From then to the end the head is base or gone, so nobody
// learns that another write of key took effect; and nobody but its own writer
// settles a tombstone.
//
// Then the entries up to base go, and that of base becomes pending again, so
// that after a crash half-way the head is looked at. Entries above base are of
// writes over base that are on their way, and are not touched: they take effect,
// and then erase does not, or they never do, and stay pending until they are
// stale.
func (x *index) remove(ctx context.Context, key string, base versioned.Head, erase func() error) error {
	if _, err := x.open(ctx); err != nil {
		return err
	}
	s := x.shardOf(key)
	fence, err := moveFence(ctx, x.pool, s.object, nil)
	if err != nil {
		return fmt.Errorf("move the fence of an index shard: %w", err)
	}
	mark := pendingEntry(base, key, x.now())
	err = x.clear(ctx, key, s, fence, mark)
	for errors.Is(err, errGuard) && ctx.Err() == nil {
		// Another removal moved the fence further, which is as good.
		if fence, err = readFence(ctx, x.pool, s.object); err == nil {
			err = x.clear(ctx, key, s, fence, mark)
		}
	}
	if err != nil {
		return fmt.Errorf("clear the index: %w", err)
	}
	if err := erase(); err != nil {
		return err
	}
	x.drop(mark)
	return nil
}

// clear drops the entries of key up to mark, which takes their place.
func (x *index) clear(ctx context.Context, key string, s *shard, fence uint64, mark entry) error {
	s.see(fence)
	entries, err := x.entriesOf(ctx, key)
	if err != nil {
		return err
	}
	cleared := fencedEdit{set: map[string][]byte{mark.name(): mark.value()}}
	for _, e := range entries {
		if !e.version.Newer(mark.version) && e.version != mark.version {
			cleared.drop = append(cleared.drop, e.name())
		}
	}
	return editFenced(ctx, x.pool, s.object, fence, cleared)
}

// entriesOf returns all entries of key, in order of their versions.
func (x *index) entriesOf(ctx context.Context, key string) ([]entry, error) {
	if _, err := x.open(ctx); err != nil {
		return nil, err
	}
	var entries []entry
	for after := ""; ; {
		pairs, more, err := x.pool.entries(ctx, x.shardOf(key).object, after, key+separator, pageMost)
		if err != nil {
			return nil, err
		}
		for _, p := range pairs {
			e, err := parseEntry(p)
			if err != nil {
				return nil, err
			}
			entries = append(entries, e)
			after = p.key
		}
		if !more {
			return entries, nil
		}
	}
}
