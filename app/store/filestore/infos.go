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
	info store.Info
}

func (c *infoCache) get(key string, of identity) (store.Info, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	found, ok := c.recent[key]
	if !ok {
		if found, ok = c.before[key]; ok && found.of == of {
			c.hold(found)
		}
	}
	return lend(found.info), ok && found.of == of
}

func (c *infoCache) put(info store.Info, of identity) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hold(cachedInfo{of, lend(info)})
}

func (c *infoCache) hold(held cachedInfo) {
	const each = 400 // of what has no length of its own
	size := each + len(held.info.Key) + len(held.info.ContentType)
	for name, value := range held.info.Meta {
		size += each/4 + len(name) + len(value)
	}
	if c.bytes += size; c.recent == nil || c.bytes > maxInfos/2 {
		c.before, c.recent, c.bytes = c.recent, map[string]cachedInfo{}, size
	}
	c.recent[held.info.Key] = held
}

// lend keeps the cache's own memory out of a caller's hands.
func lend(info store.Info) store.Info {
	info.Meta, info.SHA256 = maps.Clone(info.Meta), bytes.Clone(info.SHA256)
	return info
}

// infoOf is stat for listings, which ask for the same objects again and again.
func (s *Store) infoOf(shard *directory, key string) (store.Info, error) {
	at := placeOf(key)
	var stat unix.Stat_t
	err := retry(func() error { return unix.Fstatat(int(shard.file.Fd()), at.name, &stat, unix.AT_SYMLINK_NOFOLLOW) })
	switch {
	case errors.Is(err, unix.ENOENT):
		return store.Info{}, s.absent(shard)
	case err != nil:
		return store.Info{}, diskError("stat", err)
	}
	of := identityOf(&stat)
	if stat.Mode&unsettledFile == 0 {
		if info, ok := s.infos.get(key, of); ok {
			return info, nil
		}
	}
	info, read, err := s.statAt(key, at)
	if err == nil && read == of && old(of.changed) {
		s.infos.put(info, of)
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
