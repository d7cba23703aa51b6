// Package filestore keeps objects in files of a local directory, one file per
// object. It is durable, and several processes may share its directory.
//
// A write goes to a new file; its data are synced, it takes the object's name
// by one link or rename, the directory is synced, and then it is acknowledged.
// The last three happen under a lock of the directory that holds between
// processes, and so does every check of a condition. Reads take no lock: a read
// may therefore see a write a moment before its acknowledgement, and if the
// power fails in that moment the write may be gone though it was seen.
//
// A failed sync poisons the store: the kernel may have dropped what it could
// not write and will not say so twice, so nothing is written any more until the
// store is opened anew.
package filestore

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"bogops/app/store"
)

// Store is a store.Store over a directory.
type Store struct {
	root     string
	objects  *directory
	shards   [shards]atomic.Pointer[directory] // nil: not opened yet
	writing  *directory                        // drafts that have names
	nameless bool                              // the file system takes files without names
	disk     disk
	now      func() time.Time
	rooms    sync.Pool // of *[roomLen]byte

	poison atomic.Pointer[string] // why nothing is written any more
	full   atomic.Bool            // the last write found the disk full

	closing atomic.Bool
	open    sync.RWMutex // read: an operation runs; written: by Close, which waits for them
}

var _ store.Store = (*Store)(nil)

// Put implements store.Store.
func (s *Store) Put(ctx context.Context, key string, body io.Reader, opts store.PutOptions) (store.Info, error) {
	info, err := s.put(ctx, key, body, opts)
	if err != nil {
		if errors.Is(err, store.ErrFull) {
			s.full.Store(true)
		}
		return store.Info{}, fmt.Errorf("filestore: put %s: %w", store.Fingerprint(key), err)
	}
	s.full.Store(false)
	return info, nil
}

func (s *Store) put(ctx context.Context, key string, body io.Reader, opts store.PutOptions) (store.Info, error) {
	if err := s.enter(); err != nil {
		return store.Info{}, err
	}
	defer s.leave()
	at := placeOf(key)
	if err := errors.Join(ctx.Err(), s.healthy()); err != nil {
		return store.Info{}, err
	}
	// A condition that fails already spares the body; what counts is the
	// check under the lock.
	if err := s.allowed(key, at, opts); err != nil {
		return store.Info{}, err
	}
	var n nonce
	rand.Read(n[:]) // never fails: crypto/rand ends the program first
	h, err := newHead(key, n, s.now(), opts)
	if err != nil {
		return store.Info{}, err
	}
	shard, err := s.madeShard(at.shard)
	if err != nil {
		return store.Info{}, err
	}
	d, err := s.newDraft(ctx, shard, n)
	if err != nil {
		return store.Info{}, err
	}
	defer d.discard()
	if err := s.writeFile(d.file, &h, store.Verify(ctx, body, opts)); err != nil {
		return store.Info{}, err
	}
	if err := s.disk.syncData(d.file); err != nil {
		return store.Info{}, s.syncFailed("data", err)
	}
	h.info.Replaced, err = s.commit(ctx, d, shard, at, opts, key)
	return h.info, err
}

// commit makes the draft the object at its place, durably, unless opts forbid.
func (s *Store) commit(ctx context.Context, d *draft, shard *directory, at place, opts store.PutOptions, key string) (replaced bool, err error) {
	if err := shard.lock(ctx); err != nil {
		return false, err
	}
	defer shard.unlock()
	if err := s.healthy(); err != nil {
		return false, err
	}
	if err := s.allowed(key, at, opts); err != nil {
		return false, err
	}
	err = d.create(shard.file, at.name)
	if errors.Is(err, unix.EEXIST) {
		if opts.IfAbsent {
			return false, opts.Check(at.name) // someone who takes no lock was here
		}
		replaced = true
		err = d.replace(shard.file, at.name)
	}
	if err != nil {
		return false, diskError("name", err)
	}
	if err := s.disk.syncDir(shard.file); err != nil {
		return false, fmt.Errorf("%w: %w", store.ErrUnknown, s.syncFailed("directory", err))
	}
	return replaced, nil
}

// allowed checks the conditions of opts against what key holds now.
func (s *Store) allowed(key string, at place, opts store.PutOptions) error {
	if !opts.IfAbsent && opts.IfMatch == "" {
		return nil
	}
	etag, err := s.etag(key, at)
	if err != nil {
		return err
	}
	return opts.Check(etag)
}

// etag is empty where key holds nothing.
func (s *Store) etag(key string, at place) (string, error) {
	info, err := s.stat(key, at)
	if errors.Is(err, store.ErrNotFound) {
		return "", nil
	}
	return info.ETag, err
}

// Delete implements store.Store. It syncs also where there was nothing: what a
// process that died had removed may still be on the disk.
func (s *Store) Delete(ctx context.Context, key, ifMatch string) error {
	if err := s.remove(ctx, key, ifMatch); err != nil {
		return fmt.Errorf("filestore: delete %s: %w", store.Fingerprint(key), err)
	}
	return nil
}

func (s *Store) remove(ctx context.Context, key, ifMatch string) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.leave()
	if err := errors.Join(ctx.Err(), s.healthy()); err != nil {
		return err
	}
	at := placeOf(key)
	shard, err := s.shard(at.shard)
	if errors.Is(err, store.ErrNotFound) {
		return store.CheckMatch(ifMatch, "")
	}
	if err != nil {
		return err
	}
	if err := shard.lock(ctx); err != nil {
		return err
	}
	defer shard.unlock()
	if err := s.healthy(); err != nil {
		return err
	}
	if ifMatch != "" {
		etag, err := s.etag(key, at)
		if err != nil {
			return err
		}
		if err := store.CheckMatch(ifMatch, etag); err != nil {
			return err
		}
	}
	if err := shard.remove(at.name); err != nil && !errors.Is(err, unix.ENOENT) {
		return diskError("remove", err)
	}
	if err := s.disk.syncDir(shard.file); err != nil {
		return fmt.Errorf("%w: %w", store.ErrUnknown, s.syncFailed("directory", err))
	}
	return nil
}

// Describe implements store.Store.
func (s *Store) Describe() store.Description {
	return store.Description{Kind: "filesystem", Durable: true}
}
