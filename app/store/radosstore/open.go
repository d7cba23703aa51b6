package radosstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"bogops/app/store"
	"bogops/app/store/versioned"
)

// firstRead is how much of an object is read at first: what is smaller with its
// head is there with one operation.
const firstRead = 64 << 10

// maxRestarts bounds how often a reader starts over because the object changed
// under it before its first byte.
const maxRestarts = 8

// Open implements versioned.Place. Every byte was checked against its checksum
// before it is handed out; store.ErrDamaged where one does not match.
func (h *Home) Open(ctx context.Context, key string, rng store.Range) (io.ReadCloser, versioned.Head, error) {
	if err := store.CheckKey(key); err != nil {
		return nil, versioned.Head{}, err
	}
	for range maxRestarts {
		found, body, err := h.readObject(ctx, key)
		if err != nil || !found.Exists() {
			return nil, found.Head, err
		}
		from, to := rng.Clip(found.Info.Size)
		if found.inline() || from == to {
			body.Reset(body.part(from, to))
			return body, found.Head, nil
		}
		_ = body.Close()
		tails, err := h.openTails(ctx, found, from, to)
		if !errors.Is(err, errMissing) {
			return tails, found.Head, err
		}
		// The object was replaced and its tails are collected already.
	}
	return nil, versioned.Head{}, failed("read", key, fmt.Errorf("%w: its tails are missing or it changes all the time", store.ErrUnavailable))
}

// readObject reads a head and, where that is inline, its body.
func (h *Home) readObject(ctx context.Context, key string) (head, *inlineBody, error) {
	for want := firstRead; ; {
		buf, err := h.buffers.take(ctx, want, 1)
		if err != nil {
			return head{}, nil, failed("read", key, err)
		}
		found, body, need, err := h.readInto(ctx, key, buf, want)
		if err != nil || need <= want {
			if body == nil {
				buf.release()
			}
			return found, body, err
		}
		// A read of all of it: its head says anew what that is.
		buf.release()
		want = need
	}
}

// readInto is one read of an object; the body it returns owns buf.
func (h *Home) readInto(ctx context.Context, key string, buf *buffer, want int) (found head, body *inlineBody, need int, err error) {
	n, err := h.pool.read(ctx, headName(key), buf.data[:want], 0, buf)
	if errors.Is(err, errMissing) {
		return head{}, nil, 0, nil
	}
	if err != nil {
		return head{}, nil, 0, failed("read", key, err)
	}
	b := buf.data[:n]
	found, need, err = h.parse(b, want, key)
	if err != nil || need > want || found.Tombstone {
		return found, nil, need, err
	}
	if !found.inline() {
		return found, &inlineBody{buf: buf}, 0, nil
	}
	b = b[found.bodyAt:]
	if int64(len(b)) < found.Info.Size && n == want {
		return found, nil, int(found.bodyAt + found.Info.Size), nil
	}
	if int64(len(b)) != found.Info.Size || sumOf(b) != found.bodySum {
		return head{}, nil, 0, failed("read", key, fmt.Errorf("%w: the body does not match its checksum", store.ErrDamaged))
	}
	return found, &inlineBody{buf: buf, all: b}, 0, nil
}

// inlineBody is a body that came with its head. It gives its buffer back when
// it is closed.
type inlineBody struct {
	buf *buffer
	all []byte
	bytes.Reader
}

// part is empty where the body is in tails: a part with bytes is read there.
func (b *inlineBody) part(from, to int64) []byte {
	if from == to {
		return nil
	}
	return b.all[from:to]
}

// Close implements io.Closer.
func (b *inlineBody) Close() error {
	b.Reset(nil)
	b.buf.release()
	b.buf = nil
	return nil
}
