package s3store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"bogops/app/store"
)

// maxObject is more than any S3 server takes; a range that begins behind it
// begins behind every end.
const maxObject = 1 << 50

// get opens the bytes of rng; the reader is nil where that is nothing of the
// object. All of the reader is one answer of the server to one request: it is
// never taken up again by a second one, which might meet other bytes.
func (b *bucket) get(ctx context.Context, key string, rng store.Range) (io.ReadCloser, found, error) {
	header, empty := rangeHeader(rng)
	if empty {
		f, err := b.described(ctx, key)
		return nil, f, err
	}
	reading, cancel := context.WithCancel(ctx)
	late := time.AfterFunc(b.timeout, cancel)
	in := &s3.GetObjectInput{Bucket: &b.name, Key: &key}
	if header != "" {
		in.Range = &header
	}
	out, err := b.api.GetObject(reading, in, b.retried)
	inTime := late.Stop()
	if err != nil || !inTime {
		cancel()
		if err == nil {
			out.Body.Close()
			err = context.DeadlineExceeded
		}
		if statusOf(err) == http.StatusRequestedRangeNotSatisfiable {
			f, err := b.described(ctx, key) // begins at the end, or behind it
			return nil, f, err
		}
		return nil, found{}, failed(ctx, err)
	}
	r := &reader{ctx: ctx, body: out.Body, cancel: cancel, patience: b.timeout, rest: aws.ToInt64(out.ContentLength)}
	size := r.rest
	if out.ContentRange != nil {
		size, err = sizeOf(*out.ContentRange)
	} else if header != "" {
		// The server knows no ranges of this object, an empty one perhaps.
		err = r.clip(rng, size)
	}
	f, described := describe(key, size, aws.ToString(out.ETag), aws.ToString(out.ContentType), aws.ToTime(out.LastModified), out.Metadata)
	if err := errors.Join(err, described); err != nil {
		r.Close()
		return nil, found{}, err
	}
	if header == "" && f.info.SHA256 != nil {
		r.sum, r.want = sha256.New(), f.info.SHA256
	}
	return r, f, nil
}

func (b *bucket) described(ctx context.Context, key string) (found, error) {
	f, err := b.head(ctx, key)
	if err == nil && !f.exists() {
		err = store.ErrNotFound
	}
	return f, err
}

// rangeHeader is the Range of a request (RFC 9110, section 14.2); none for the
// whole object. Empty says that rng names no byte of any object.
func rangeHeader(rng store.Range) (header string, empty bool) {
	from := max(rng.Offset, 0)
	switch {
	case rng.Length == 0 || from >= maxObject:
		return "", true
	case from == 0 && rng.Length < 0:
		return "", false
	case rng.Length < 0 || rng.Length > maxObject-from:
		return fmt.Sprintf("bytes=%d-", from), false
	}
	return fmt.Sprintf("bytes=%d-%d", from, from+rng.Length-1), false
}

// sizeOf reads the size of the object from a Content-Range.
func sizeOf(contentRange string) (int64, error) {
	_, total, _ := strings.Cut(contentRange, "/")
	size, err := strconv.ParseInt(total, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%w: the server answered the range %q, want one with the object's size", store.ErrUnavailable, contentRange)
	}
	return size, nil
}

// reader is a body on its way out. A server that falls silent in the middle
// ends it, and so does one that sends fewer or other bytes than it announced.
type reader struct {
	ctx      context.Context
	body     io.ReadCloser
	cancel   context.CancelFunc
	patience time.Duration
	rest     int64 // bytes to come
	sum      hash.Hash
	want     []byte
}

// Read implements io.Reader.
func (r *reader) Read(p []byte) (int, error) {
	late := time.AfterFunc(r.patience, r.cancel)
	n, err := r.body.Read(p)
	late.Stop()
	r.rest -= int64(n)
	if r.sum != nil {
		r.sum.Write(p[:n])
	}
	switch {
	case err == nil:
		return n, nil
	case r.ctx.Err() != nil:
		return n, r.ctx.Err()
	case !errors.Is(err, io.EOF) || r.rest > 0:
		return n, fmt.Errorf("%w: the body broke off: %v", store.ErrUnavailable, explain(err))
	case r.sum != nil && !bytes.Equal(r.sum.Sum(nil), r.want):
		return n, fmt.Errorf("%w: the bytes hash to %x, %x were stored", store.ErrDamaged, r.sum.Sum(nil), r.want)
	}
	return n, io.EOF
}

// clip leaves of the whole object what rng names.
func (r *reader) clip(rng store.Range, size int64) error {
	from, to := rng.Clip(size)
	if _, err := io.CopyN(io.Discard, r, from); err != nil {
		return err
	}
	r.rest = to - from
	r.body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(r.body, to-from), r.body}
	return nil
}

// Close implements io.Closer.
func (r *reader) Close() error {
	r.cancel()
	return r.body.Close()
}
