package filestore

import (
	"context"
	"errors"
	"fmt"

	"bogops/app/store"
)

// List implements store.Store. The keys of each shard are kept, sorted, while
// nobody changes it, up to 64 MiB in all; what was read of objects up to 32 MiB.
//
// A page of L out of N objects costs, over 256 shards: one fstat and one binary
// search a shard; L steps of a merge; for each object shown, unless it was listed
// lately, an open and a read of its head, and where its shard has changed since,
// one fstatat. The names of a shard are read anew, N/256 of them, where one has come or gone since the
// last listing or within 100 ms before it, and a key that is too long to be
// a name takes a read the first time. Behind a delimiter each common prefix
// costs a binary search in every shard that holds it.
//
// Beyond the bound of names each listing reads all of them: good for about
// a million objects, not for more. That was preferred to an index, which would
// have to be synced with every write. One object with a damaged head fails the
// pages that show it.
func (s *Store) List(ctx context.Context, opts store.ListOptions) (store.Page, error) {
	page, err := s.list(ctx, opts)
	if err != nil {
		return store.Page{}, fmt.Errorf("filestore: list: %w", err)
	}
	return page, nil
}

func (s *Store) list(ctx context.Context, opts store.ListOptions) (store.Page, error) {
	if err := s.enter(); err != nil {
		return store.Page{}, err
	}
	defer s.leave()
	var shelves []shelf
	for number := range s.shards {
		if err := ctx.Err(); err != nil {
			return store.Page{}, err
		}
		snap, shard, err := s.snapshotOf(ctx, number)
		if err != nil {
			return store.Page{}, err
		}
		if snap != nil {
			shelves = append(shelves, shelf{snap.keys, shard, snap.number})
		}
	}
	return s.page(ctx, newMerge(opts, shelves))
}

// page takes entries until the page is full. Objects that have gone since their
// names were read do not count.
func (s *Store) page(ctx context.Context, entries *merge) (page store.Page, err error) {
	limit := entries.opts.Limit
	for {
		if err := ctx.Err(); err != nil {
			return store.Page{}, err
		}
		e, ok := entries.next()
		if !ok {
			return page, nil
		}
		if limit > 0 && len(page.Objects)+len(page.Prefixes) == limit {
			page.More = true
			return page, nil
		}
		if e.isPrefix {
			if err := s.settleKey(e.shard, e.key); err != nil {
				return store.Page{}, err
			}
			page.Prefixes = append(page.Prefixes, e.name)
			continue
		}
		info, err := s.infoOf(e)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return store.Page{}, err
		}
		page.Objects = append(page.Objects, info)
	}
}
