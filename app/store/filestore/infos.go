package filestore

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"maps"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"bogops/app/store"
)

// maxInfos bounds what infoCache holds, in bytes, about: of 130,000 objects
// without metadata.
const maxInfos = 32 << 20

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

// cachedInfo is an info without what can be made again.
type cachedInfo struct {
	of          identity
	in          uint64 // the number of a kept snapshot; while that one is right, so is the info
	nonce       nonce
	digest      [sha256.Size]byte
	size        int64
	modified    int64 // nanoseconds since 1970
	contentType string
	meta        map[string]string
}

func newCachedInfo(h head, of identity, in uint64) cachedInfo {
	info := h.info
	return cachedInfo{of, in, h.nonce, [sha256.Size]byte(info.SHA256), info.Size, info.Modified.UnixNano(), info.ContentType, maps.Clone(info.Meta)}
}

// lend makes the info anew: the cache's own memory stays out of a caller's hands.
func (held *cachedInfo) lend(key string) store.Info {
	return store.Info{
		Key: key, Size: held.size, ETag: held.nonce.etag(), ContentType: held.contentType,
		Modified: time.Unix(0, held.modified).UTC(), Meta: maps.Clone(held.meta), SHA256: bytes.Clone(held.digest[:]),
	}
}

func (c *infoCache) get(key string) (found cachedInfo, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if found, ok = c.recent[key]; ok {
		return found, true
	}
	if found, ok = c.before[key]; ok {
		c.hold(key, found)
	}
	return found, ok
}

func (c *infoCache) put(key string, held cachedInfo) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hold(key, held)
}

func (c *infoCache) hold(key string, held cachedInfo) {
	if old, ok := c.recent[key]; ok {
		c.bytes -= old.bytes(key)
	}
	if c.bytes += held.bytes(key); c.recent == nil || c.bytes > maxInfos/2 {
		c.before, c.recent, c.bytes = c.recent, map[string]cachedInfo{}, held.bytes(key)
	}
	c.recent[key] = held
}

// bytes is what the cache takes for it, about.
func (held *cachedInfo) bytes(key string) int {
	const entry, pair = 220, 100 // in a map, with room for the map to grow
	size := entry + len(key) + len(held.contentType)
	for name, value := range held.meta {
		size += pair + len(name) + len(value)
	}
	return size
}

// infoOf is stat for listings, which ask for the same objects again and again.
// While a kept snapshot is right, no name in it has passed to another file, and
// what was read under it needs no look at the file; otherwise one fstatat tells.
func (s *Store) infoOf(e entry) (store.Info, error) {
	held, ok := s.infos.get(e.key)
	if ok && e.in != 0 && held.in == e.in {
		return held.lend(e.key), nil
	}
	at := placeOf(e.key)
	if ok {
		var stat unix.Stat_t
		err := retry(func() error { return unix.Fstatat(int(e.shard.file.Fd()), at.name, &stat, unix.AT_SYMLINK_NOFOLLOW) })
		if err == nil && stat.Mode&unsettledFile == 0 && identityOf(&stat) == held.of {
			held.in = e.in
			s.infos.put(e.key, held)
			return held.lend(e.key), nil
		}
	}
	h, of, err := s.statAt(e.key, at)
	if err == nil && old(of.changed) {
		s.infos.put(e.key, newCachedInfo(h, of, e.in))
	}
	return h.info, err
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
