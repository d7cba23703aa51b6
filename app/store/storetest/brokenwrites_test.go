package storetest_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/url"
	"path"
	"strings"
	"sync"

	"bogops/app/store"
)

// truncating keeps the first MiB.
type truncating struct{ mem }

func (s *truncating) Put(ctx context.Context, key string, body io.Reader, opts store.PutOptions) (store.Info, error) {
	data, err := io.ReadAll(store.Verify(ctx, body, opts))
	if err != nil {
		return store.Info{}, err
	}
	size := int64(len(data))
	data = data[:min(len(data), 1<<20)]
	opts.Size, opts.SHA256 = int64(len(data)), nil
	info, err := s.mem.Put(ctx, key, bytes.NewReader(data), opts)
	info.Size = size
	return info, err
}

// renaming takes several keys for one.
type renaming struct {
	mem
	name func(string) string
}

func clean(key string) string { return path.Clean(key) }
func fold(key string) string  { return strings.ToLower(key) }
func compose(key string) string {
	return strings.ReplaceAll(key, "e\u0301", "é")
}
func cut(key string) string { return key[:min(len(key), 255)] }
func decode(key string) string {
	if once, err := url.PathUnescape(key); err == nil {
		return once
	}
	return key
}

func (s *renaming) Put(ctx context.Context, key string, body io.Reader, opts store.PutOptions) (store.Info, error) {
	info, err := s.mem.Put(ctx, s.name(key), body, opts)
	info.Key = key
	return info, err
}

func (s *renaming) Get(ctx context.Context, key string, rng store.Range) (io.ReadCloser, store.Info, error) {
	r, info, err := s.mem.Get(ctx, s.name(key), rng)
	info.Key = key
	return r, info, err
}

func (s *renaming) Stat(ctx context.Context, key string) (store.Info, error) {
	info, err := s.mem.Stat(ctx, s.name(key))
	info.Key = key
	return info, err
}

func (s *renaming) Delete(ctx context.Context, key, ifMatch string) error {
	return s.mem.Delete(ctx, s.name(key), ifMatch)
}

// appending leaves the end of a longer old object behind a shorter new one.
type appending struct{ mem }

func (s *appending) Put(ctx context.Context, key string, body io.Reader, opts store.PutOptions) (store.Info, error) {
	var old []byte
	if r, _, err := s.mem.Get(ctx, key, store.Whole); err == nil {
		old, _ = io.ReadAll(r)
	}
	data, err := io.ReadAll(store.Verify(ctx, body, opts))
	if err != nil {
		return store.Info{}, err
	}
	size := int64(len(data))
	if len(old) > len(data) {
		data = append(data, old[len(data):]...)
	}
	opts.Size, opts.SHA256, opts.MaxSize = int64(len(data)), nil, 0
	info, err := s.mem.Put(ctx, key, bytes.NewReader(data), opts)
	info.Size = size
	return info, err
}

type unsaid struct{ mem }

func (s *unsaid) Put(ctx context.Context, key string, body io.Reader, opts store.PutOptions) (store.Info, error) {
	info, err := s.mem.Put(ctx, key, body, opts)
	info.Replaced = false
	return info, err
}

type sized struct{ mem }

func (s *sized) Put(ctx context.Context, key string, body io.Reader, opts store.PutOptions) (store.Info, error) {
	if opts.Size < 0 {
		return store.Info{}, errors.New("size wanted")
	}
	return s.mem.Put(ctx, key, body, opts)
}

// lax leaves out one of the checks of a body.
type lax struct {
	mem
	short, failed, long, unlimited, undigested bool
}

