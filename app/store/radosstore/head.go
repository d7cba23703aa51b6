package radosstore

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"maps"
	"slices"
	"time"

	"bogops/app/store"
	"bogops/app/store/versioned"
)

// A head is a RADOS object: fixed part, manifest, and the body where that is
// inline. The fixed part is 64 bytes, big-endian:
//
//	 0  4 magic          "bogH"
//	 4  1 format         1
//	 5  1 flags          1: tombstone
//	 6  2 zero
//	 8  8 epoch          \
//	16  8 generation      } the version of the write
//	24 16 nonce          /
//	40  8 touch          times that the guard was changed and nothing else
//	48  4 manifest       its length in bytes
//	52  4 manifest sum   its CRC-32C
//	56  4 zero
//	60  4 sum            CRC-32C of the 60 bytes before
//
// The first 48 bytes are the guard: a write takes effect only where the object
// still begins with those of the head it replaces. The magic is among them
// because RADOS compares a missing object as zeros. Touch lets a collector
// change the guard without a new version: whatever was sent over the old guard
// and never answered cannot land any more.
//
// What follows is a sum of its own, so that a touch rewrites 64 bytes whatever
// the size of the body.
const (
	magic        = "bogH"
	format       = 1
	fixedLen     = 64
	guardLen     = 48
	touchAt      = 40
	manifestAt   = 48
	fixedSumAt   = 60
	flagDeleted  = 1
	maxManifest  = 4 << 20 // the sums of a million tails: 4 TiB
	maxChunkSize = 64 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func sumOf(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }

// head is a head as it was read, or is to be written. The zero head stands for
// nothing.
type head struct {
	versioned.Head
	fixed  []byte // as read
	bodyAt int64  // where an inline body begins

	bodySum uint32  // CRC-32C of an inline body
	draft   draftID // of the tails
	chunk   int64   // bytes of every tail but the last; 0: the body is inline
	sums    []uint32
}

// inline reports whether the body is in the head.
func (h head) inline() bool { return h.chunk == 0 }

// encode returns the fixed part and the manifest, with room for more bytes
// behind them.
func (h head) encode(more int) []byte {
	b := make([]byte, fixedLen, fixedLen+256+len(h.Info.Key)+len(h.sums)*4+more)
	b = h.appendManifest(b)
	copy(b, magic)
	b[4] = format
	if h.Tombstone {
		b[5] = flagDeleted
	}
	binary.BigEndian.PutUint64(b[8:], h.Version.Epoch)
	binary.BigEndian.PutUint64(b[16:], h.Version.Generation)
	copy(b[24:], h.Version.Nonce[:])
	binary.BigEndian.PutUint32(b[manifestAt:], uint32(len(b)-fixedLen))
	binary.BigEndian.PutUint32(b[manifestAt+4:], sumOf(b[fixedLen:]))
	binary.BigEndian.PutUint32(b[fixedSumAt:], sumOf(b[:fixedSumAt]))
	return b
}

// touched returns the fixed part with one more touch.
func touched(fixed []byte) []byte {
	b := slices.Clone(fixed)
	binary.BigEndian.PutUint64(b[touchAt:], binary.BigEndian.Uint64(b[touchAt:])+1)
	binary.BigEndian.PutUint32(b[fixedSumAt:], sumOf(b[:fixedSumAt]))
	return b
}

// headLen returns how many bytes the fixed part and the manifest take of a head
// that begins with b.
func headLen(b []byte) (int, error) {
	if len(b) < fixedLen {
		return 0, fmt.Errorf("%w: %d bytes are no head", store.ErrDamaged, len(b))
	}
	if string(b[:len(magic)]) != magic {
		return 0, fmt.Errorf("%w: the head begins with %q, not %q", store.ErrDamaged, b[:len(magic)], magic)
	}
	if got := sumOf(b[:fixedSumAt]); got != binary.BigEndian.Uint32(b[fixedSumAt:]) {
		return 0, fmt.Errorf("%w: the head does not match its checksum", store.ErrDamaged)
	}
	if b[4] != format {
		return 0, fmt.Errorf("%w: the head's format is %d, this store reads %d", store.ErrDamaged, b[4], format)
	}
	n := binary.BigEndian.Uint32(b[manifestAt:])
	if n > maxManifest {
		return 0, fmt.Errorf("%w: the manifest has %d bytes, at most %d are read", store.ErrDamaged, n, maxManifest)
	}
	return fixedLen + int(n), nil
}

// parseHead reads a head of which b is all but the body.
func parseHead(b []byte) (head, error) {
	manifest := b[fixedLen:]
	if sumOf(manifest) != binary.BigEndian.Uint32(b[manifestAt+4:]) {
		return head{}, fmt.Errorf("%w: the manifest does not match its checksum", store.ErrDamaged)
	}
	h := head{fixed: slices.Clone(b[:fixedLen]), bodyAt: int64(len(b))}
	h.Version.Epoch = binary.BigEndian.Uint64(b[8:])
	h.Version.Generation = binary.BigEndian.Uint64(b[16:])
	copy(h.Version.Nonce[:], b[24:])
	h.Tombstone = b[5]&flagDeleted != 0
	h.Guard = string(b[:guardLen])
	if h.Version.IsZero() {
		return head{}, fmt.Errorf("%w: the head has no version", store.ErrDamaged)
	}
	if err := h.readManifest(manifest); err != nil {
		return head{}, err
	}
	if !h.Tombstone {
		h.Info.ETag = h.Version.ETag()
	}
	return h, nil
}

// The manifest holds, one after the other: the key, the time in nanoseconds
// since 1970; of an object also its size, SHA-256, content type, metadata (a
// count, then names and values in order of the names) and the length of a tail.
// Where that is 0 the CRC-32C of the inline body follows, otherwise the draft
// and the CRC-32C of every tail. Numbers are varints, checksums 4 bytes, texts a
// length and their bytes, which need not be UTF-8.
func (h head) appendManifest(b []byte) []byte {
	b = appendText(b, h.Info.Key)
	b = binary.AppendVarint(b, h.Info.Modified.UnixNano())
	if h.Tombstone {
		return b
	}
	b = binary.AppendUvarint(b, uint64(h.Info.Size))
	b = appendText(b, string(h.Info.SHA256))
	b = appendText(b, h.Info.ContentType)
	b = binary.AppendUvarint(b, uint64(len(h.Info.Meta)))
	for _, name := range slices.Sorted(maps.Keys(h.Info.Meta)) {
		b = appendText(b, name)
		b = appendText(b, h.Info.Meta[name])
	}
	b = binary.AppendUvarint(b, uint64(h.chunk))
	if h.inline() {
		return binary.BigEndian.AppendUint32(b, h.bodySum)
	}
	b = append(b, h.draft[:]...)
	for _, sum := range h.sums {
		b = binary.BigEndian.AppendUint32(b, sum)
	}
	return b
}

func (h *head) readManifest(b []byte) error {
	m := cutter{rest: b}
	h.Info.Key = m.text()
	h.Info.Modified = time.Unix(0, m.varint()).UTC()
	if !h.Tombstone {
		h.readObject(&m)
	}
	if m.failed || len(m.rest) > 0 {
		return fmt.Errorf("%w: the manifest cannot be read", store.ErrDamaged)
	}
	return nil
}

func (h *head) readObject(m *cutter) {
	h.Info.Size = m.size()
	h.Info.SHA256 = []byte(m.text())
	h.Info.ContentType = m.text()
	for n := m.uvarint(); n > 0 && !m.failed; n-- {
		if h.Info.Meta == nil {
			h.Info.Meta = map[string]string{}
		}
		name := m.text()
		h.Info.Meta[name] = m.text()
	}
	h.chunk = m.size()
	if h.inline() {
		h.bodySum = m.sum()
		return
	}
	copy(h.draft[:], m.bytes(len(h.draft)))
	if h.chunk > maxChunkSize || h.Info.Size == 0 {
		m.failed = true
		return
	}
	for n := (h.Info.Size-1)/h.chunk + 1; n > 0 && !m.failed; n-- {
		h.sums = append(h.sums, m.sum())
	}
}

// tail returns how many bytes tail n holds.
func (h head) tail(n int) int64 {
	return min(h.chunk, h.Info.Size-int64(n)*h.chunk)
}
