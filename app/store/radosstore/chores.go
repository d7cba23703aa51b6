package radosstore

import (
	"context"
	"sync"
	"time"
)

// chores are what a home does in the background, each in a goroutine of its own.
// What fails is done again at the next turn, and told.
type chores struct {
	stop    context.CancelFunc
	running sync.WaitGroup

	mu   sync.Mutex
	told ChoreNumbers
}

// ChoreNumbers say what has come of the work in the background since Open.
type ChoreNumbers struct {
	Passes       int64 // of the collector
	PassesFailed int64 // of Passes, in whole or in part
	BeatsFailed  int64 // rounds in which not all uploads could be said to go on
	Uploads      int64 // in the registry, at the latest pass
	Tails        int64 // removed by passes
}

// ChoreNumbers returns what has come of the work in the background so far.
func (h *Home) ChoreNumbers() ChoreNumbers {
	h.chores.mu.Lock()
	defer h.chores.mu.Unlock()
	return h.chores.told
}

// flushEvery is how long the settling of a write waits for company. Until then
// a listing looks at its head. At 16 shards and a hundred writes a second much
// less would mean an operation for almost every write.
const flushEvery = time.Second

// discardEvery is how often it is seen to what uploads of this process gave up.
const discardEvery = time.Second

// lastWords is how long Close lets the index send what it still holds.
const lastWords = time.Second

func (h *Home) beginChores() {
	ctx, stop := context.WithCancel(context.Background())
	h.chores.stop = stop
	h.every(ctx, flushEvery, func(ctx context.Context) {
		h.index.flush()
	})
	h.every(ctx, discardEvery, h.collector.discard)
	h.every(ctx, h.cfg.Grace/5, h.beat)
	if h.cfg.CollectEvery > 0 {
		h.every(ctx, h.cfg.CollectEvery, h.pass)
	}
}

// beat says of the uploads of this process that they go on. There are turns
// enough within the grace for some to fail.
func (h *Home) beat(ctx context.Context) {
	if err := h.uploads.beat(ctx); err != nil {
		h.tell(ctx, "beat of uploads", err, func(n *ChoreNumbers) { n.BeatsFailed++ })
	}
}

// pass is one pass of the collector.
func (h *Home) pass(ctx context.Context) {
	did, err := h.Collect(ctx)
	h.tell(ctx, "pass of the collector", err, func(n *ChoreNumbers) {
		n.Passes++
		n.Uploads, n.Tails = int64(did.Uploads), n.Tails+int64(did.Tails)
		if err != nil {
			n.PassesFailed++
		}
	})
}

// tell counts, and says what failed where that is not the end of the store.
func (h *Home) tell(ctx context.Context, what string, err error, count func(*ChoreNumbers)) {
	if ctx.Err() != nil {
		return
	}
	h.chores.mu.Lock()
	count(&h.chores.told)
	h.chores.mu.Unlock()
	if err != nil && h.cfg.Failed != nil {
		h.cfg.Failed(what, err)
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
