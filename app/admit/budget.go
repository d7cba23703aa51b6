package admit

import (
	"context"
	"sync/atomic"
)

// Kind is what bytes are held for.
type Kind int

// The kinds. What is small is served fast and gives its bytes back soon; what
// is large may be held as long as a slow client pleases.
const (
	Small Kind = iota // a body or an answer that is held whole
	Large             // the buffers of a stream, and inputs that steps hold
)

// budget is a number of bytes. A sixth of it is kept for what is small, so that
// streams to slow clients never shut out the many short requests.
type budget struct {
	size, large int64
	held        atomic.Int64
}

func newBudget(size int64) budget { return budget{size: size, large: size - size/6} }

func (b *budget) used() int64 { return b.held.Load() }

// take takes n bytes or none.
func (b *budget) take(kind Kind, n int64) bool {
	limit := b.size
	if kind == Large {
		limit = b.large
	}
	for {
		held := b.held.Load()
		if held+n > limit {
			return false
		}
		if b.held.CompareAndSwap(held, held+n) {
			return true
		}
	}
}

// Hold takes n bytes of the budget until Free, or refuses at once: waiting for
// bytes that slow clients hold would be waiting for them. Nobody is refused for
// wanting more than there is: who wants that much gets all there is of its
// kind. Hold returns how many bytes to give back.
func (g *Gate) Hold(kind Kind, n int64) (int64, error) {
	if kind == Large {
		n = min(n, g.budget.large)
	}
	n = min(n, g.budget.size)
	if !g.budget.take(kind, n) {
		return 0, g.Refuse(NoBytes, 0)
	}
	return n, nil
}

// Free gives back n bytes that Hold gave.
func (g *Gate) Free(n int64) { g.budget.held.Add(-n) }

// largeInput is from where on an input waits for others to be done, in bytes:
// what is smaller waits for nobody.
const largeInput = 1 << 20

// HoldInput takes n bytes for the inputs that steps hold, until free is called.
// Inputs get two thirds of the budget at most, and who wants more than that gets
// it alone. A large one waits for two seconds at most while others are held:
// usually that is no longer than it takes to compute. Otherwise it returns a
// Refused, or the error of ctx where that ended first.
func (g *Gate) HoldInput(ctx context.Context, n int64) (free func(), err error) {
	n = min(n, g.inputs.places)
	if n < largeInput {
		held, err := g.Hold(Large, n)
		return func() { g.Free(held) }, err
	}
	place, err := g.take(ctx, g.inputs, n, n, NoBytes, NoBytes)
	if err != nil {
		return nil, err
	}
	held, err := g.Hold(Large, n)
	if err != nil {
		place.Done(false)
		return nil, err
	}
	return func() { g.Free(held); place.Done(true) }, nil
}
