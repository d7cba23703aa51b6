package s3store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"bogops/app/store"
	"bogops/app/store/versioned"
)

// area is the place of one epoch; it implements versioned.Place.
type area struct {
	b      *bucket
	watch  *watch
	prefix string
}

func (p *area) failed(doing, key string, err error) error {
	return fmt.Errorf("s3store: %s%s %s: %w", p.prefix, doing, store.Fingerprint(key), err)
}

// Head implements versioned.Place.
func (p *area) Head(ctx context.Context, key string) (versioned.Head, error) {
	err := p.watch.open(ctx)
	if err == nil {
		var s stored
		if s, err = p.glance(ctx, p.name(key), key); err == nil {
			return s.Head, nil
		}
	}
	return versioned.Head{}, p.failed("head", key, err)
}

// glance reads a head by its name; the zero head where there is none.
func (p *area) glance(ctx context.Context, name, key string) (stored, error) {
	r, f, err := p.b.get(ctx, name, store.Range{Length: headGlance})
	if errors.Is(err, store.ErrNotFound) {
		return stored{}, nil
	}
	if err != nil {
		return stored{}, err
	}
	if r == nil {
		return stored{}, broken("nothing", nil)
	}
	defer r.Close()
	s, err := decodeHead(r, key, f.info.ETag)
	_, _ = io.Copy(io.Discard, r) // a connection read to the end is used again
	if err == nil || f.info.Size <= headGlance {
		return s, err
	}
	whole, f, err := p.b.get(ctx, name, store.Range{Length: int64(headFixed + maxHeader)})
	if errors.Is(err, store.ErrNotFound) {
		return stored{}, nil // removed in between
	}
	if err != nil || whole == nil {
		return stored{}, errors.Join(err, store.ErrUnavailable) // it has changed; somebody will ask again
	}
	defer whole.Close()
	return decodeHead(whole, key, f.info.ETag)
}

// Open implements versioned.Place.
func (p *area) Open(ctx context.Context, key string, rng store.Range) (io.ReadCloser, versioned.Head, error) {
	err := p.watch.open(ctx)
	if err == nil {
		var r io.ReadCloser
		var head versioned.Head
		if r, head, err = p.open(ctx, key, rng); err == nil {
			return r, head, nil
		}
	}
	return nil, versioned.Head{}, p.failed("open", key, err)
}

// open asks for head and body in one request; a big body is a second one. Where
// that is gone the head was replaced and swept in between, and is read again.
func (p *area) open(ctx context.Context, key string, rng store.Range) (io.ReadCloser, versioned.Head, error) {
	var last versioned.Version
	for {
		r, f, err := p.b.get(ctx, p.name(key), store.Whole)
		if errors.Is(err, store.ErrNotFound) {
			return nil, versioned.Head{}, nil
		}
		if err != nil {
			return nil, versioned.Head{}, err
		}
		s, err := decodeHead(r, key, f.info.ETag)
		if err == nil && s.Exists() && s.body == "" {
			return p.behind(r.(*reader), s, rng)
		}
		r.Close()
		if err != nil {
			return nil, versioned.Head{}, err
		}
		if !s.Exists() {
			return nil, s.Head, nil
		}
		body, err := p.apart(ctx, key, s, rng)
		if !errors.Is(err, store.ErrNotFound) {
			return body, s.Head, err
		}
		if s.Version == last {
			return nil, versioned.Head{}, fmt.Errorf("%w: the body is gone", store.ErrDamaged)
		}
		last = s.Version
	}
}

// behind reads the body that follows its head.
func (p *area) behind(r *reader, s stored, rng store.Range) (io.ReadCloser, versioned.Head, error) {
	if r.rest != s.Info.Size {
		r.Close()
		return nil, versioned.Head{}, fmt.Errorf("%w: %d bytes behind the head, %d were stored", store.ErrDamaged, r.rest, s.Info.Size)
	}
	if from, to := rng.Clip(s.Info.Size); from == 0 && to == s.Info.Size {
		r.sum, r.want = sha256.New(), s.Info.SHA256
	} else if err := r.clip(rng, s.Info.Size); err != nil {
		r.Close()
		return nil, versioned.Head{}, err
	}
	return r, s.Head, nil
}

