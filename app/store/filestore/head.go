package filestore

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"maps"
	"slices"
	"time"

	"bogops/app/store"
)

// A file is a head and a body, and nothing beside it: a copy of the file is a
// copy of the object. The head is 96 bytes, big-endian, and the description:
//
//	 0  8 magic          "bogops\r\n": a transfer as text shows at once
//	 8  4 version        2
//	12  4 description    its length in bytes
//	16  8 size           of the object in bytes
//	24  8 modified       nanoseconds since 1970, UTC
//	32 16 nonce          drawn for this write; in hex and quotes, the ETag
//	48 32 digest         SHA-256 of the object's bytes
//	80 12 zero
//	92  4 checksum       CRC-32C of the 92 bytes before and the description
//
// The description is the key, the content type, then names and values of the
// metadata, each as a length (uvarint) and its bytes: keys need not be text.
// Version 1 had no digest. It is refused, not read: nothing was released with
// it, and a reader for it would be code that no object needs.
const (
	magic          = "bogops\r\n"
	version        = 2
	fixedLen       = 96
	sumAt          = fixedLen - sumLen
	maxDescription = 32 << 10
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// ErrDamaged is wrapped where a file is not what was once written to it. No
// byte that fails its checksum is ever served.
var ErrDamaged = fmt.Errorf("%w file", store.ErrDamaged)

type nonce [16]byte

func (n nonce) etag() string {
	var tag [2 + 2*len(n)]byte
	tag[0], tag[len(tag)-1] = '"', '"'
	hex.Encode(tag[1:], n[:])
	return string(tag[:])
}

type head struct {
	info    store.Info
	nonce   nonce
	bodyAt  int64
	read    time.Time // of a write: when its body had been read
	encoded []byte    // the fixed part, not yet complete, and the description
}

func newHead(key string, n nonce, modified time.Time, opts store.PutOptions) (head, error) {
	h := head{
		nonce: n,
		info: store.Info{Key: key, ETag: n.etag(), ContentType: opts.ContentType,
			Modified: modified.Round(0).UTC(), Meta: maps.Clone(opts.Meta)},
		encoded: make([]byte, fixedLen, fixedLen+len(key)+len(opts.ContentType)+16),
	}
	h.append(key)
	h.append(opts.ContentType)
	for _, name := range slices.Sorted(maps.Keys(opts.Meta)) {
		h.append(name)
		h.append(opts.Meta[name])
	}
	h.bodyAt = int64(len(h.encoded))
	if n := h.bodyAt - fixedLen; n > maxDescription {
		return head{}, fmt.Errorf("key, content type and metadata take %d bytes; want at most %d", n, maxDescription)
	}
	return h, nil
}

func (h *head) append(field string) {
	h.encoded = binary.AppendUvarint(h.encoded, uint64(len(field)))
	h.encoded = append(h.encoded, field...)
}

// seal completes the head of an object of size bytes, whose SHA-256 is digest,
// and returns its encoding.
func (h *head) seal(size int64, digest []byte) []byte {
	h.info.Size, h.info.SHA256 = size, digest
	b := h.encoded
	copy(b, magic)
	binary.BigEndian.PutUint32(b[8:], version)
	binary.BigEndian.PutUint32(b[12:], uint32(len(b)-fixedLen))
	binary.BigEndian.PutUint64(b[16:], uint64(size))
	binary.BigEndian.PutUint64(b[24:], uint64(h.info.Modified.UnixNano()))
	copy(b[32:], h.nonce[:])
	copy(b[48:], digest)
	binary.BigEndian.PutUint32(b[sumAt:], headSum(b))
	return b
}

func headSum(b []byte) uint32 {
	return crc32.Update(crc32.Checksum(b[:sumAt], castagnoli), castagnoli, b[fixedLen:])
}

// headLen returns the length of the head that begins with b, its fixed part.
func headLen(b []byte) (int, error) {
	if len(b) < fixedLen {
		return 0, fmt.Errorf("%w: %d bytes are no head", ErrDamaged, len(b))
	}
	if string(b[:8]) != magic {
		return 0, fmt.Errorf("%w: it begins with %q, not %q", ErrDamaged, b[:8], magic)
	}
	if v := binary.BigEndian.Uint32(b[8:]); v != version {
		return 0, fmt.Errorf("%w: its format is %d, this store reads %d", ErrDamaged, v, version)
	}
	n := binary.BigEndian.Uint32(b[12:])
	if n > maxDescription {
		return 0, fmt.Errorf("%w: its description has %d bytes", ErrDamaged, n)
	}
	return fixedLen + int(n), nil
}

// parseHead reads a head that is all of b, and is meant to be of key.
func parseHead(b []byte, key string) (head, error) {
	if headSum(b) != binary.BigEndian.Uint32(b[sumAt:]) {
		return head{}, fmt.Errorf("%w: its head does not match its checksum", ErrDamaged)
	}
	h := head{bodyAt: int64(len(b)), nonce: nonce(b[32:48])}
	h.info = store.Info{
		Size:     int64(binary.BigEndian.Uint64(b[16:])),
		ETag:     h.nonce.etag(),
		Modified: time.Unix(0, int64(binary.BigEndian.Uint64(b[24:]))).UTC(),
		SHA256:   bytes.Clone(b[48:80]),
	}
	if h.info.Size < 0 {
		return head{}, fmt.Errorf("%w: its size is %d", ErrDamaged, h.info.Size)
	}
	return h, h.describe(b[fixedLen:], key)
}

// describe reads the description that is all of b.
func (h *head) describe(b []byte, key string) error {
	h.info.Key = key // spares a copy where it is what is written there
	for i := 0; len(b) > 0 || i < 2; i++ {
		field, rest, err := cutField(b)
		if err != nil {
			return fmt.Errorf("%w: field %d of its description is cut off", err, i)
		}
		switch b = rest; {
		case i == 0 && string(field) != key:
			h.info.Key = string(field)
		case i == 1:
			h.info.ContentType = string(field)
		case i > 1:
			var value []byte
			if value, b, err = cutField(b); err != nil {
				return fmt.Errorf("%w: its metadata %q has no value", err, field)
			}
			if h.info.Meta == nil {
				h.info.Meta = map[string]string{}
			}
			h.info.Meta[string(field)] = string(value)
		}
	}
	return nil
}

// cutField takes the first field off a description.
func cutField(b []byte) (field, rest []byte, err error) {
	n, width := binary.Uvarint(b)
	if width <= 0 || n > uint64(len(b)-width) {
		return nil, nil, ErrDamaged
	}
	end := width + int(n)
	return b[width:end], b[end:], nil
}

// belongs checks that a file holds the key that its name stands for.
func (h head) belongs(key string) error {
	if h.info.Key != key {
		return fmt.Errorf("%w: it holds another key, %s", ErrDamaged, store.Fingerprint(h.info.Key))
	}
	return nil
}
