package storetest_test

import (
	"cmp"
	"context"
	"io"
	"slices"
	"strings"
	"sync"

	"bogops/app/store"
)

// listing spoils each page.
type listing struct {
	mem
	spoil func([]store.Info)
}

func (s *listing) List(ctx context.Context, opts store.ListOptions) (store.Page, error) {
	page, err := s.mem.List(ctx, opts)
	s.spoil(page.Objects)
	return page, err
}

func backwards(objects []store.Info) { slices.Reverse(objects) }

// collated sorts as most locales do: without regard to case.
func collated(objects []store.Info) {
	slices.SortStableFunc(objects, func(a, b store.Info) int {
		return cmp.Or(cmp.Compare(strings.ToLower(a.Key), strings.ToLower(b.Key)), -cmp.Compare(a.Key, b.Key))
	})
}

func bare(objects []store.Info) {
	for i, info := range objects {
		objects[i] = store.Info{Key: info.Key}
	}
}

// prefixing takes a prefix for the name of a directory.
type prefixing struct{ mem }

func (s *prefixing) List(ctx context.Context, opts store.ListOptions) (store.Page, error) {
	if opts.Prefix != "" && !strings.HasSuffix(opts.Prefix, "/") {
		opts.Prefix += "/"
	}
	return s.mem.List(ctx, opts)
}

type slashing struct{ mem }

func (s *slashing) List(ctx context.Context, opts store.ListOptions) (store.Page, error) {
	if opts.Delimiter != "" {
		opts.Delimiter = "/"
	}
	return s.mem.List(ctx, opts)
}

// repeating goes on behind the last key of the page, within a prefix perhaps.
type repeating struct{ mem }

func (s *repeating) List(ctx context.Context, opts store.ListOptions) (store.Page, error) {
	page, err := s.mem.List(ctx, opts)
	if at := strings.LastIndex(opts.After, "/"); err == nil && opts.Delimiter != "" && at > len(opts.Prefix) {
		page.Prefixes = slices.Insert(page.Prefixes, 0, opts.After[:at+1])
	}
	return page, err
}

// uncounted fills a page with objects and adds the prefixes.
type uncounted struct{ mem }

func (s *uncounted) List(ctx context.Context, opts store.ListOptions) (store.Page, error) {
	page, err := s.mem.List(ctx, opts)
	if n := len(page.Prefixes); err == nil && n > 0 && page.More {
		opts.Limit += n
		return s.mem.List(ctx, opts)
	}
	return page, err
}

// inclusive shows the entry of After again.
type inclusive struct{ mem }

func (s *inclusive) List(ctx context.Context, opts store.ListOptions) (store.Page, error) {
	page, err := s.mem.List(ctx, opts)
	if info, statErr := s.mem.Stat(ctx, opts.After); statErr == nil {
		page.Objects = slices.Insert(page.Objects, 0, info)
	}
	return page, err
}

// indexing brings its index up to date after a listing, not before it.
type indexing struct {
	mem
	mu     sync.Mutex
	newest map[string]bool
}

func (s *indexing) Put(ctx context.Context, key string, body io.Reader, opts store.PutOptions) (store.Info, error) {
	info, err := s.mem.Put(ctx, key, body, opts)
	if s.mu.Lock(); err == nil && !info.Replaced {
		s.newest = map[string]bool{key: true}
	}
	s.mu.Unlock()
	return info, err
}

func (s *indexing) List(ctx context.Context, opts store.ListOptions) (store.Page, error) {
	page, err := s.mem.List(ctx, opts)
	s.mu.Lock()
	defer s.mu.Unlock()
	page.Objects = slices.DeleteFunc(page.Objects, func(info store.Info) bool { return s.newest[info.Key] })
	clear(s.newest)
	return page, err
}

// unlisting takes a key off its index to replace the object, and forgets to
// put it back.
type unlisting struct {
	mem
	mu   sync.Mutex
	gone map[string]bool
}

func (s *unlisting) Put(ctx context.Context, key string, body io.Reader, opts store.PutOptions) (store.Info, error) {
	info, err := s.mem.Put(ctx, key, body, opts)
	if s.mu.Lock(); err == nil && info.Replaced {
		s.gone = map[string]bool{key: true}
	}
	s.mu.Unlock()
	return info, err
}

func (s *unlisting) List(ctx context.Context, opts store.ListOptions) (store.Page, error) {
	page, err := s.mem.List(ctx, opts)
	s.mu.Lock()
	defer s.mu.Unlock()
	page.Objects = slices.DeleteFunc(page.Objects, func(info store.Info) bool { return s.gone[info.Key] })
	return page, err
}
