package filestore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"bogops/app/store"
)

// List implements store.Store. Each page reads the names of all files, sorts
// the keys that have the prefix, and reads the heads of those on the page: with
// N objects and a page of L, N names and L small reads, besides a small read for
// every key too long to be a file's name. Memory grows with the keys that have
// the prefix. Good for hundreds of thousands of objects, not for more; it was
// preferred to an index, which would have to be synced with every write. One
// object with a damaged head fails the pages that show it.
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
	var keys []string
	for i := range s.shards {
		more, err := s.keysOf(ctx, i, opts.Prefix)
		if err != nil {
			return store.Page{}, err
		}
		keys = append(keys, more...)
	}
	slices.Sort(keys)
	return s.firstPage(ctx, keys, opts)
}

// firstPage is the first page of keys with anything on it. What a page would
// show may have been deleted meanwhile, and an empty one with more behind it
// would leave the caller without a key to go on from.
func (s *Store) firstPage(ctx context.Context, keys []string, opts store.ListOptions) (store.Page, error) {
	for {
		page, last, err := s.show(ctx, keys, opts)
		if err != nil || page.Last() != "" || !page.More {
			return page, err
		}
		opts.After = last
	}
}

// keysOf returns the keys with prefix in one shard, unsorted.
func (s *Store) keysOf(ctx context.Context, number int, prefix string) ([]string, error) {
	shard, err := s.shard(number)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	names, err := shard.lockedNames(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := shard.mode(); err != nil {
		return nil, err
	}
	var keys []string
	for _, name := range names {
		key, whole, ok := keyOf(number, name)
		if !ok || !strings.HasPrefix(key, prefix[:min(len(prefix), len(key))]) {
			continue
		}
		if !whole {
			at := place{number, name}
			h, err := s.readHeadAt(at, "")
			if errors.Is(err, store.ErrNotFound) {
				continue
			}
			if err == nil && placeOf(h.info.Key) != at {
				err = fmt.Errorf("%w: it holds another key, %s", ErrDamaged, store.Fingerprint(h.info.Key))
			}
			if err != nil {
				return nil, fmt.Errorf("%s: %w", at.blind(), err)
			}
			key = h.info.Key
		}
		if strings.HasPrefix(key, prefix) {
			keys = append(keys, key)
		}
	}
	return keys, nil
}

// show makes the page of opts from keys, without what is gone meanwhile. Last
// is where it would have ended with that.
func (s *Store) show(ctx context.Context, keys []string, opts store.ListOptions) (page store.Page, last string, err error) {
	shown, prefixes, more := store.Select(keys, opts)
	page = store.Page{Prefixes: prefixes, More: more}
	last = page.Last()
	for _, key := range shown {
		if err := ctx.Err(); err != nil {
			return store.Page{}, "", err
		}
		last = max(last, key)
		info, err := s.stat(key, placeOf(key))
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return store.Page{}, "", err
		}
		page.Objects = append(page.Objects, info)
	}
	return page, last, nil
}
