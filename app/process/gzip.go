package process

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
)

// gzipHeld is what a compressor of the standard library allocates at
// BestSpeed, rounded up. A test holds it to that.
const gzipHeld = 1280 << 10

// bindGzip makes the step whose output may be any gzip stream (RFC 1952) of
// its input: how long it gets, only making it tells.
func bindGzip([]string) step {
	return step{
		name:  "gzip",
		size:  func(int64) int64 { return Unknown },
		run:   compress,
		held:  func(int64) int64 { return gzipHeld },
		media: "application/gzip",
	}
}

// compressor yields a gzip stream. The standard library's is a writer; pulling
// the input through it a piece at a time needs no goroutine and no pipe, and
// what it has written between two reads is never more than a few pieces.
type compressor struct {
	in    io.Reader
	piece []byte
	zip   *gzip.Writer // made at the first read, for it is large
	out   bytes.Buffer // written by zip, not yet read
	err   error
}

func compress(_ context.Context, in io.Reader, _ int64) io.Reader {
	return &compressor{in: in}
}

func (c *compressor) Read(p []byte) (int, error) {
	for c.out.Len() == 0 && c.err == nil {
		c.fill()
	}
	if c.out.Len() == 0 {
		return 0, c.err
	}
	return c.out.Read(p)
}

// fill compresses one more piece. The trailer is written only at the true end:
// a stream that was cut must never decompress without an error.
func (c *compressor) fill() {
	if c.zip == nil {
		c.piece = make([]byte, 32<<10)
		// The fastest level: every level is a right answer, and the time is
		// everybody's.
		c.zip, _ = gzip.NewWriterLevel(&c.out, gzip.BestSpeed)
	}
	n, err := c.in.Read(c.piece)
	if _, failed := c.zip.Write(c.piece[:n]); failed != nil {
		err = failed
	}
	if err == io.EOF {
		if failed := c.zip.Close(); failed != nil {
			err = failed
		}
	}
	c.err = err
}
