package process

import (
	"bytes"
	"crypto/subtle"
	"io"
)

// xorReader changes each byte of in by the nonce's bytes, repeated.
type xorReader struct {
	in  io.Reader
	pad []byte // whole repetitions of the nonce, so that its end meets its start
	at  int    // in pad, of the next byte
}

// newXORReader repeats the nonce to some kibibytes: long runs are XORed by
// words, not by bytes.
func newXORReader(in io.Reader, nonce string) *xorReader {
	return &xorReader{in: in, pad: bytes.Repeat([]byte(nonce), 4096/len(nonce))}
}

func (x *xorReader) Read(p []byte) (int, error) {
	n, err := x.in.Read(p)
	for rest := p[:n]; len(rest) > 0; {
		done := subtle.XORBytes(rest, rest, x.pad[x.at:])
		rest = rest[done:]
		x.at = (x.at + done) % len(x.pad)
	}
	return n, err
}
