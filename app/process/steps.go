package process

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"io"
)

// digest makes a step that answers with the lower-case hex of a hash.
func digest(name string, fresh func() hash.Hash) step {
	length := int64(hex.EncodedLen(fresh().Size()))
	return step{
		name: name,
		size: func(int64) int64 { return length },
		run: func(_ context.Context, in io.Reader, _ int64) io.Reader {
			return &whole{make: func() ([]byte, error) {
				h := fresh()
				if _, err := io.Copy(h, in); err != nil {
					return nil, err
				}
				return hex.AppendEncode(nil, h.Sum(nil)), nil
			}}
		},
	}
}

// whole yields bytes that can only be made once all input was read. It makes
// them at the first read.
type whole struct {
	make func() ([]byte, error)
	made bool
	rest []byte
	err  error
}

func (w *whole) Read(p []byte) (int, error) {
	if !w.made {
		w.made = true
		w.rest, w.err = w.make()
	}
	if w.err != nil {
		return 0, w.err
	}
	if len(w.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p, w.rest)
	w.rest = w.rest[n:]
	return n, nil
}

// skip leaves out the first bytes of in.
type skip struct {
	in   io.Reader
	left int64
}

func (s *skip) Read(p []byte) (int, error) {
	if s.left > 0 {
		n, err := io.CopyN(io.Discard, s.in, s.left)
		s.left -= n
		if err != nil {
			return 0, err
		}
	}
	return s.in.Read(p)
}

func upper(_ context.Context, in io.Reader, _ int64) io.Reader { return upperReader{in} }

type upperReader struct{ in io.Reader }

// Read changes ASCII letters only: bytes.ToUpper would take the object for
// UTF-8 and change its length.
func (u upperReader) Read(p []byte) (int, error) {
	n, err := u.in.Read(p)
	for i, c := range p[:n] {
		if 'a' <= c && c <= 'z' {
			p[i] = c - 'a' + 'A'
		}
	}
	return n, err
}

// encode yields base64 (RFC 4648, section 4) with padding. The standard
// library's encoder is a writer; reading by whole groups of three bytes needs
// no goroutine and no pipe.
func encode(_ context.Context, in io.Reader, _ int64) io.Reader {
	return &encoder{in: in, raw: make([]byte, 3*8192)}
}

type encoder struct {
	in   io.Reader
	raw  []byte
	text []byte
	rest []byte // of text, not yet read
	err  error
}

func (e *encoder) Read(p []byte) (int, error) {
	if len(e.rest) == 0 && e.err == nil {
		e.fill()
	}
	if len(e.rest) == 0 {
		return 0, e.err
	}
	n := copy(p, e.rest)
	e.rest = e.rest[n:]
	return n, nil
}

// fill encodes the next groups. A short last group is padded only at the true
// end: after a failure the partial group is dropped, for it proves nothing.
func (e *encoder) fill() {
	var n int
	for n < len(e.raw) && e.err == nil {
		var more int
		more, e.err = e.in.Read(e.raw[n:])
		n += more
	}
	if e.err != nil && e.err != io.EOF {
		n -= n % 3
	}
	e.text = base64.StdEncoding.AppendEncode(e.text[:0], e.raw[:n])
	e.rest = e.text
}
