package storetest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"bogops/app/store"
)

// dating answers with the time of the reading.
type dating struct{ mem }

func (s *dating) Stat(ctx context.Context, key string) (store.Info, error) {
	info, err := s.mem.Stat(ctx, key)
	info.Modified = info.Modified.Add(time.Millisecond)
	return info, err
}

// ticking counts its answers in their tags.
type ticking struct {
	mem
	answers atomic.Int64
}

func (s *ticking) Get(ctx context.Context, key string, rng store.Range) (io.ReadCloser, store.Info, error) {
	r, info, err := s.mem.Get(ctx, key, rng)
	if n := s.answers.Add(1); n > 1 && info.ContentType == "" && rng != store.Whole {
		info.ETag = fmt.Sprintf(`"%d"`, n)
	}
	return r, info, err
}

// late fetches the second half of an object when it is asked for.
type late struct{ mem }

type lateReader struct {
	first io.Reader
	rest  func() io.Reader
}

func (r *lateReader) Read(p []byte) (int, error) {
	n, err := r.first.Read(p)
	if err == io.EOF && r.rest != nil {
		r.first, r.rest = r.rest(), nil
		return r.Read(p)
	}
	return n, err
}

func (s *late) Get(ctx context.Context, key string, rng store.Range) (io.ReadCloser, store.Info, error) {
	r, info, err := s.mem.Get(ctx, key, rng)
	if err != nil || rng != store.Whole || info.Size < 2 {
		return r, info, err
	}
	half := info.Size / 2
	return io.NopCloser(&lateReader{io.LimitReader(r, half), func() io.Reader {
		now, _, err := s.mem.Get(ctx, key, store.Range{Offset: half, Length: info.Size - half})
		if err != nil {
			return bytes.NewReader(nil)
		}
		return now
	}}), info, nil
}

// mixing spoils the end of what is read beside a write.
type mixing struct {
	mem
	writes atomic.Int64
}

func (s *mixing) Put(ctx context.Context, key string, body io.Reader, opts store.PutOptions) (store.Info, error) {
	s.writes.Add(1)
	defer s.writes.Add(-1)
	return s.mem.Put(ctx, key, body, opts)
}

func (s *mixing) Get(ctx context.Context, key string, rng store.Range) (io.ReadCloser, store.Info, error) {
	r, info, err := s.mem.Get(ctx, key, rng)
	if err != nil || s.writes.Load() == 0 {
		return r, info, err
	}
	data, err := io.ReadAll(r)
	if len(data) > 0 {
		data[len(data)-1]++
	}
	return io.NopCloser(bytes.NewReader(data)), info, err
}

// hasty describes one version and serves the next, where one comes between.
type hasty struct {
	mem
	mu      sync.Mutex
	written chan struct{}
}

func (s *hasty) next() chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.written == nil {
		s.written = make(chan struct{})
	}
	return s.written
}

func (s *hasty) Put(ctx context.Context, key string, body io.Reader, opts store.PutOptions) (store.Info, error) {
	info, err := s.mem.Put(ctx, key, body, opts)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.written != nil {
		close(s.written)
		s.written = nil
	}
	return info, err
}

func (s *hasty) Get(ctx context.Context, key string, rng store.Range) (io.ReadCloser, store.Info, error) {
	next := s.next()
	before, err := s.mem.Stat(ctx, key)
	if err != nil {
		return nil, store.Info{}, err
	}
	select {
	case <-next:
	case <-time.After(5 * time.Millisecond):
	}
	r, _, err := s.mem.Get(ctx, key, rng)
	return r, before, err
}

// stale serves the bytes before the last write once after it.
type stale struct {
	mem
	mu  sync.Mutex
	old map[string][]byte
}

func (s *stale) Put(ctx context.Context, key string, body io.Reader, opts store.PutOptions) (store.Info, error) {
	var old []byte
	if r, _, err := s.mem.Get(ctx, key, store.Whole); err == nil {
		old, _ = io.ReadAll(r)
	}
	info, err := s.mem.Put(ctx, key, body, opts)
	if err == nil && info.Replaced {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.old = map[string][]byte{key: old}
	}
	return info, err
}

func (s *stale) Get(ctx context.Context, key string, rng store.Range) (io.ReadCloser, store.Info, error) {
	r, info, err := s.mem.Get(ctx, key, rng)
	s.mu.Lock()
	defer s.mu.Unlock()
	old, ok := s.old[key]
	if delete(s.old, key); !ok || err != nil {
		return r, info, err
	}
	from, to := rng.Clip(int64(len(old)))
	info.Size = int64(len(old))
	return io.NopCloser(bytes.NewReader(old[from:to])), info, nil
}

type ranging struct {
	mem
	asEnd, refuses bool
}

func (s *ranging) Get(ctx context.Context, key string, rng store.Range) (io.ReadCloser, store.Info, error) {
	if s.asEnd && rng.Length >= 0 {
		rng.Length = max(rng.Length-rng.Offset, 0)
	}
	r, info, err := s.mem.Get(ctx, key, rng)
	if s.refuses && err == nil && rng.Offset > info.Size {
		return nil, store.Info{}, errors.New("range not satisfiable")
	}
	return r, info, err
}
