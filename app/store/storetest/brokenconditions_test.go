package storetest_test

import (
	"bytes"
	"context"
	"io"
	"strings"

	"bogops/app/store"
)

// racing checks conditions before it has the body, and not again.
type racing struct {
	mem
	create, swap bool
}

func (s *racing) Put(ctx context.Context, key string, body io.Reader, opts store.PutOptions) (store.Info, error) {
	old, err := s.mem.Stat(ctx, key)
	if ctx.Err() != nil || err != nil && old.ETag != "" {
		return store.Info{}, err
	}
	if err := opts.Check(old.ETag); err != nil {
		return store.Info{}, err
	}
	opts.IfAbsent = opts.IfAbsent && !s.create
	if s.swap {
		opts.IfMatch = ""
	}
	return s.mem.Put(ctx, key, body, opts)
}

// weak compares without the W/ in front.
type weak struct{ mem }

func (s *weak) Put(ctx context.Context, key string, body io.Reader, opts store.PutOptions) (store.Info, error) {
	opts.IfMatch = strings.TrimPrefix(opts.IfMatch, "W/")
	return s.mem.Put(ctx, key, body, opts)
}

func (s *weak) Delete(ctx context.Context, key, ifMatch string) error {
	return s.mem.Delete(ctx, key, strings.TrimPrefix(ifMatch, "W/"))
}

// starry lets * match a missing object.
type starry struct{ mem }

func (s *starry) Put(ctx context.Context, key string, body io.Reader, opts store.PutOptions) (store.Info, error) {
	if opts.IfMatch == "*" {
		opts.IfMatch = ""
	}
	return s.mem.Put(ctx, key, body, opts)
}

type deleting struct {
	mem
	unconditional, strict, empties bool
}

func (s *deleting) Delete(ctx context.Context, key, ifMatch string) error {
	if s.unconditional {
		ifMatch = ""
	}
	if s.strict && ifMatch == "" {
		if _, err := s.mem.Stat(ctx, key); err != nil {
			return err
		}
	}
	if s.empties {
		if _, err := s.mem.Stat(ctx, key); err == nil {
			_, err = s.mem.Put(ctx, key, bytes.NewReader(nil), store.PutOptions{IfMatch: ifMatch})
			return err
		}
	}
	return s.mem.Delete(ctx, key, ifMatch)
}

// sameTag gives a key one tag for ever.
type sameTag struct{ mem }

func (s *sameTag) Put(ctx context.Context, key string, body io.Reader, opts store.PutOptions) (store.Info, error) {
	opts.IfMatch = s.real(ctx, key, opts.IfMatch)
	info, err := s.mem.Put(ctx, key, body, opts)
	info.ETag = `"` + key + `"`
	return info, err
}

func (s *sameTag) Get(ctx context.Context, key string, rng store.Range) (io.ReadCloser, store.Info, error) {
	r, info, err := s.mem.Get(ctx, key, rng)
	info.ETag = `"` + key + `"`
	return r, info, err
}

func (s *sameTag) Stat(ctx context.Context, key string) (store.Info, error) {
	info, err := s.mem.Stat(ctx, key)
	info.ETag = `"` + key + `"`
	return info, err
}

func (s *sameTag) List(ctx context.Context, opts store.ListOptions) (store.Page, error) {
	page, err := s.mem.List(ctx, opts)
	for i, info := range page.Objects {
		page.Objects[i].ETag = `"` + info.Key + `"`
	}
	return page, err
}

func (s *sameTag) Delete(ctx context.Context, key, ifMatch string) error {
	return s.mem.Delete(ctx, key, s.real(ctx, key, ifMatch))
}

func (s *sameTag) real(ctx context.Context, key, etag string) string {
	if info, err := s.mem.Stat(ctx, key); err == nil && etag == `"`+key+`"` {
		return info.ETag
	}
	return etag
}
