package load

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// How the set loaded before the ramp is stored: gently, and again where a PUT
// was not acknowledged.
const (
	preloadInFlight = 32
	preloadTries    = 3
	preloadLowest   = 20 // objects a second
)

// Preload stores the objects that the first GETs of the plan ask for, at a
// bounded rate, and is over at T0; where T0 is too near for that, it takes
// twice the time that the rate needs, so that a late judge costs nobody the
// loaded set. What the target does not acknowledge is no error: the plan asks
// for a stand-in. Without the target's consent nothing is sent. An error is the
// judge's own.
func Preload(ctx context.Context, c Config) error {
	c, err := c.normal()
	if err != nil {
		return err
	}
	lanes := newLanes(c)
	defer lanes.close()
	p := &preload{Config: c, sender: newSender(c, lanes)}
	needed := time.Duration(float64(c.Plan.Loaded()) / p.rate() * float64(time.Second))
	whole := ctx
	ctx, stop := context.WithDeadline(ctx, latest(c.T0, time.Now().Add(2*needed)))
	defer stop()
	if !p.consented(ctx, newConsent(c, lanes)) {
		return whole.Err()
	}
	p.store(ctx)
	if err := p.failed.Load(); err != nil {
		return *err
	}
	return whole.Err()
}

type preload struct {
	Config
	sender *sender
	failed atomic.Pointer[error] // the ledger's
}

// consented asks until there is an answer: one lost request costs nobody the
// loaded set.
func (p *preload) consented(ctx context.Context, c *consent) bool {
	for {
		given, err := c.ask(ctx)
		if err == nil {
			return given
		}
		if !sleepUntil(ctx, time.Now().Add(p.scaled(time.Second))) {
			return false
		}
	}
}

// store puts every object once, and three times at most.
func (p *preload) store(ctx context.Context) {
	pause := time.Duration(float64(time.Second) / p.rate())
	places := make(chan struct{}, preloadInFlight)
	var puts sync.WaitGroup
	defer puts.Wait()
	start := time.Now()
	for i := range p.Plan.Loaded() {
		if !sleepUntil(ctx, start.Add(time.Duration(i)*pause)) || p.failed.Load() != nil {
			return
		}
		select {
		case places <- struct{}{}:
		case <-ctx.Done():
			return
		}
		puts.Go(func() {
			defer func() { <-places }()
			p.put(ctx, i)
		})
	}
}

// rate is what stores all of them in half of the time that is left, within
// what the campaign itself will offer.
func (p *preload) rate() float64 {
	rate := p.Plan.Peak()
	if left := time.Until(p.T0).Seconds() / 2; left > 0 {
		rate = min(rate, float64(p.Plan.Loaded())/left)
	}
	return max(preloadLowest, rate)
}

func (p *preload) put(ctx context.Context, i int) {
	o := p.Plan.LoadedObject(i)
	if p.Ledger.Has(o.Key) {
		return // taken up after a crash of the judge
	}
	for range preloadTries {
		res, settle := p.sender.put(ctx, Arrival{N: i, Op: Put, Key: o.Key, Version: o.Version, Size: o.Size}, time.Now())
		if err := settle(); err != nil {
			p.failed.CompareAndSwap(nil, &err)
			return
		}
		if res.acked || !sleepUntil(ctx, time.Now().Add(p.scaled(time.Second))) {
			return
		}
	}
}
