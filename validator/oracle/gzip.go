package oracle

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
)

// ErrGzip says that bytes are no gzip stream (RFC 1952) of the size that a
// right answer has.
var ErrGzip = errors.New("no such gzip stream")

// Unzip returns what a gzip stream unpacks to. There is no one right stream for
// some bytes, so an answer is checked by unpacking it; never more than size
// bytes are, and one, so that a small answer cannot fill the judge's memory.
// Its error wraps ErrGzip: bytes that are no whole stream, something after its
// end, or more than size bytes inside.
func Unzip(stream []byte, size int) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(stream))
	if err != nil {
		return nil, fmt.Errorf("%w: %d B that begin with %.4x: %w", ErrGzip, len(stream), stream, err)
	}
	data, err := io.ReadAll(io.LimitReader(r, int64(size)+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: after %d B: %w", ErrGzip, len(data), err)
	case len(data) > size:
		return nil, fmt.Errorf("%w: more than %d B inside", ErrGzip, size)
	}
	return data, nil
}