func (s *lax) Put(ctx context.Context, key string, body io.Reader, opts store.PutOptions) (store.Info, error) {
	if s.undigested {
		opts.SHA256 = nil
	}
	if s.unlimited {
		opts.MaxSize = 0
	}
	if s.long && opts.Size >= 0 {
		body = io.LimitReader(body, opts.Size)
	}
	if s.short || s.failed {
		data, err := io.ReadAll(body)
		body = bytes.NewReader(data)
		if errors.Is(err, io.EOF) || err == nil && s.short || err != nil && s.failed {
			opts.Size = min(opts.Size, int64(len(data)))
		}
		if err != nil && s.short {
			body = io.MultiReader(body, failing{err})
		}
	}
	return s.mem.Put(ctx, key, body, opts)
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// removing makes room before it has the new bytes.
type removing struct{ mem }

func (s *removing) Put(ctx context.Context, key string, body io.Reader, opts store.PutOptions) (store.Info, error) {
	old, err := s.mem.Stat(ctx, key)
	replaced := err == nil
	if err := opts.Check(old.ETag); err != nil {
		return store.Info{}, err
	}
	if err := s.mem.Delete(ctx, key, opts.IfMatch); err != nil {
		return store.Info{}, err
	}
	opts.IfMatch = ""
	info, err := s.mem.Put(ctx, key, body, opts)
	info.Replaced = replaced
	return info, err
}

// tearing writes into the object that readers see.
type tearing struct{ mem }

func (s *tearing) Put(ctx context.Context, key string, body io.Reader, opts store.PutOptions) (store.Info, error) {
	old, err := s.mem.Stat(ctx, key)
	replaced := err == nil
	if err := opts.Check(old.ETag); err != nil {
		return store.Info{}, err
	}
	half := make([]byte, 100_000)
	n, _ := io.ReadFull(body, half)
	if n == len(half) {
		if _, err := s.mem.Put(ctx, key, bytes.NewReader(half), store.PutOptions{Size: int64(n)}); err != nil {
			return store.Info{}, err
		}
		opts.IfAbsent, opts.IfMatch = false, ""
	}
	info, err := s.mem.Put(ctx, key, io.MultiReader(bytes.NewReader(half[:n]), body), opts)
	info.Replaced = replaced
	return info, err
}

// keeping keeps what a body lends.
type keeping struct {
	mem
	mu   sync.Mutex
	lent map[string][]byte
}

type keeper struct{ kept []byte }

func (k *keeper) Write(p []byte) (int, error) { k.kept = p; return len(p), nil }

func (s *keeping) Put(ctx context.Context, key string, body io.Reader, opts store.PutOptions) (store.Info, error) {
	var k keeper
	if lender, ok := body.(io.WriterTo); ok && opts.SHA256 == nil && opts.Meta != nil {
		if _, err := lender.WriteTo(&k); err != nil {
			return store.Info{}, err
		}
		body = bytes.NewReader(k.kept)
	}
	info, err := s.mem.Put(ctx, key, body, opts)
	if err == nil && k.kept != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.lent = map[string][]byte{info.ETag: k.kept}
	}
	return info, err
}

func (s *keeping) Get(ctx context.Context, key string, rng store.Range) (io.ReadCloser, store.Info, error) {
	r, info, err := s.mem.Get(ctx, key, rng)
	s.mu.Lock()
	defer s.mu.Unlock()
	if kept, ok := s.lent[info.ETag]; ok && err == nil {
		r = io.NopCloser(bytes.NewReader(kept))
	}
	return r, info, err
}

// metaSharing keeps the caller's map.
type metaSharing struct {
	mem
	mu   sync.Mutex
	meta map[string]map[string]string
}

func (s *metaSharing) Put(ctx context.Context, key string, body io.Reader, opts store.PutOptions) (store.Info, error) {
	info, err := s.mem.Put(ctx, key, body, opts)
	if err == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.meta = map[string]map[string]string{info.ETag: opts.Meta}
	}
	return info, err
}

func (s *metaSharing) Stat(ctx context.Context, key string) (store.Info, error) {
	info, err := s.mem.Stat(ctx, key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if meta, ok := s.meta[info.ETag]; ok {
		info.Meta = meta
	}
	return info, err
}

type dropping struct {
	mem
	meta, contentType bool
}

func (s *dropping) Put(ctx context.Context, key string, body io.Reader, opts store.PutOptions) (store.Info, error) {
	if s.meta {
		opts.Meta = nil
	}
	if s.contentType {
		opts.ContentType = ""
	}
	return s.mem.Put(ctx, key, body, opts)
}
