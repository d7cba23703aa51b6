// Package content makes the bytes of every object of a campaign from the seed,
// and recognises them when they come back. Nothing is stored: any part of any
// version of any key can be made again.
package content

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"io"
	"sync"
)

// HeaderSize is how many bytes at the front name run, key, version and length.
const HeaderSize = 64

// magic, run hash 8, key hash 16, version 8, length 8, tag 16.
const magic = "BOGOPS/1"

const chunk = 32 << 10

// Object is one version of one key.
type Object struct {
	Key     string
	Version uint64 // from 1
	Size    int64
}

// Maker makes and recognises the content of one run. It is safe for concurrent
// use.
type Maker struct {
	secret []byte
	run    [8]byte
	chunks sync.Pool
}

// New returns the maker of a run's content; the seed stays secret until the end
// of the contest.
func New(seed []byte, run string) *Maker {
	mac := hmac.New(sha256.New, seed)
	mac.Write([]byte("content\x00" + run))
	m := &Maker{secret: mac.Sum(nil)}
	name := sha256.Sum256([]byte(run))
	copy(m.run[:], name[:])
	m.chunks.New = func() any { return new([chunk]byte) }
	return m
}

// Bytes returns the whole object.
func (m *Maker) Bytes(o Object) []byte { return m.Part(o, 0, o.Size) }

// Part returns the bytes from offset on, at most length of them.
func (m *Maker) Part(o Object, offset, length int64) []byte {
	offset = min(offset, o.Size)
	part := make([]byte, min(length, o.Size-offset))
	m.stream(hashKey(o.Key), o.Version, o.Size, offset).fill(part)
	return part
}

// Reader reads the object from its beginning, in constant memory.
func (m *Maker) Reader(o Object) io.Reader {
	return &reader{m.stream(hashKey(o.Key), o.Version, o.Size, 0)}
}

type reader struct{ s *stream }

func (r *reader) Read(p []byte) (int, error) {
	left := r.s.size - r.s.offset
	if left == 0 {
		return 0, io.EOF
	}
	p = p[:min(int64(len(p)), left)]
	r.s.fill(p)
	return len(p), nil
}

type keyHash [16]byte

func hashKey(key string) (h keyHash) {
	sum := sha256.Sum256([]byte(key))
	copy(h[:], sum[:])
	return h
}

// stream yields an object's bytes from an offset on.
type stream struct {
	ctr    cipher.Stream
	header [HeaderSize]byte
	offset int64
	size   int64
}

// stream keys AES-128 in counter mode (NIST SP 800-38A) with HMAC-SHA-256 of
// key hash and version: the first half is the key, the second the counter.
func (m *Maker) stream(key keyHash, version uint64, size, offset int64) *stream {
	s := &stream{header: m.header(key, version, size), offset: offset, size: size}
	sum := m.sum("bytes", key, version, 0)
	block, err := aes.NewCipher(sum[:16])
	if err != nil {
		panic("content: AES refuses a key of 16 bytes: " + err.Error())
	}
	s.ctr = cipher.NewCTR(block, counterAt(sum[16:], offset/aes.BlockSize))
	var skipped [aes.BlockSize]byte
	s.ctr.XORKeyStream(skipped[:offset%aes.BlockSize], skipped[:offset%aes.BlockSize])
	return s
}

// counterAt adds blocks to a counter of 128 bits.
func counterAt(iv []byte, blocks int64) []byte {
	low := binary.BigEndian.Uint64(iv[8:16])
	high := binary.BigEndian.Uint64(iv[:8])
	sum := low + uint64(blocks)
	if sum < low {
		high++
	}
	counter := binary.BigEndian.AppendUint64(nil, high)
	return binary.BigEndian.AppendUint64(counter, sum)
}

func (s *stream) fill(p []byte) {
	clear(p)
	s.ctr.XORKeyStream(p, p)
	if s.offset < HeaderSize {
		copy(p, s.header[s.offset:])
	}
	s.offset += int64(len(p))
}

func (m *Maker) header(key keyHash, version uint64, size int64) (h [HeaderSize]byte) {
	copy(h[:], magic)
	copy(h[8:], m.run[:])
	copy(h[16:], key[:])
	binary.BigEndian.PutUint64(h[32:], version)
	binary.BigEndian.PutUint64(h[40:], uint64(size))
	tag := m.sum("header", key, version, size)
	copy(h[48:], tag[:16])
	return h
}

// parse returns what a header names, if this run made it. The tag is why a
// platform cannot cut an object and write a shorter length into it.
func (m *Maker) parse(h []byte) (key keyHash, version uint64, size int64, ours bool) {
	copy(key[:], h[16:])
	version = binary.BigEndian.Uint64(h[32:])
	size = int64(binary.BigEndian.Uint64(h[40:]))
	want := m.header(key, version, size)
	return key, version, size, subtle.ConstantTimeCompare(h, want[:]) == 1
}

func (m *Maker) sum(purpose string, key keyHash, version uint64, size int64) []byte {
	mac := hmac.New(sha256.New, m.secret)
	message := append([]byte(purpose), key[:]...)
	message = binary.BigEndian.AppendUint64(message, version)
	mac.Write(binary.BigEndian.AppendUint64(message, uint64(size)))
	return mac.Sum(nil)
}
