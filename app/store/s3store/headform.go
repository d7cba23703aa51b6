package s3store

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"time"

	"bogops/app/store"
	"bogops/app/store/versioned"
)

// A head in S3 is an object: this magic, the length of the header and its
// CRC-32C (four bytes each, big-endian), the header as JSON, and, where it is
// small, the body. The header holds the version with its nonce: so no two heads
// have the same bytes, and the tag that S3 makes of them is that of one write.
const (
	headMagic  = "BOGAWAY1"
	headFixed  = len(headMagic) + 8
	maxHeader  = 64 << 10
	headGlance = 16 << 10 // bytes asked for where only the header is wanted
)

// header is what lies in front of the bytes.
type header struct {
	Epoch       uint64            `json:"epoch"`
	Generation  uint64            `json:"generation"`
	Nonce       []byte            `json:"nonce"`
	Over        string            `json:"over,omitempty"` // the version that was replaced, "" for nothing
	Tombstone   bool              `json:"tombstone,omitempty"`
	Key         string            `json:"key"`
	Size        int64             `json:"size"`
	ContentType string            `json:"contentType,omitempty"`
	Meta        map[string]string `json:"meta,omitempty"`
	Modified    time.Time         `json:"modified"`
	SHA256      []byte            `json:"sha256,omitempty"`
	Body        string            `json:"body,omitempty"` // the draft whose body it is; "": the body follows
}

// stored is a head as it lies in S3.
type stored struct {
	versioned.Head
	over string
	body string
}

// fullName is all of a version in one word.
func fullName(v versioned.Version) string {
	if v.IsZero() {
		return ""
	}
	return fmt.Sprintf("%d.%d.%x", v.Epoch, v.Generation, v.Nonce)
}

func encodeHead(s stored, inline []byte) ([]byte, error) {
	v, info := s.Version, s.Info
	text, err := json.Marshal(header{
		Epoch: v.Epoch, Generation: v.Generation, Nonce: v.Nonce[:], Over: s.over, Tombstone: s.Tombstone, Key: info.Key,
		Size: info.Size, ContentType: info.ContentType, Meta: info.Meta, Modified: info.Modified, SHA256: info.SHA256, Body: s.body,
	})
	if err != nil {
		return nil, fmt.Errorf("a head that cannot be written: %w", err)
	}
	if len(text) > maxHeader {
		return nil, fmt.Errorf("%w: a head of %d bytes, want at most %d", store.ErrTooLarge, len(text), maxHeader)
	}
	data := make([]byte, 0, headFixed+len(text)+len(inline))
	data = append(data, headMagic...)
	data = binary.BigEndian.AppendUint32(data, uint32(len(text)))
	data = binary.BigEndian.AppendUint32(data, crc32.Checksum(text, crc32.MakeTable(crc32.Castagnoli)))
	return append(append(data, text...), inline...), nil
}

// decodeHead reads the head of key from the beginning of an object, and leaves
// r where the body begins.
func decodeHead(r io.Reader, key, etag string) (stored, error) {
	fixed := make([]byte, headFixed)
	if _, err := io.ReadFull(r, fixed); err != nil {
		return stored{}, broken("no head", err)
	}
	length := binary.BigEndian.Uint32(fixed[len(headMagic):])
	if string(fixed[:len(headMagic)]) != headMagic || length > maxHeader {
		return stored{}, broken("no head", nil)
	}
	text := make([]byte, length)
	if _, err := io.ReadFull(r, text); err != nil {
		return stored{}, broken("half a head", err)
	}
	if crc32.Checksum(text, crc32.MakeTable(crc32.Castagnoli)) != binary.BigEndian.Uint32(fixed[len(headMagic)+4:]) {
		return stored{}, broken("a head whose checksum is wrong", nil)
	}
	var h header
	if err := json.NewDecoder(bytes.NewReader(text)).Decode(&h); err != nil || len(h.Nonce) != 16 {
		return stored{}, broken("a head that cannot be read", nil)
	}
	if key != "" && h.Key != key {
		return stored{}, broken("the head of another key", nil)
	}
	s := stored{over: h.Over, body: h.Body}
	s.Version = versioned.Version{Epoch: h.Epoch, Generation: h.Generation, Nonce: [16]byte(h.Nonce)}
	s.Tombstone, s.Guard = h.Tombstone, makeGuard(etag, h.Body)
	s.Info = store.Info{Key: h.Key, Modified: h.Modified.UTC()}
	if !h.Tombstone {
		s.Info.Size, s.Info.ContentType, s.Info.Meta, s.Info.SHA256 = h.Size, h.ContentType, h.Meta, h.SHA256
		s.Info.ETag = s.Version.ETag()
	}
	return s, nil
}

// broken tells bytes that are wrong from bytes that did not arrive.
func broken(what string, err error) error {
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return err
	}
	return fmt.Errorf("%w: the object holds %s", store.ErrDamaged, what)
}
