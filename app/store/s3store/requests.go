package s3store

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"bogops/app/store"
)

// condition is what a write asks of the object in its place: that its tag is
// match, or, where match is empty and absent is set, that there is none.
type condition struct {
	match  string
	absent bool
}

// over is the condition that what was found is still there.
func over(etag string) condition { return condition{match: etag, absent: etag == ""} }

func (b *bucket) conditions(c condition) (ifMatch, ifNoneMatch *string) {
	if c.match != "" {
		return b.tag(c.match), nil
	}
	if c.absent {
		return nil, aws.String("*")
	}
	return nil, nil
}

// tag is an ETag as the server wants it in If-Match.
func (b *bucket) tag(etag string) *string {
	if b.bare.Load() {
		etag = strings.Trim(etag, `"`)
	}
	return &etag
}

// payload is a body that can be sent more than once.
type payload struct {
	data     io.ReadSeeker
	size     int64
	sum      string // SHA-256 in hex; empty: the SDK reads data once more for it
	kind     string // content type; empty: the server's idea
	metadata map[string]string
}

// put sends one PutObject. It returns the tag of what was written.
func (b *bucket) put(ctx context.Context, key string, p payload, c condition) (etag string, err error) {
	ctx, cancel := b.within(ctx, p.size)
	defer cancel()
	if p.sum != "" {
		ctx = v4.SetPayloadHash(ctx, p.sum)
	}
	if _, err := p.data.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	in := &s3.PutObjectInput{Bucket: &b.name, Key: &key, Body: p.data, ContentLength: &p.size, Metadata: p.metadata}
	if p.kind != "" {
		in.ContentType = &p.kind
	}
	in.IfMatch, in.IfNoneMatch = b.conditions(c)
	out, err := b.api.PutObject(ctx, in)
	if err != nil {
		return "", err
	}
	return aws.ToString(out.ETag), nil
}

// within bounds a request that carries size bytes: 1 MiB/s is the least.
func (b *bucket) within(ctx context.Context, size int64) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, b.timeout+time.Duration(size/mib)*time.Second)
}

// settling is a context for what has to be known, or tidied, although the
// caller may have gone.
func (b *bucket) settling(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), b.timeout)
}

// head returns the zero found where key holds nothing.
func (b *bucket) head(ctx context.Context, key string) (found, error) {
	bound, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	out, err := b.api.HeadObject(bound, &s3.HeadObjectInput{Bucket: &b.name, Key: &key}, b.retried)
	if outcomeOf(err) == moved {
		return found{}, nil
	}
	if err != nil {
		return found{}, failed(ctx, err)
	}
	return describe(key, aws.ToInt64(out.ContentLength), aws.ToString(out.ETag), aws.ToString(out.ContentType),
		aws.ToTime(out.LastModified), out.Metadata)
}

// remove sends one DeleteObject; with match not empty it asks for this tag.
func (b *bucket) remove(ctx context.Context, key, match string) error {
	bound, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	in := &s3.DeleteObjectInput{Bucket: &b.name, Key: &key}
	if match != "" {
		in.IfMatch = b.tag(match)
	}
	_, err := b.api.DeleteObject(bound, in)
	return err
}

// begin begins a multipart upload.
func (b *bucket) begin(ctx context.Context, key, kind string, metadata map[string]string) (upload string, err error) {
	bound, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	in := &s3.CreateMultipartUploadInput{Bucket: &b.name, Key: &key, Metadata: metadata}
	if kind != "" {
		in.ContentType = &kind
	}
	out, err := b.api.CreateMultipartUpload(bound, in)
	if err != nil {
		return "", failed(ctx, err)
	}
	if aws.ToString(out.UploadId) == "" {
		return "", fmt.Errorf("%w: the server began an upload without a name", store.ErrUnavailable)
	}
	return *out.UploadId, nil
}

// part sends one part, again where that helps: the same number and bytes are
// the same part.
func (b *bucket) part(ctx context.Context, key, upload string, number int32, p payload) (types.CompletedPart, error) {
	bound, cancel := b.within(ctx, p.size)
	defer cancel()
	out, err := b.api.UploadPart(bound, &s3.UploadPartInput{Bucket: &b.name, Key: &key, UploadId: &upload,
		PartNumber: &number, Body: p.data, ContentLength: &p.size}, b.retried)
	if err != nil {
		return types.CompletedPart{}, failed(ctx, err)
	}
	return types.CompletedPart{ETag: out.ETag, PartNumber: &number}, nil
}

// complete makes the parts an object. Servers take their time to join them.
func (b *bucket) complete(ctx context.Context, key, upload string, parts []types.CompletedPart, c condition) (etag string, err error) {
	ctx, cancel := b.within(ctx, int64(len(parts))*partSize)
	defer cancel()
	in := &s3.CompleteMultipartUploadInput{Bucket: &b.name, Key: &key, UploadId: &upload,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: parts}}
	in.IfMatch, in.IfNoneMatch = b.conditions(c)
	out, err := b.api.CompleteMultipartUpload(ctx, in)
	if err != nil {
		return "", err
	}
	return aws.ToString(out.ETag), nil
}

// abort gives an upload up. What cannot be given up now is swept another day.
func (b *bucket) abort(ctx context.Context, key, upload string) {
	ctx, cancel := b.settling(ctx)
	defer cancel()
	_, _ = b.api.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &b.name, Key: &key, UploadId: &upload}, b.retried)
}

// sweepUploads gives up what was begun before the given time: nothing that
// still runs is as old. It returns the number given up.
func (b *bucket) sweepUploads(ctx context.Context, before time.Time) (int, error) {
	swept := 0
	in := &s3.ListMultipartUploadsInput{Bucket: &b.name}
	for {
		bound, cancel := context.WithTimeout(ctx, b.timeout)
		out, err := b.api.ListMultipartUploads(bound, in, b.retried)
		cancel()
		if err != nil {
			return swept, failed(ctx, err)
		}
		for _, u := range out.Uploads {
			if u.Initiated != nil && u.Initiated.Before(before) {
				b.abort(ctx, aws.ToString(u.Key), aws.ToString(u.UploadId))
				swept++
			}
		}
		if !aws.ToBool(out.IsTruncated) {
			return swept, nil
		}
		in.KeyMarker, in.UploadIdMarker = out.NextKeyMarker, out.NextUploadIdMarker
	}
}