// apart reads the body that is an object of its own.
func (p *area) apart(ctx context.Context, key string, s stored, rng store.Range) (io.ReadCloser, error) {
	from, to := rng.Clip(s.Info.Size)
	if from == 0 && to == s.Info.Size {
		rng = store.Whole
	}
	r, f, err := p.b.get(ctx, p.name(key)+"."+s.body, rng)
	if err != nil {
		return nil, err
	}
	if f.info.Size != s.Info.Size {
		if r != nil {
			r.Close()
		}
		return nil, fmt.Errorf("%w: the body has %d bytes, %d were stored", store.ErrDamaged, f.info.Size, s.Info.Size)
	}
	if r == nil {
		return io.NopCloser(bytes.NewReader(nil)), nil
	}
	if rng == store.Whole {
		whole := r.(*reader)
		whole.sum, whole.want = sha256.New(), s.Info.SHA256
	}
	return r, nil
}

// Bury implements versioned.Place.
func (p *area) Bury(ctx context.Context, key string, base, next versioned.Head) (versioned.Head, error) {
	next.Tombstone = true
	next.Info = store.Info{Key: key, Modified: next.Info.Modified.UTC().Round(0)}
	head, err := p.write(ctx, base, stored{Head: next}, nil)
	if err != nil {
		return versioned.Head{}, p.failed("bury", key, err)
	}
	return head, nil
}

// write is the one request that changes a head. A refusal is final: the head
// that it asked for has a tag that no other write has. What was not refused in
// words is settled by reading back, once.
func (p *area) write(ctx context.Context, base versioned.Head, next stored, inline []byte) (versioned.Head, error) {
	if _, err := p.watch.proven(ctx); err != nil {
		return versioned.Head{}, err
	}
	if next.Version.IsZero() {
		return versioned.Head{}, errors.New("got the version of nothing, want one of a write")
	}
	next.over = fullName(base.Version)
	data, err := encodeHead(next, inline)
	if err != nil {
		return versioned.Head{}, err
	}
	etag, _ := splitGuard(base.Guard)
	name := p.name(next.Info.Key)
	tag, err := p.b.put(ctx, name, payload{data: bytes.NewReader(data), size: int64(len(data))}, over(etag))
	out := outcomeOf(err)
	if out == refused {
		return versioned.Head{}, failed(ctx, err)
	}
	if out == landed && tag != "" {
		next.Guard = makeGuard(tag, next.body)
		return next.Head, nil
	}
	settling, cancel := p.b.settling(ctx)
	defer cancel()
	now, lookErr := p.glance(settling, name, next.Info.Key)
	switch {
	case lookErr == nil && now.Version == next.Version:
		return now.Head, nil
	case lookErr == nil && out == moved:
		return versioned.Head{}, versioned.ErrMoved
	case lookErr == nil && out != landed && !base.Version.IsZero() && now.over == next.over:
		// Another write took the very place that was asked for, and that
		// place never comes back: ours did not land, and never will.
		return versioned.Head{}, versioned.ErrMoved
	}
	return versioned.Head{}, unknown(ctx, err)
}

// Remove implements versioned.Place. Servers without a conditional delete are
// asked for the head first. That is enough here: removal happens in ended areas
// only, where nothing is written any more.
func (p *area) Remove(ctx context.Context, key string, base versioned.Head) error {
	if err := p.remove(ctx, key, base); err != nil {
		return p.failed("remove", key, err)
	}
	return nil
}

func (p *area) remove(ctx context.Context, key string, base versioned.Head) error {
	traits, err := p.watch.proven(ctx)
	if err != nil {
		return err
	}
	if base.Version.IsZero() {
		return errNothing
	}
	match, body := splitGuard(base.Guard)
	name := p.name(key)
	if !traits.deleteMatch {
		now, err := p.glance(ctx, name, key)
		if err != nil {
			return err
		}
		if now.Guard != base.Guard {
			return versioned.ErrMoved
		}
		match = ""
	}
	err = p.b.remove(ctx, name, match)
	switch outcomeOf(err) {
	case refused:
		return failed(ctx, err)
	case moved:
		return versioned.ErrMoved
	case lost, clashed:
		settling, cancel := p.b.settling(ctx)
		defer cancel()
		if now, lookErr := p.glance(settling, name, key); lookErr != nil || !now.Version.IsZero() {
			return unknown(ctx, err)
		}
	}
	if body != "" {
		// What is left of it is swept.
		_ = p.b.remove(ctx, name+"."+body, "")
	}
	return nil
}
