// Package logbuf gathers log lines, so that a line for each request does not
// cost a write to the system each. Lines keep their order. Those that matter
// are written at once; the others within a second, or when they are many.
package logbuf

import (
	"io"
	"sync"
	"sync/atomic"
	"time"
)

const (
	flushAt    = 64 << 10 // bytes that wake the writer
	flushEvery = time.Second

	// limit bounds what waits for an output that stands still, in bytes.
	// Beyond it lazy lines are dropped and counted: a log that nobody reads
	// must not stop requests.
	limit = 1 << 20
)

// Buffer gathers lines for one output. All methods may be called concurrently.
type Buffer struct {
	writing sync.Mutex // held while out is written, so that lines keep their order
	out     io.Writer
	spare   []byte // filled while the other one is written

	mu      sync.Mutex
	waiting []byte
	dropped atomic.Int64

	full    chan struct{} // wakes the writer
	stop    chan struct{}
	stopped sync.Once
	running sync.WaitGroup
}

// New returns a Buffer that writes to out until it is closed.
func New(out io.Writer) *Buffer {
	ticker := time.NewTicker(flushEvery)
	return start(out, ticker.C, ticker.Stop)
}

// start writes what waits at every tick, and calls after at the end.
func start(out io.Writer, tick <-chan time.Time, after func()) *Buffer {
	b := &Buffer{out: out, full: make(chan struct{}, 1), stop: make(chan struct{})}
	b.running.Go(func() {
		defer after()
		for {
			select {
			case <-b.stop:
				return
			case <-tick:
			case <-b.full:
			}
			b.Flush()
		}
	})
	return b
}

// Lazy takes lines that can wait; a Write is one line.
func (b *Buffer) Lazy() io.Writer { return lazy{b} }

type lazy struct{ *Buffer }

func (l lazy) Write(line []byte) (int, error) {
	l.mu.Lock()
	if len(l.waiting)+len(line) > limit {
		l.mu.Unlock()
		l.dropped.Add(1)
		return len(line), nil
	}
	l.waiting = append(l.waiting, line...)
	many := len(l.waiting) >= flushAt
	l.mu.Unlock()
	if many {
		select {
		case l.full <- struct{}{}:
		default: // woken already
		}
	}
	return len(line), nil
}

// Prompt takes lines that must not wait: each, and every line before it, is
// with the system when Write returns.
func (b *Buffer) Prompt() io.Writer { return prompt{b} }

type prompt struct{ *Buffer }

func (p prompt) Write(line []byte) (int, error) {
	p.mu.Lock()
	p.waiting = append(p.waiting, line...)
	p.mu.Unlock()
	p.Flush()
	return len(line), nil
}

// Flush writes all that waits. An output that fails loses it: there is nowhere
// left to say so.
func (b *Buffer) Flush() {
	b.writing.Lock()
	defer b.writing.Unlock()
	b.mu.Lock()
	lines := b.waiting
	b.waiting = b.spare[:0]
	b.mu.Unlock()
	if len(lines) > 0 {
		_, _ = b.out.Write(lines)
	}
	b.spare = lines
}

// Dropped is how many lines an output that stood still has cost.
func (b *Buffer) Dropped() int64 { return b.dropped.Load() }

// Close writes what waits and ends. Prompt lines are still written after it.
func (b *Buffer) Close() {
	b.stopped.Do(func() { close(b.stop) })
	b.running.Wait()
	b.Flush()
}
