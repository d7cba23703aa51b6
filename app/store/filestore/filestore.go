// Package filestore keeps objects in files of a local directory, one file per
// object. It is durable, and several processes may share its directory.
//
// A write goes to a new file; its data are synced, it takes the object's name
// by one link or rename, the directory is synced, and then it is acknowledged.
// Names are taken and conditions checked under a lock of the directory that
// holds between processes; syncs of one directory are shared. Reads take no
// lock, and yet answer nothing, no 404 either, that a power cut could take
// back: a read that meets what is not synced syncs it (see settle).
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
	late     time.Duration // how long after its body a write may still take effect
	fileMode uint32        // of a new file
	rooms    sync.Pool     // of *[roomLen]byte
	names    keptNames
	infos    infoCache

	together bool         // syncs may share one of the whole file system
	syncing  atomic.Int64 // that go on now
	whole    sharedSync

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
	if h.read, err = s.writeFile(d.file, &h, store.Verify(ctx, body, opts)); err != nil {
		return store.Info{}, err
	}
	if err := s.syncData(d.file); err != nil {
		return store.Info{}, err
	}
	h.info.Replaced, err = s.commit(ctx, d, shard, at, &h, opts)
	return h.info, err
}

// commit makes the draft the object at its place, durably, unless opts forbid.
func (s *Store) commit(ctx context.Context, d *draft, shard *directory, at place, h *head, opts store.PutOptions) (replaced bool, err error) {
	replaced, err = s.name(ctx, d, shard, at, h, opts)
	if err != nil {
		return false, err
	}
	if err := s.syncShard(shard); err != nil {
		return false, fmt.Errorf("%w: %w", store.ErrUnknown, err)
	}
	settled(int(d.file.Fd()), s.fileMode)
	return replaced, nil
}

// name gives the draft the object's name, under the lock.
func (s *Store) name(ctx context.Context, d *draft, shard *directory, at place, h *head, opts store.PutOptions) (replaced bool, err error) {
	if err := shard.lock(ctx); err != nil {
		return false, err
	}
	defer shard.unlock()
	if err := errors.Join(ctx.Err(), s.healthy(), s.inTime(h.read)); err != nil {
		return false, err
	}
	if err := s.allowed(h.info.Key, at, opts); err != nil {
		return false, err
	}
	err = s.disk.create(d, shard.file, at.name)
	if errors.Is(err, unix.EEXIST) {
		if opts.IfAbsent { // someone who takes no lock was here
			return false, fmt.Errorf("%w: the key holds an object already", store.ErrCondition)
		}
		replaced = true
		err = s.disk.replace(d, shard.file, at.name)
	}
	if err != nil {
		return false, diskError("name", err)
	}
	return replaced, nil
}

// inTime refuses to let a write take effect more than s.late after since: when
// its body's last byte was read, or the delete began. A process may be stopped
// at any moment, for long, and its client, gone meanwhile, may have written the
// key anew through another process: the old write must not take effect after
// that one was acknowledged. The caller holds the lock, so that whoever is
// stopped between this check and the effect keeps every other writer of the key
// waiting, and none can be acknowledged in between; checked outside the lock it
// would prove nothing. What is left: a client of less patience than s.late
// whose going has not ended ctx yet.
func (s *Store) inTime(since time.Time) error {
	if took := s.now().Sub(since); took > s.late {
		return fmt.Errorf("%w: the write was held up for %s, more than %s, and is given up",
			store.ErrUnavailable, took.Round(time.Millisecond), s.late)
	}
	return nil
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
	begun := s.now()
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
	if err := errors.Join(ctx.Err(), s.healthy(), s.inTime(begun)); err != nil {
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
	return s.unlink(shard, at.name)
}

// unlink takes a name away, durably. The lock is held to the end, unlike a
// put's: the mark is one for all deletes of the shard.
func (s *Store) unlink(shard *directory, name string) error {
	if err := shard.mark(true); err != nil {
		return err
	}
	if err := shard.remove(name); err != nil && !errors.Is(err, unix.ENOENT) {
		return diskError("remove", err)
	}
	if err := s.syncShard(shard); err != nil {
		return fmt.Errorf("%w: %w", store.ErrUnknown, err)
	}
	_ = shard.mark(false) // or the next who misses a name syncs once more
	return nil
}

// Describe implements store.Store.
func (s *Store) Describe() store.Description {
	return store.Description{Kind: "filesystem", Durable: true}
}
