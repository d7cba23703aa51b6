package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"golang.org/x/sys/unix"
)

// onHeap is the longest input that reverse holds in the runtime's memory.
const onHeap = 1 << 20

// reverse is the one step that has to hold its input: the first byte
// out is the last byte in.
func reverse(ctx context.Context, in io.Reader, size int64) io.Reader {
	if size > onHeap {
		return &backwards{ctx: ctx, in: in, size: size}
	}
	return &whole{make: func() ([]byte, error) {
		held := make([]byte, size)
		err := readAll(in, held)
		slices.Reverse(held)
		return held, err
	}}
}

// readAll fills p from in.
func readAll(in io.Reader, p []byte) error {
	_, err := io.ReadFull(in, p)
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// backwards yields a long input from its end. It holds it in a mapping of its own
// and gives that back with the last byte. On the heap the last input would lie
// as garbage beside the next one until the collector runs: three times what is
// held. Where nobody reads to the end the mapping goes with the context, at once:
// the collector does not know how much it is, and might not run for minutes.
type backwards struct {
	ctx  context.Context
	in   io.Reader
	size int64

	mu      sync.Mutex // the context may end during a Read
	held    []byte     // nil before the first Read, and after the last byte
	left    int        // bytes of held not yielded yet
	unwatch func() bool
	ended   error
}

// Read implements io.Reader.
func (b *backwards) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.held == nil && b.ended == nil {
		b.hold()
	}
	if b.ended != nil {
		return 0, b.ended
	}
	n := min(len(p), b.left)
	for i := range p[:n] {
		p[i] = b.held[b.left-1-i]
	}
	if b.left -= n; b.left == 0 {
		b.end(io.EOF)
	}
	return n, nil
}

// hold reads the input. The caller has the lock.
func (b *backwards) hold() {
	held, err := unix.Mmap(-1, 0, int(b.size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		b.ended = fmt.Errorf("no memory for an input of %d bytes: %w", b.size, err)
		return
	}
	b.held, b.left = held, len(held)
	b.unwatch = context.AfterFunc(b.ctx, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.end(b.ctx.Err())
	})
	if err := readAll(b.in, held); err != nil {
		b.end(err)
	}
}

// end gives the mapping back, once. The caller has the lock.
func (b *backwards) end(err error) {
	if b.ended != nil {
		return
	}
	b.unwatch()
	_ = unix.Munmap(b.held) // cannot fail: it is given what Mmap returned
	b.held, b.ended = nil, err
}
