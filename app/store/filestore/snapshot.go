package filestore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"bogops/app/store"
)

const (
	// tick is longer than any kernel's clock for the times of files stands
	// still: 10 ms at the slowest tick, a few ms usually.
	tick = 100 * time.Millisecond

	// maxKeptNames bounds the names of objects that are kept, in bytes.
	maxKeptNames = 64 << 20
)

// snapshot is the keys that a shard held at one moment. It is never changed.
//
// It is kept for as long as the shard's mtime says that no name has come or
// gone, by whatever process. Two changes within one tick of the kernel's clock
// may leave the same mtime, so that a snapshot is kept only if the mtime, read
// before the names, was older than a tick by then: every later change has
// a later mtime. (Git's index has the same race, and the same way out.) This
// takes a file system whose clock is this machine's.
type snapshot struct {
	changed unix.Timespec
	keys    []string          // sorted
	long    map[string]string // names to keys, of keys that are too long to be names
	bytes   int64             // that it takes, about
	number  uint64            // no other kept one has it; 0: it is not kept
}

// keptNames counts the kept snapshots, and the bytes of those that still are.
type keptNames struct {
	bytes atomic.Int64
	count atomic.Uint64
}

// keep keeps a snapshot of shard, unless there are too many bytes already.
func (k *keptNames) keep(shard *directory, snap *snapshot) {
	snap.number = k.count.Add(1)
	if k.bytes.Add(snap.bytes) > maxKeptNames {
		k.bytes.Add(-snap.bytes)
		snap = nil
	}
	if old := shard.kept.Swap(snap); old != nil {
		k.bytes.Add(-old.bytes)
	}
}

// snapshotOf returns what a shard holds, nil where nobody has made it. What was
// acknowledged before is in it, or no more, and what is not in it stays away
// after a power cut.
func (s *Store) snapshotOf(ctx context.Context, number int) (*snapshot, *directory, error) {
	shard, err := s.shard(number)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	stat, err := shard.stat()
	if err != nil {
		return nil, nil, err
	}
	kept := shard.kept.Load()
	if kept != nil && kept.changed == stat.Mtim {
		return kept, shard, nil
	}
	names, changed, keep, err := s.namesOf(ctx, shard, stat.Mtim)
	if err != nil {
		return nil, nil, err
	}
	snap, err := s.parse(number, names, kept)
	if err != nil {
		return nil, nil, err
	}
	if snap.changed = changed; keep {
		s.names.keep(shard, snap)
	}
	return snap, shard, nil
}

// namesOf reads the names in a shard, which last changed then. Whether they may
// be kept as those of changed is for the clock to say.
func (s *Store) namesOf(ctx context.Context, shard *directory, then unix.Timespec) (names []string, changed unix.Timespec, keep bool, err error) {
	if old(then) {
		if names, err = shard.names(); err != nil {
			return nil, then, false, diskError("list", err)
		}
		stat, err := shard.stat()
		if err == nil && stat.Mode&unsettledShard != 0 {
			err = s.settleShard(shard)
		}
		if err != nil || stat.Mtim == then {
			return names, then, true, err
		}
	}
	if err := shard.lock(ctx); err != nil {
		return nil, then, false, err
	}
	defer shard.unlock()
	stat, err := shard.stat()
	if err != nil {
		return nil, then, false, err
	}
	keep = old(stat.Mtim)
	if stat.Mode&unsettledShard != 0 { // left by a delete that was killed
		if err := s.syncShard(shard); err != nil {
			return nil, then, false, err
		}
	}
	if names, err = shard.names(); err != nil {
		return nil, then, false, diskError("list", err)
	}
	return names, stat.Mtim, keep, nil
}

// old says whether whatever changes from now on gets a later time than then.
func old(then unix.Timespec) bool { return time.Since(time.Unix(then.Unix())) >= tick }

// parse makes a snapshot of names. Before is one of the same shard, whose
// strings are used again, or nil.
func (s *Store) parse(number int, names []string, before *snapshot) (*snapshot, error) {
	if before == nil {
		before = &snapshot{}
	}
	snap := &snapshot{keys: make([]string, 0, len(names)), bytes: 200}
	for _, name := range names {
		key, ok := before.known(name)
		if !ok {
			var err error
			if key, ok, err = s.readKey(number, name); err != nil {
				return nil, err
			}
		}
		if !ok {
			continue
		}
		if len(name) == maxName && name != key {
			if snap.long == nil {
				snap.long = map[string]string{}
			}
			snap.long[name] = key
			snap.bytes += maxName + 100
		}
		snap.keys = append(snap.keys, key)
		snap.bytes += int64(len(key)) + 24
	}
	slices.Sort(snap.keys)
	return snap, nil
}

// known finds the key of a name that is in the snapshot.
func (snap *snapshot) known(name string) (key string, ok bool) {
	if key, ok = snap.long[name]; ok {
		return key, true
	}
	key, _ = unescape(name)
	at, ok := slices.BinarySearch(snap.keys, key)
	if !ok || escape(key) != name {
		return "", false
	}
	return snap.keys[at], true
}

// readKey returns the key that a name in a shard stands for. One that is too
// long to be a name is in the file's head. Not ok is what is no object of ours,
// or has gone.
func (s *Store) readKey(number int, name string) (key string, ok bool, err error) {
	key, whole, ok := keyOf(number, name)
	if whole || !ok {
		return key, ok, nil
	}
	at := place{number, name}
	h, err := s.readHeadAt(at, "")
	if errors.Is(err, store.ErrNotFound) {
		return "", false, nil
	}
	if err == nil && placeOf(h.info.Key) != at {
		err = fmt.Errorf("%w: it holds another key, %s", ErrDamaged, store.Fingerprint(h.info.Key))
	}
	if err != nil {
		return "", false, fmt.Errorf("%s: %w", at.blind(), err)
	}
	return h.info.Key, true, nil
}

// stat describes the directory, or says that someone has removed it below us:
// then a name that is not found says nothing about what was stored.
func (d *directory) stat() (unix.Stat_t, error) {
	var stat unix.Stat_t
	if err := unix.Fstat(int(d.file.Fd()), &stat); err != nil {
		return stat, diskError("stat", err)
	}
	if stat.Nlink == 0 {
		return stat, errGone(d)
	}
	return stat, nil
}
