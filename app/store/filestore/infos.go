package filestore

import (
	"bytes"
	"errors"
	"maps"
	"sync"

	"golang.org/x/sys/unix"

	"bogops/app/store"
)

// maxInfos bounds what infoCache holds, in bytes, about.
const maxInfos = 16 << 20

// identity tells a file from every other one that has its name sooner or later:
// a file never changes once it is an object, and whoever gets its number again
// is marked later. As with names, that holds where the time was older than
// a tick when it was read.
type identity struct {
	inode   uint64
	size    int64
	changed unix.Timespec
}

func identityOf(stat *unix.Stat_t) identity { return identity{stat.Ino, stat.Size, stat.Ctim} }

// infoCache holds what listings have read of objects. It forgets what was not
// asked for while half of its bytes were taken by others.
type infoCache struct {
	mu     sync.Mutex
	recent map[string]cachedInfo
	before map[string]cachedInfo
	bytes  int // of recent
}

type cachedInfo struct {
	of   identity
	in   uint64 // the number of a kept snapshot; while that one is right, so is the info
	info store.Info
}

func (c *infoCache) get(key string) (found cachedInfo, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if found, ok = c.recent[key]; ok {
		return found, true
	}
	if found, ok = c.before[key]; ok {
		c.hold(found)
	}
	return found, ok
}

func (c *infoCache) put(held cachedInfo) {
	held.info = lend(held.info)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hold(held)
}

func (c *infoCache) hold(held cachedInfo) {
	if old, ok := c.recent[held.info.Key]; ok {
		c.bytes -= old.bytes()
	}
	if c.bytes += held.bytes(); c.recent == nil || c.bytes > maxInfos/2 {
		c.before, c.recent, c.bytes = c.recent, map[string]cachedInfo{}, held.bytes()
	}
	c.recent[held.info.Key] = held
}

// bytes is what the cache takes for it, about.
func (held cachedInfo) bytes() int {
	const each = 400 // of what has no length of its own
	size := each + len(held.info.Key) + len(held.info.ContentType)
	for name, value := range held.info.Meta {
		size += each/4 + len(name) + len(value)
	}
	return size
}

// lend keeps the cache's own memory out of a caller's hands.
func lend(info store.Info) store.Info {
	info.Meta, info.SHA256 = maps.Clone(info.Meta), bytes.Clone(info.SHA256)
	return info
}

// infoOf is stat for listings, which ask for the same objects again and again.
// While a kept snapshot is right, no name in it has passed to another file, and
// what was read under it needs no look at the file; otherwise one fstatat tells.
func (s *Store) infoOf(e entry) (store.Info, error) {
	held, ok := s.infos.get(e.key)
	if ok && e.in != 0 && held.in == e.in {
		return lend(held.info), nil
	}
	at := placeOf(e.key)
	if ok {
		var stat unix.Stat_t
		err := retry(func() error { return unix.Fstatat(int(e.shard.file.Fd()), at.name, &stat, unix.AT_SYMLINK_NOFOLLOW) })
		if err == nil && stat.Mode&unsettledFile == 0 && identityOf(&stat) == held.of {
			held.in = e.in
			s.infos.put(held)
			return lend(held.info), nil
		}
	}
	info, of, err := s.statAt(e.key, at)
	if err == nil && old(of.changed) {
		s.infos.put(cachedInfo{of, e.in, info})
	}
	return info, err
}

// settleKey sees to it that the object that a common prefix stands for is
// synced. One that has gone meanwhile was there when the listing began.
func (s *Store) settleKey(shard *directory, key string) error {
	at := placeOf(key)
	var stat unix.Stat_t
	err := retry(func() error { return unix.Fstatat(int(shard.file.Fd()), at.name, &stat, unix.AT_SYMLINK_NOFOLLOW) })
	if err == nil && stat.Mode&unsettledFile == 0 {
		return nil
	}
	fd, _, err := s.find(at)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return unix.Close(fd)
}
