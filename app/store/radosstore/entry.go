package radosstore

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"time"

	"bogops/app/store"
	"bogops/app/store/versioned"
)

// entry is what the listing index says of one write of one key. Every write has
// an entry of its own, so that no two writers ever set the same name, and the
// index needs no conditions between them.
//
// A pending entry says that a write has begun, and nothing of how it ended. A
// settled one says that the write took effect.
type entry struct {
	key       string
	version   versioned.Version
	settled   bool
	tombstone bool
	put       time.Time // when the write began, by the writer's clock
	info      store.Info
}

// pendingEntry is the entry of a write that begins at now.
func pendingEntry(next versioned.Head, key string, now time.Time) entry {
	return entry{key: key, version: next.Version, tombstone: next.Tombstone, put: now, info: next.Info}
}

// An entry's name in the omap of its shard is the key, separator, and epoch,
// generation and nonce in hex. No key holds a byte below 0x20, so names sort by
// key and then by version. It is text because go-ceph hands the place where
// a page begins to librados as a C string, which a zero byte would cut.
const (
	separator   = "\x01"
	behindKey   = "\x02" // key+behindKey sorts after every entry of key
	behindAll   = "\xff" // prefix+behindAll sorts after every key with prefix: no UTF-8 holds it
	versionSize = 2 * (8 + 8 + 16)
)

func (e entry) name() string { return entryName(e.key, e.version) }

func entryName(key string, v versioned.Version) string {
	var raw [versionSize / 2]byte
	binary.BigEndian.PutUint64(raw[0:], v.Epoch)
	binary.BigEndian.PutUint64(raw[8:], v.Generation)
	copy(raw[16:], v.Nonce[:])
	return key + separator + hex.EncodeToString(raw[:])
}

// parseName reads what entryName wrote.
func parseName(name string) (key string, v versioned.Version, err error) {
	at := len(name) - versionSize - len(separator)
	if at < 1 || name[at:at+1] != separator {
		return "", v, fmt.Errorf("%w: index entry with a name of %d bytes that is no key and version", store.ErrDamaged, len(name))
	}
	raw, err := hex.DecodeString(name[at+1:])
	if err != nil {
		return "", v, fmt.Errorf("%w: index entry without a version in hex", store.ErrDamaged)
	}
	v.Epoch = binary.BigEndian.Uint64(raw[0:])
	v.Generation = binary.BigEndian.Uint64(raw[8:])
	copy(v.Nonce[:], raw[16:])
	return name[:at], v, nil
}

// The value of an entry: format, flags, length of the digest, put, modified and
// size as big-endian integers (times in nanoseconds of Unix time), the digest,
// and the content type as the rest.
const (
	entryFormat   = 1
	flagSettled   = 1
	flagTombstone = 2
	entryFixed    = 3 + 3*8
)

func (e entry) value() []byte {
	flags := byte(0)
	if e.settled {
		flags |= flagSettled
	}
	if e.tombstone {
		flags |= flagTombstone
	}
	out := make([]byte, 0, entryFixed+len(e.info.SHA256)+len(e.info.ContentType))
	out = append(out, entryFormat, flags, byte(len(e.info.SHA256)))
	out = binary.BigEndian.AppendUint64(out, nanos(e.put))
	out = binary.BigEndian.AppendUint64(out, nanos(e.info.Modified))
	out = binary.BigEndian.AppendUint64(out, uint64(e.info.Size))
	out = append(out, e.info.SHA256...)
	return append(out, e.info.ContentType...)
}

// parseEntry reads one pair of an index shard. The value of a format that it
// does not know counts as pending: the head is looked at, and that is always
// right.
func parseEntry(p pair) (entry, error) {
	key, version, err := parseName(p.key)
	if err != nil {
		return entry{}, err
	}
	e := entry{key: key, version: version}
	v := p.value
	if len(v) < entryFixed || v[0] != entryFormat || len(v) < entryFixed+int(v[2]) {
		return e, nil
	}
	e.settled, e.tombstone = v[1]&flagSettled != 0, v[1]&flagTombstone != 0
	e.put = fromNanos(binary.BigEndian.Uint64(v[3:]))
	e.info = store.Info{
		Key: key, ETag: version.ETag(),
		Modified: fromNanos(binary.BigEndian.Uint64(v[11:])),
		Size:     int64(binary.BigEndian.Uint64(v[19:])),
	}
	if digest := v[entryFixed : entryFixed+int(v[2])]; len(digest) > 0 {
		e.info.SHA256 = append([]byte(nil), digest...)
	}
	e.info.ContentType = string(v[entryFixed+int(v[2]):])
	return e, nil
}

func nanos(t time.Time) uint64 {
	if t.IsZero() {
		return 0
	}
	return uint64(t.UnixNano())
}

func fromNanos(n uint64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, int64(n)).UTC()
}

// shardOf is the number of the shard, of so many, that holds the entries of
// key: FNV-1a of the key, modulo. It is part of what is stored, and never
// changes for a pool.
func shardOf(key string, shards int) int {
	sum := fnv.New64a()
	sum.Write([]byte(key))
	return int(sum.Sum64() % uint64(shards))
}

// shardName is the RADOS object whose omap is shard n of the index.
func shardName(n int) string { return fmt.Sprintf("i:%d", n) }
