package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"

	"golang.org/x/sys/unix"
)

// onHeap is the longest input that reverse holds in the runtime's memory.
const onHeap = 1 << 20

// reverse is the one step that has to hold its input: the first byte
// out is the last byte in.
func reverse(_ context.Context, in io.Reader, size int64) io.Reader {
	if size > onHeap {
		return &backwards{in: in, size: size}
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
// held. Where nobody reads to the end the mapping goes with the reader.
type backwards struct {
	in   io.Reader
	size int64

	held  []byte // nil before the first Read, and after the last byte
	left  int    // bytes of held not yielded yet
	lost  runtime.Cleanup
	ended error
}

// Read implements io.Reader.
func (b *backwards) Read(p []byte) (int, error) {
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

func (b *backwards) hold() {
	held, err := unix.Mmap(-1, 0, int(b.size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		b.ended = fmt.Errorf("no memory for an input of %d bytes: %w", b.size, err)
		return
	}
	b.held, b.left = held, len(held)
	b.lost = runtime.AddCleanup(b, release, held)
	if err := readAll(b.in, held); err != nil {
		b.end(err)
	}
}

func (b *backwards) end(err error) {
	b.lost.Stop()
	release(b.held)
	b.held, b.ended = nil, err
}

// release cannot fail: it is given what Mmap returned, once.
func release(held []byte) { _ = unix.Munmap(held) }
