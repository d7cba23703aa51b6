package s3store

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"bogops/app/store"
	"bogops/app/store/versioned"
)

// maxInline is the largest body that lies behind its head, in bytes.
const maxInline = mib

// bodyDraft is a body on its way into an area; it implements versioned.Draft.
type bodyDraft struct {
	area   *area
	ctx    context.Context // of Stage: what Discard tidies belongs to it
	key    string
	inline []byte
	body   string // the object that holds a big one
	size   int64
	sum    []byte
	free   func()
	spent  bool // committed, or perhaps so
	used   bool // no second try
}

// Stage implements versioned.Place. A big body goes to an object of a name that
// nobody else has, without a condition: before a head names it, it is nothing.
func (p *area) Stage(ctx context.Context, key string, body io.Reader, opts store.PutOptions) (versioned.Draft, error) {
	d, err := p.stage(ctx, key, body, opts)
	if err != nil {
		return nil, p.failed("stage", key, err)
	}
	return d, nil
}

func (p *area) stage(ctx context.Context, key string, body io.Reader, opts store.PutOptions) (*bodyDraft, error) {
	if _, err := p.watch.proven(ctx); err != nil {
		return nil, err
	}
	in, err := p.b.takeIn(ctx, body, opts)
	if err != nil {
		return nil, err
	}
	d := &bodyDraft{area: p, ctx: ctx, key: key, free: in.release}
	if err = in.fill(maxInline); err == nil && !in.ended {
		d.body = randomName()
		err = p.b.upload(ctx, p.name(key)+"."+d.body, in)
		in.release()
		d.free = func() {}
	}
	if err != nil {
		d.Discard()
		return nil, err
	}
	d.inline, d.size, d.sum = in.buffer, in.length, in.body.SHA256()
	return d, nil
}

// upload sends a body to a name that nobody else has.
func (b *bucket) upload(ctx context.Context, name string, in *intake) error {
	part, last, err := in.next(0)
	if err != nil {
		return err
	}
	if last {
		_, err := b.put(ctx, name, payload{data: bytes.NewReader(part), size: int64(len(part))}, condition{})
		return failed(ctx, err)
	}
	id, err := b.begin(ctx, name, "", nil)
	if err != nil {
		return err
	}
	var parts []types.CompletedPart
	for number := int32(1); ; number++ {
		if len(part) > 0 {
			var sent types.CompletedPart
			if sent, err = b.part(ctx, name, id, number, payload{data: bytes.NewReader(part), size: int64(len(part))}); err != nil {
				break
			}
			parts = append(parts, sent)
		}
		if last {
			_, err = b.complete(ctx, name, id, parts, condition{})
			err = failed(ctx, err)
			break
		}
		if part, last, err = in.next(len(part)); err != nil {
			break
		}
	}
	if err != nil {
		b.abort(ctx, name, id)
	}
	return err
}

// Commit implements versioned.Draft.
func (d *bodyDraft) Commit(ctx context.Context, base, next versioned.Head) (versioned.Head, error) {
	head, err := d.commit(ctx, base, next)
	if err != nil {
		return versioned.Head{}, d.area.failed("commit", d.key, err)
	}
	return head, nil
}

func (d *bodyDraft) commit(ctx context.Context, base, next versioned.Head) (versioned.Head, error) {
	if d.spent || d.used {
		return versioned.Head{}, errors.New("the draft was used already")
	}
	next.Tombstone = false
	next.Info = store.Info{
		Key: d.key, Size: d.size, ETag: next.Version.ETag(), SHA256: bytes.Clone(d.sum), ContentType: next.Info.ContentType,
		Meta: maps.Clone(next.Info.Meta), Modified: next.Info.Modified.UTC().Round(0),
	}
	head, err := d.area.write(ctx, base, stored{Head: next, body: d.body}, d.inline)
	d.spent = err == nil || errors.Is(err, store.ErrUnknown)
	d.used = !errors.Is(err, versioned.ErrMoved)
	return head, err
}

// Discard implements versioned.Draft. The name of the body is its own, so this
// takes away nothing else, whenever it arrives.
func (d *bodyDraft) Discard() {
	d.free()
	d.free, d.inline = func() {}, nil
	if d.spent || d.body == "" {
		return
	}
	d.used = true
	ctx, cancel := d.area.b.settling(d.ctx)
	defer cancel()
	_ = d.area.b.remove(ctx, d.area.name(d.key)+"."+d.body, "") // what stays is swept
	d.body = ""
}
