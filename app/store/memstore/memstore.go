// Package memstore keeps objects in memory: the plainest store that keeps the
// promise, to test others against and to test with.
package memstore

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"time"

	"bogops/app/store"
)

// Store is a store.Store that dies with its process.
type Store struct {
	mu      sync.RWMutex
	objects map[string]object
	closed  bool
}

// object is never changed once it is in the map, so a reader keeps its bytes.
type object struct {
	info store.Info
	data []byte
}

var _ store.Store = (*Store)(nil)

// New returns an empty store.
func New() *Store { return &Store{objects: map[string]object{}} }

// Put implements store.Store.
func (s *Store) Put(ctx context.Context, key string, body io.Reader, opts store.PutOptions) (store.Info, error) {
	info, err := s.put(ctx, key, body, opts)
	if err != nil {
		return store.Info{}, fmt.Errorf("memstore: put %s: %w", store.Fingerprint(key), err)
	}
	return info, nil
}

func (s *Store) put(ctx context.Context, key string, body io.Reader, opts store.PutOptions) (store.Info, error) {
	// A condition that fails already spares the body; it is checked again
	// when the body is there.
	s.mu.RLock()
	_, err := s.allowed(key, opts)
	s.mu.RUnlock()
	if err != nil {
		return store.Info{}, err
	}
	verified := store.Verify(ctx, body, opts)
	data, err := io.ReadAll(verified)
	if err != nil {
		return store.Info{}, err
	}
	info := store.Info{
		Key: key, Size: int64(len(data)), ETag: newETag(), ContentType: opts.ContentType,
		Modified: time.Now().UTC(), Meta: maps.Clone(opts.Meta), SHA256: verified.SHA256(),
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	replaced, err := s.allowed(key, opts)
	if err != nil {
		return store.Info{}, err
	}
	s.objects[key] = object{info, data}
	info.Replaced = replaced
	return share(info), nil
}

// allowed says whether opts allow a write of key, and whether it would replace
// an object. The caller holds mu.
func (s *Store) allowed(key string, opts store.PutOptions) (replaces bool, err error) {
	if s.closed {
		return false, errClosed()
	}
	old, replaces := s.objects[key]
	return replaces, opts.Check(old.info.ETag)
}

// Get implements store.Store.
func (s *Store) Get(ctx context.Context, key string, rng store.Range) (io.ReadCloser, store.Info, error) {
	found, err := s.find(ctx, key)
	if err != nil {
		return nil, store.Info{}, fmt.Errorf("memstore: get %s: %w", store.Fingerprint(key), err)
	}
	from, to := rng.Clip(found.info.Size)
	return io.NopCloser(bytes.NewReader(found.data[from:to])), share(found.info), nil
}

// Stat implements store.Store.
func (s *Store) Stat(ctx context.Context, key string) (store.Info, error) {
	found, err := s.find(ctx, key)
	if err != nil {
		return store.Info{}, fmt.Errorf("memstore: stat %s: %w", store.Fingerprint(key), err)
	}
	return share(found.info), nil
}

func (s *Store) find(ctx context.Context, key string) (object, error) {
	if err := ctx.Err(); err != nil {
		return object{}, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return object{}, errClosed()
	}
	found, ok := s.objects[key]
	if !ok {
		return object{}, store.ErrNotFound
	}
	return found, nil
}

// Delete implements store.Store.
func (s *Store) Delete(ctx context.Context, key, ifMatch string) error {
	if err := s.remove(ctx, key, ifMatch); err != nil {
		return fmt.Errorf("memstore: delete %s: %w", store.Fingerprint(key), err)
	}
	return nil
}

func (s *Store) remove(ctx context.Context, key, ifMatch string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errClosed()
	}
	if err := store.CheckMatch(ifMatch, s.objects[key].info.ETag); err != nil {
		return err
	}
	delete(s.objects, key)
	return nil
}

// List implements store.Store. It sorts all keys for each page.
func (s *Store) List(ctx context.Context, opts store.ListOptions) (store.Page, error) {
	if err := ctx.Err(); err != nil {
		return store.Page{}, fmt.Errorf("memstore: list: %w", err)
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return store.Page{}, fmt.Errorf("memstore: list: %w", errClosed())
	}
	keys, prefixes, more := store.Select(slices.Sorted(maps.Keys(s.objects)), opts)
	page := store.Page{Prefixes: prefixes, More: more}
	for _, key := range keys {
		page.Objects = append(page.Objects, share(s.objects[key].info))
	}
	return page, nil
}

// Describe implements store.Store.
func (s *Store) Describe() store.Description { return store.Description{Kind: "memory"} }

// Health implements store.Store.
func (s *Store) Health(context.Context) store.Health {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return store.Health{State: store.Down, Reason: "The store is closed."}
	}
	return store.Health{State: store.Healthy}
}

// Close implements store.Store.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return nil
}

// share keeps the store's own memory out of a caller's hands.
func share(info store.Info) store.Info {
	info.Meta, info.SHA256 = maps.Clone(info.Meta), bytes.Clone(info.SHA256)
	return info
}

func errClosed() error { return fmt.Errorf("%w: the store is closed", store.ErrUnavailable) }

func newETag() string {
	var nonce [16]byte
	rand.Read(nonce[:]) // never fails: crypto/rand ends the program first
	return `"` + hex.EncodeToString(nonce[:]) + `"`
}
