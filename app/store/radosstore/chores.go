package radosstore

import (
	"context"
	"sync"
	"time"
)

// chores are what a home does in the background, each in a goroutine of its own.
type chores struct {
	stop    context.CancelFunc
	running sync.WaitGroup
}

// flushEvery is how long the settling of a write waits for company. Until then
// a listing looks at its head. At 16 shards and a hundred writes a second much
// less would mean an operation for almost every write.
const flushEvery = time.Second

// lastWords is how long Close lets the index send what it still holds.
const lastWords = time.Second

func (h *Home) beginChores() {
	ctx, stop := context.WithCancel(context.Background())
	h.chores.stop = stop
	h.every(ctx, flushEvery, func(ctx context.Context) {
		h.index.flush()
		h.collector.discard(ctx)
	})
	h.every(ctx, h.cfg.Grace/5, func(ctx context.Context) {
		_ = h.uploads.beat(ctx) // what fails is tried again long before the grace ends
	})
	if h.cfg.CollectEvery > 0 {
		h.every(ctx, h.cfg.CollectEvery, func(ctx context.Context) {
			_, _ = h.Collect(ctx) // and this by the next pass
		})
	}
}

// every calls do at intervals until ctx ends.
func (h *Home) every(ctx context.Context, interval time.Duration, do func(context.Context)) {
	h.chores.running.Go(func() {
		ticks := time.NewTicker(interval)
		defer ticks.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticks.C:
				do(ctx)
			}
		}
	})
}

// endChores returns when nothing runs in the background any more.
func (h *Home) endChores() {
	if h.chores.stop != nil {
		h.chores.stop()
	}
	h.chores.running.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), lastWords)
	defer cancel()
	h.index.close(ctx)
}

// Collect makes one pass of the collector, now. It can run beside the one in the
// background, and on several instances; each has a grace of its own, which
// begins with the first pass that sees a thing doomed.
func (h *Home) Collect(ctx context.Context) (Collected, error) { return h.collector.collect(ctx) }
