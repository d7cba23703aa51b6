package storetest_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"sync"

	"bogops/app/store"
)

// misdigesting answers reads with the digest of the part that is read.
type misdigesting struct{ mem }

func (s *misdigesting) Get(ctx context.Context, key string, rng store.Range) (io.ReadCloser, store.Info, error) {
	r, info, err := s.mem.Get(ctx, key, rng)
	if err != nil || rng == store.Whole {
		return r, info, err
	}
	data, err := io.ReadAll(r)
	sum := sha256.Sum256(data)
	info.SHA256 = sum[:]
	return io.NopCloser(bytes.NewReader(data)), info, err
}

// firstDigest keeps the digest of the first object of a key for good.
type firstDigest struct {
	mem
	mu    sync.Mutex
	first map[string][]byte
}

func (s *firstDigest) Stat(ctx context.Context, key string) (store.Info, error) {
	info, err := s.mem.Stat(ctx, key)
	if err != nil {
		return info, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.first == nil {
		s.first = map[string][]byte{}
	}
	if s.first[key] == nil {
		s.first[key] = info.SHA256
	}
	info.SHA256 = bytes.Clone(s.first[key])
	return info, nil
}

// lendsDigest hands out its own memory.
type lendsDigest struct {
	mem
	mu   sync.Mutex
	lent map[string][]byte // by ETag
}

func (s *lendsDigest) Stat(ctx context.Context, key string) (store.Info, error) {
	info, err := s.mem.Stat(ctx, key)
	if err != nil {
		return info, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lent == nil {
		s.lent = map[string][]byte{}
	}
	if s.lent[info.ETag] == nil {
		s.lent[info.ETag] = info.SHA256
	}
	info.SHA256 = s.lent[info.ETag]
	return info, nil
}
