package s3store

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"bogops/app/store"
)

// draft is a body that was taken in and checked, and that nobody sees yet.
type draft interface {
	// commit sends the one request that makes it the object, over base.
	commit(ctx context.Context, base found) (etag string, err error)
	landed()  // it was committed, or may have been
	discard() // gives up what is held for it
	size() int64
	digest() []byte // nil: the store will not know it
}

// take reads all of body before anything of it can be seen. A small one stays
// in memory. A big one becomes the parts of an upload where the server keeps
// its word on the condition when an upload is completed, and a file on this
// machine where it does not: one PutObject then sends the file, under
// a condition, and again where others were quicker.
func (b *bucket) take(ctx context.Context, key string, body io.Reader, opts store.PutOptions, m mark, multipart bool) (draft, error) {
	in, err := b.takeIn(ctx, body, opts)
	if err != nil {
		return nil, err
	}
	if err := in.fill(partSize); err != nil {
		in.release()
		return nil, err
	}
	target := target{b, key, opts.ContentType, m, opts.Meta}
	if !in.ended && multipart {
		defer in.release()
		return target.upload(ctx, in)
	}
	if !in.ended {
		defer in.release()
		return target.spool(in)
	}
	target.mark.sha256 = in.body.SHA256()
	return &whole{target: target, data: bytes.NewReader(in.buffer), length: in.length, done: in.release}, nil
}

// target is where a draft goes, and as what.
type target struct {
	b    *bucket
	key  string
	kind string // content type
	mark mark
	meta map[string]string
}

// whole is a draft that one PutObject sends.
type whole struct {
	target
	data   io.ReadSeeker
	length int64
	done   func()
}

func (d *whole) commit(ctx context.Context, base found) (string, error) {
	m := d.mark
	m.over = base.id
	p := payload{d.data, d.length, hex.EncodeToString(m.sha256), d.kind, m.headers(d.meta)}
	return d.b.put(ctx, d.key, p, over(base.info.ETag))
}

func (d *whole) size() int64    { return d.length }
func (d *whole) digest() []byte { return bytes.Clone(d.mark.sha256) }
func (d *whole) landed()        {}
func (d *whole) discard()       { d.done() }

// spool writes the body to a file without a name.
func (t target) spool(in *intake) (draft, error) {
	file, err := os.CreateTemp(t.b.spool, "bogops-s3-*")
	if err != nil {
		return nil, fmt.Errorf("%w: no file for a big body: %v", store.ErrUnavailable, err)
	}
	defer os.Remove(file.Name()) // an open file outlives its name, on a crash nothing is left
	if err := in.drain(file); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	t.mark.sha256 = in.body.SHA256()
	return &whole{target: t, data: file, length: in.length, done: func() { file.Close() }}, nil
}

// drain writes all of the body to file.
func (in *intake) drain(file *os.File) error {
	for sent := 0; ; {
		part, last, err := in.next(sent)
		if err != nil {
			return err
		}
		if _, err = file.Write(part); errors.Is(err, syscall.ENOSPC) {
			return fmt.Errorf("%w: no room for a big body on its way: %v", store.ErrFull, err)
		} else if err != nil {
			return fmt.Errorf("%w: no file for a big body: %v", store.ErrUnavailable, err)
		}
		if sent = len(part); last {
			return nil
		}
	}
}

// upload sends the body as the parts of a multipart upload. Its metadata go
// first: a digest that was not announced, and checked since, is not in them.
func (t target) upload(ctx context.Context, in *intake) (draft, error) {
	id, err := t.b.begin(ctx, t.key, t.kind, t.mark.headers(t.meta))
	if err != nil {
		return nil, err
	}
	d := &parted{target: t, ctx: ctx, upload: id}
	for sent, number := 0, int32(1); ; number++ {
		data, last, err := in.next(sent)
		if err == nil && len(data) > 0 {
			var part types.CompletedPart
			part, err = t.b.part(ctx, t.key, id, number, payload{data: bytes.NewReader(data), size: int64(len(data))})
			d.parts = append(d.parts, part)
		}
		if err != nil {
			d.discard()
			return nil, err
		}
		if sent = len(data); last {
			d.length = in.length
			return d, nil
		}
	}
}

// parted is a draft whose parts are with the server.
type parted struct {
	target
	ctx    context.Context // of the write, which a draft belongs to
	upload string
	parts  []types.CompletedPart
	length int64
	done   bool
}

func (d *parted) commit(ctx context.Context, base found) (string, error) {
	etag, err := d.b.complete(ctx, d.key, d.upload, d.parts, over(base.info.ETag))
	d.done = d.done || err == nil
	return etag, err
}

func (d *parted) size() int64    { return d.length }
func (d *parted) digest() []byte { return bytes.Clone(d.mark.sha256) }
func (d *parted) landed()        { d.done = true }

func (d *parted) discard() {
	if !d.done {
		d.done = true
		d.b.abort(d.ctx, d.key, d.upload)
	}
}
