package content

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// Kind is what a body turned out to be.
type Kind string

// What a body can be.
const (
	Whole     Kind = "whole"     // a whole version of the key: Found.Object says which
	Truncated Kind = "truncated" // the front of a version, then a clean end
	Extended  Kind = "extended"  // a whole version and more after it
	OtherKey  Kind = "other key" // bytes that this run put under another key
	Garbage   Kind = "garbage"   // bytes that this run never put
)

// Found is what Identify recognised.
type Found struct {
	Kind   Kind
	Object Object // the version that the body is, or claims to be
	Read   int64  // bytes read
	At     int64  // the first wrong byte, where Kind is not Whole
}

// String completes "got".
func (f Found) String() string {
	switch f.Kind {
	case Whole:
		return fmt.Sprintf("version %d, %d bytes", f.Object.Version, f.Object.Size)
	case Truncated:
		return fmt.Sprintf("version %d cut after %d of %d bytes", f.Object.Version, f.Read, f.Object.Size)
	case Extended:
		return fmt.Sprintf("version %d with bytes after its %d", f.Object.Version, f.Object.Size)
	case OtherKey:
		return "the bytes of another key"
	}
	return fmt.Sprintf("bytes that were never put, wrong from byte %d on", f.At)
}

// Identify reads body to its end, or to its first wrong byte, and says which
// version of key it is. Expected are the versions that it may be: they tell
// apart what is too short for a header, and where a broken header goes wrong.
// The error is body's own, never a finding.
func (m *Maker) Identify(key string, expected []Object, body io.Reader) (Found, error) {
	var head [HeaderSize]byte
	n, err := io.ReadFull(body, head[:])
	switch {
	case errors.Is(err, io.EOF) || (errors.Is(err, io.ErrUnexpectedEOF) && cleanEnd(body)):
		return m.short(expected, head[:n]), nil
	case err != nil:
		return Found{Read: int64(n)}, err
	}
	hash, version, size, ours := m.parse(head[:])
	if !ours {
		return m.closest(expected, head[:]), nil
	}
	found := Found{Kind: Whole, Object: Object{key, version, size}, Read: HeaderSize}
	if hash != hashKey(key) {
		found.Kind = OtherKey
		return found, nil
	}
	if size < HeaderSize {
		found.Kind, found.At = Extended, size
		return found, nil
	}
	return found, m.compare(&found, m.stream(hash, version, size, HeaderSize), body)
}

// cleanEnd tells the end of a short body from a connection that broke: a
// broken one gives the same error again, an ended one io.EOF.
func cleanEnd(body io.Reader) bool {
	_, err := body.Read(make([]byte, 1))
	return errors.Is(err, io.EOF)
}

// compare reads the rest of a body that began as s says.
func (m *Maker) compare(found *Found, s *stream, body io.Reader) error {
	got, want := m.chunks.Get().(*[chunk]byte), m.chunks.Get().(*[chunk]byte)
	defer m.chunks.Put(got)
	defer m.chunks.Put(want)
	for {
		n, err := body.Read(got[:])
		known := int(min(int64(n), s.size-s.offset))
		s.fill(want[:known])
		if i := mismatch(got[:known], want[:known]); i < known {
			found.Kind, found.At = Garbage, found.Read+int64(i)
			return nil
		}
		found.Read += int64(n)
		if n > known {
			found.Kind, found.At = Extended, s.size
			return nil
		}
		switch {
		case errors.Is(err, io.EOF):
			if found.Read < s.size {
				found.Kind, found.At = Truncated, found.Read
			}
			return nil
		case err != nil:
			return err
		}
	}
}

// short judges a whole body of less than a header.
func (m *Maker) short(expected []Object, body []byte) Found {
	for _, o := range expected {
		if o.Version != 0 && o.Size == int64(len(body)) && bytes.Equal(m.Bytes(o), body) {
			return Found{Kind: Whole, Object: o, Read: o.Size}
		}
	}
	return m.closest(expected, body)
}

// closest says how far the front of a wrong body agrees with what it may be.
func (m *Maker) closest(expected []Object, front []byte) Found {
	best := Found{Kind: Garbage, Read: int64(len(front))}
	for _, o := range expected {
		if o.Version == 0 {
			continue
		}
		want := m.Part(o, 0, int64(len(front)))
		i := mismatch(front, want)
		switch {
		case i == len(front) && int64(i) < o.Size && i < HeaderSize:
			return Found{Kind: Truncated, Object: o, Read: int64(i), At: int64(i)}
		case i == len(want) && len(want) < len(front):
			return Found{Kind: Extended, Object: o, Read: int64(len(front)), At: o.Size}
		case int64(i) > best.At:
			best.At = int64(i)
		}
	}
	return best
}

// mismatch is the index of the first byte that differs, or the shorter length.
func mismatch(a, b []byte) int {
	n := min(len(a), len(b))
	if bytes.Equal(a[:n], b[:n]) {
		return n
	}
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}
