package radosstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"bogops/app/store"
)

// ahead is how many tails a reader asks for before it needs them.
const ahead = 2

// tailReader reads the bytes from..to of a body in tails. Whole tails are read
// and checked, however little of one is wanted. Waiting, it holds no memory:
// what it asks for ahead it asks for only where there is room at once.
type tailReader struct {
	home   *Home
	head   head
	ctx    context.Context // of the caller, until Close
	cancel context.CancelFunc
	reads  sync.WaitGroup

	from, to int64
	next     int // the next tail to ask for
	last     int
	asked    []*tailRead // in order
	now      *buffer     // what left lies in
	left     []byte
	err      error
}

// tailRead is one tail on its way; buf is the reader's when done is closed.
type tailRead struct {
	number int
	buf    *buffer
	size   int
	err    error
	done   chan struct{}
}

// openTails returns a reader that has its first bytes; errMissing where the
// first tail is gone.
func (h *Home) openTails(ctx context.Context, found head, from, to int64) (io.ReadCloser, error) {
	r := &tailReader{home: h, head: found, from: from, to: to,
		next: int(from / found.chunk), last: int((to - 1) / found.chunk)}
	r.ctx, r.cancel = context.WithCancel(ctx)
	if err := r.advance(); err != nil {
		_ = r.Close()
		return nil, err
	}
	return r, nil
}

// Read implements io.Reader. A tail that is gone or damaged ends it with an
// error: never does a body end early without one.
func (r *tailReader) Read(p []byte) (int, error) {
	for len(r.left) == 0 && r.err == nil {
		r.err = r.advance()
		if errors.Is(r.err, errMissing) {
			r.err = failed("read", r.head.Info.Key, fmt.Errorf("%w: the object was replaced long ago, its bytes are gone", store.ErrUnavailable))
		}
	}
	if r.err != nil {
		return 0, r.err
	}
	n := copy(p, r.left)
	r.left = r.left[n:]
	return n, nil
}

// advance makes the next tail the current one; io.EOF after the last.
func (r *tailReader) advance() error {
	r.now.release()
	r.now = nil
	if err := r.ask(); err != nil {
		return failed("read", r.head.Info.Key, err)
	}
	if len(r.asked) == 0 {
		return io.EOF
	}
	t := r.asked[0]
	r.asked = r.asked[1:]
	<-t.done // ends with r.ctx
	if t.err != nil {
		t.buf.release()
		return failed("read", r.head.Info.Key, t.err)
	}
	r.now = t.buf
	begin := int64(t.number) * r.head.chunk
	r.left = t.buf.data[max(r.from-begin, 0):min(r.to-begin, int64(t.size))]
	return nil
}

// ask asks for tails ahead, at least for one if there is one.
func (r *tailReader) ask() error {
	for r.next <= r.last && len(r.asked) <= ahead {
		size := int(r.head.tail(r.next))
		var buf *buffer
		if len(r.asked) > 0 {
			if buf = r.home.buffers.try(size, 1); buf == nil {
				return nil
			}
		} else {
			var err error
			if buf, err = r.home.buffers.take(r.ctx, size, 1); err != nil {
				return err
			}
		}
		t := &tailRead{number: r.next, buf: buf, size: size, done: make(chan struct{})}
		r.asked = append(r.asked, t)
		r.next++
		r.reads.Go(func() {
			defer close(t.done)
			t.err = r.home.readTail(r.ctx, r.head, t)
		})
	}
	return nil
}

func (h *Home) readTail(ctx context.Context, of head, t *tailRead) error {
	name := tailName(of.Info.Key, of.draft, t.number)
	n, err := h.pool.read(ctx, name, t.buf.data[:t.size], 0, t.buf)
	if err != nil {
		return fmt.Errorf("tail %d: %w", t.number, err)
	}
	if n != t.size || sumOf(t.buf.data[:n]) != of.sums[t.number] {
		return fmt.Errorf("%w: tail %d does not match its checksum", store.ErrDamaged, t.number)
	}
	return nil
}

// Close implements io.Closer.
func (r *tailReader) Close() error {
	r.cancel()
	r.reads.Wait()
	for _, t := range r.asked {
		t.buf.release()
	}
	r.asked, r.left = nil, nil
	r.now.release()
	r.now = nil
	if r.err == nil {
		r.err = errors.New("radosstore: the reader is closed")
	}
	return nil
}
