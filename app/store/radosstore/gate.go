package radosstore

import (
	"context"
	"fmt"
	"sync/atomic"

	"golang.org/x/sync/semaphore"

	"bogops/app/store"
)

// gate bounds the operations in flight: none can be cancelled, so each holds its
// place and its memory until it ends. It bounds those who wait, too.
type gate struct {
	places  *semaphore.Weighted
	busy    atomic.Int64 // places taken, for the metrics
	waiting atomic.Int64
	queue   int64
}

func newGate(inFlight, queue int) *gate {
	return &gate{places: semaphore.NewWeighted(int64(inFlight)), queue: int64(queue)}
}

// enter waits for a place; each is given back by leave.
func (g *gate) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if g.places.TryAcquire(1) {
		g.busy.Add(1)
		return nil
	}
	defer g.waiting.Add(-1)
	if g.waiting.Add(1) > g.queue {
		return fmt.Errorf("%w: %d operations wait for their turn already", store.ErrUnavailable, g.queue)
	}
	if err := g.places.Acquire(ctx, 1); err != nil {
		return err
	}
	g.busy.Add(1)
	return nil
}

func (g *gate) leave() {
	g.busy.Add(-1)
	g.places.Release(1)
}
