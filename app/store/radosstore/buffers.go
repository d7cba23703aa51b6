package radosstore

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/semaphore"

	"bogops/app/store"
)

// buffers are the bodies in memory, all requests together. Nobody waits for a
// buffer while it holds one that only it can give back, so they cannot block
// each other.
type buffers struct {
	free    [len(bufferSizes)]sync.Pool
	budget  *semaphore.Weighted
	total   int64
	held    atomic.Int64 // of total, for the metrics
	waiting atomic.Int64
	queue   int64 // calls that may wait
}

// bufferSizes are those kept for use again: a head alone, a small object with
// its head, the longest inline body with its head, a tail.
var bufferSizes = [...]int{8 << 10, 72 << 10, inlineLimit + 64<<10, chunkSize}

func newBuffers(total int64, queue int) *buffers {
	return &buffers{budget: semaphore.NewWeighted(total), total: total, queue: int64(queue)}
}

// buffer is memory with a count of who uses it: the one who took it and the
// operations that were given up and still go on.
type buffer struct {
	data []byte
	home *buffers
	kind int // index into bufferSizes, or -1
	cost int64
	uses atomic.Int32
}

// take returns a buffer of at least n bytes, when there is room for it. copies
// is how many times over its bytes are in memory while it is used: librados
// copies what it writes.
func (b *buffers) take(ctx context.Context, n, copies int) (*buffer, error) {
	buf := b.shape(n, copies)
	if !b.budget.TryAcquire(buf.cost) {
		if b.waiting.Add(1) > b.queue {
			b.waiting.Add(-1)
			return nil, fmt.Errorf("%w: %d calls wait for memory already", store.ErrUnavailable, b.queue)
		}
		err := b.budget.Acquire(ctx, buf.cost)
		b.waiting.Add(-1)
		if err != nil {
			return nil, err
		}
	}
	return b.fill(buf, n), nil
}

// try is take where there is room at once, and nil otherwise.
func (b *buffers) try(n, copies int) *buffer {
	buf := b.shape(n, copies)
	if !b.budget.TryAcquire(buf.cost) {
		return nil
	}
	return b.fill(buf, n)
}

func (b *buffers) shape(n, copies int) *buffer {
	buf := &buffer{home: b, kind: -1, cost: int64(n)}
	for kind, size := range bufferSizes {
		if n <= size {
			buf.kind, buf.cost = kind, int64(size)
			break
		}
	}
	// What is larger than everything waits until it is alone.
	buf.cost = min(buf.cost*int64(copies), b.total)
	buf.uses.Store(1)
	return buf
}

func (b *buffers) fill(buf *buffer, n int) *buffer {
	b.held.Add(buf.cost)
	if buf.kind < 0 {
		buf.data = make([]byte, n)
	} else if old, ok := b.free[buf.kind].Get().(*[]byte); ok {
		buf.data = *old
	} else {
		buf.data = make([]byte, bufferSizes[buf.kind])
	}
	return buf
}

func (b *buffer) retain() { b.uses.Add(1) }

// release gives the buffer back when nobody uses it any more.
func (b *buffer) release() {
	if b == nil || b.uses.Add(-1) != 0 {
		return
	}
	if b.kind >= 0 {
		data := b.data
		b.home.free[b.kind].Put(&data)
	}
	b.data = nil
	b.home.held.Add(-b.cost)
	b.home.budget.Release(b.cost)
}
