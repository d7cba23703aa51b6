package radosstore

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"maps"
	"sync"

	"bogops/app/store"
	"bogops/app/store/versioned"
)

// tailWindow is how many tails of one body are written at once.
const tailWindow = 3

// draft is a body that was taken in: inline in buf, or in tails.
type draft struct {
	home *Home
	head head // all but what Commit says
	buf  *buffer
	size int // bytes of the inline body

	upload upload
	tails  bool
	spent  bool // committed, or nobody knows
}

// Stage implements versioned.Place. It holds one buffer while it reads, and up
// to tailWindow more until they are written.
func (h *Home) Stage(ctx context.Context, key string, body io.Reader, opts store.PutOptions) (versioned.Draft, error) {
	if err := store.CheckKey(key); err != nil {
		return nil, err
	}
	verified := store.Verify(ctx, body, opts)
	// One byte more shows the end, or that there is none.
	room := chunkSize
	if opts.Size >= 0 && opts.Size <= inlineLimit {
		room = int(opts.Size) + 1
	}
	buf, err := h.buffers.take(ctx, room, 2)
	if err != nil {
		return nil, failed("stage", key, err)
	}
	d := &draft{home: h}
	d.head.Info = store.Info{Key: key}
	n, err := fill(verified, buf.data[:room])
	switch {
	case errors.Is(err, io.EOF) && n <= inlineLimit:
		d.buf, d.size = buf, n
		d.head.Info.Size, d.head.bodySum = int64(n), sumOf(buf.data[:n])
	case err != nil && !errors.Is(err, io.EOF):
		buf.release()
		return nil, failed("stage", key, err)
	default:
		if err := d.toTails(ctx, verified, buf, n, err != nil); err != nil {
			return nil, failed("stage", key, err)
		}
	}
	d.head.Info.SHA256 = verified.SHA256()
	return d, nil
}

// fill reads until p is full (nil), body ends (io.EOF) or fails.
func fill(body io.Reader, p []byte) (n int, err error) {
	for n < len(p) {
		m, err := body.Read(p[n:])
		n += m
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// toTails writes the n bytes in buf and, unless that was the end, the rest of
// body into tails. It gives buf back.
func (d *draft) toTails(ctx context.Context, body io.Reader, buf *buffer, n int, ended bool) error {
	h := d.home
	d.tails = true
	d.head.chunk = chunkSize
	if _, err := rand.Read(d.head.draft[:]); err != nil {
		buf.release()
		return err
	}
	d.upload = upload{key: d.head.Info.Key, draft: d.head.draft, started: h.now()}
	if err := h.uploads.begin(ctx, d.upload); err != nil {
		buf.release()
		return fmt.Errorf("register the upload: %w", err)
	}
	err := d.stream(ctx, body, buf, n, ended)
	if err != nil {
		h.uploads.ended(d.upload, discarded)
	}
	return err
}

func (d *draft) stream(ctx context.Context, body io.Reader, buf *buffer, n int, ended bool) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var writes sync.WaitGroup
	window := make(chan struct{}, tailWindow)
	err := d.each(ctx, body, buf, n, ended, func(number int, buf *buffer, n int) {
		window <- struct{}{}
		writes.Go(func() {
			defer func() { <-window }()
			defer buf.release()
			if err := d.writeTail(ctx, number, buf, n); err != nil {
				cancel(err)
			}
		})
	})
	writes.Wait()
	if cause := context.Cause(ctx); cause != nil {
		return cause // the first tail that failed, or the caller who left
	}
	return err
}

// each fills buffers from body and hands them to write.
func (d *draft) each(ctx context.Context, body io.Reader, buf *buffer, n int, ended bool, write func(number int, buf *buffer, n int)) error {
	for number := 0; n > 0; number++ {
		if err := d.home.uploads.alive(ctx, d.upload); err != nil {
			buf.release()
			return fmt.Errorf("register the upload: %w", err)
		}
		d.head.sums = append(d.head.sums, sumOf(buf.data[:n]))
		d.head.Info.Size += int64(n)
		write(number, buf, n)
		if ended {
			return nil
		}
		var err error
		if buf, err = d.home.buffers.take(ctx, chunkSize, 2); err != nil {
			return err
		}
		n, err = fill(body, buf.data[:chunkSize])
		if ended = errors.Is(err, io.EOF); err != nil && !ended {
			buf.release()
			return err
		}
	}
	buf.release() // the body ended where a tail did
	return nil
}

// writeTail writes a tail. Its name is its own, so a time-out may simply be an
// error: what lands later is garbage of an upload that the registry knows.
func (d *draft) writeTail(ctx context.Context, number int, buf *buffer, n int) error {
	name := tailName(d.upload.key, d.upload.draft, number)
	err := d.home.pool.change(ctx, name, change{create: true, full: [][]byte{buf.data[:n]}}, buf)
	if errors.Is(err, store.ErrUnknown) {
		return fmt.Errorf("%w: tail %d was not written in time", store.ErrUnavailable, number)
	}
	if err != nil {
		return fmt.Errorf("tail %d: %w", number, err)
	}
	return nil
}

// Commit implements versioned.Draft.
func (d *draft) Commit(ctx context.Context, base, next versioned.Head) (versioned.Head, error) {
	key := d.head.Info.Key
	if d.spent {
		return versioned.Head{}, failed("commit", key, errors.New("the draft was used already"))
	}
	if d.tails {
		if err := d.home.uploads.committing(ctx, d.upload, base, next); err != nil {
			return versioned.Head{}, failed("commit", key, fmt.Errorf("register the upload: %w", err))
		}
	}
	h := d.head
	h.Version, h.Tombstone = next.Version, false
	h.Info.ETag = next.Version.ETag()
	h.Info.ContentType = next.Info.ContentType
	h.Info.Meta = maps.Clone(next.Info.Meta)
	h.Info.Modified = next.Info.Modified.Round(0).UTC()
	var body []byte
	if !d.tails {
		body = d.buf.data[:d.size]
	}
	kept, err := d.home.replace(ctx, "commit", base, h, body, d.buf)
	switch {
	case err == nil:
		d.end(committed)
	case errors.Is(err, store.ErrUnknown):
		d.end(unknown)
	}
	return kept, err
}

// Discard implements versioned.Draft. The tails are left to the collector: a
// caller should not wait for it.
func (d *draft) Discard() { d.end(discarded) }

func (d *draft) end(how ending) {
	if d.spent {
		return
	}
	d.spent = true
	d.buf.release()
	if d.tails {
		d.home.uploads.ended(d.upload, how)
	}
}
