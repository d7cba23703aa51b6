package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
)

// Verify returns a reader of body that ends with io.EOF only where body is
// all that opts announce. Otherwise it ends with ErrTruncated (wrapping the
// cause where body failed), ErrTooLarge, ErrDigest, or the error of ctx, and
// the store gives the write up. Every store reads bodies through it, so that
// all of them refuse the same ones.
func Verify(ctx context.Context, body io.Reader, opts PutOptions) *Verified {
	v := &Verified{ctx: ctx, body: body, opts: opts, want: opts.Size, sum: sha256.New()}
	if opts.Size > opts.MaxSize && opts.MaxSize > 0 {
		v.err = fmt.Errorf("%w: %d bytes announced, at most %d taken", ErrTooLarge, opts.Size, opts.MaxSize)
	}
	return v
}

// Verified is a body on its way into a store.
type Verified struct {
	ctx  context.Context
	body io.Reader
	opts PutOptions
	want int64 // bytes announced, -1: unknown
	got  int64
	sum  hash.Hash
	err  error // what every further Read returns
}

// SHA256 is the digest of what was read; after io.EOF, of the whole body.
func (v *Verified) SHA256() []byte { return v.sum.Sum(nil) }

// Read implements io.Reader.
func (v *Verified) Read(p []byte) (int, error) {
	if v.err == nil && v.ctx.Err() != nil {
		v.err = v.ctx.Err()
	}
	if v.err != nil {
		return 0, v.err
	}
	n, err := v.body.Read(p)
	v.got += int64(n)
	v.sum.Write(p[:n])
	switch {
	case v.want >= 0 && v.got > v.want:
		v.err = fmt.Errorf("%w: more than the %d bytes announced", ErrTooLarge, v.want)
	case v.opts.MaxSize > 0 && v.got > v.opts.MaxSize:
		v.err = fmt.Errorf("%w: more than %d bytes", ErrTooLarge, v.opts.MaxSize)
	case errors.Is(err, io.EOF):
		v.err = v.end()
	case err != nil && v.ctx.Err() != nil:
		v.err = v.ctx.Err() // a body often fails because its context ended
	case err != nil:
		v.err = fmt.Errorf("%w: after %d bytes: %w", ErrTruncated, v.got, err)
	}
	return n, v.err
}

func (v *Verified) end() error {
	if v.want >= 0 && v.got < v.want {
		return fmt.Errorf("%w: %d bytes of %d", ErrTruncated, v.got, v.want)
	}
	if v.opts.SHA256 != nil && !bytes.Equal(v.SHA256(), v.opts.SHA256) {
		return fmt.Errorf("%w: its sha-256 is %x, announced was %x", ErrDigest, v.SHA256(), v.opts.SHA256)
	}
	return io.EOF
}
