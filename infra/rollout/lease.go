package rollout

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// callWithin bounds one call to a fleet that does not wait for anything.
const callWithin = 30 * time.Second

// take gets the lease, and waits for another roll-out as long as it may.
func take(ctx context.Context, f Fleet, o Options) (Lease, error) {
	waiting, cancel := context.WithTimeout(ctx, o.Wait)
	defer cancel()
	for told := ""; ; {
		asking, cancel := context.WithTimeout(ctx, callWithin)
		lease, err := f.Lease(asking, o.Holder, o.Lease)
		cancel()
		if !errors.Is(err, ErrHeld) || waiting.Err() != nil {
			return lease, err
		}
		if err.Error() != told {
			told = err.Error()
			o.Told("waiting: " + told)
		}
		if pause(waiting, time.Second) != nil && ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
	}
}

// renewing does what while the lease is renewed. The context of what ends with
// the lease.
func (p *procedure) renewing(ctx context.Context, what func(context.Context) error) error {
	doing, cancel := context.WithCancelCause(ctx)
	var renewing sync.WaitGroup
	renewing.Go(func() { p.renew(doing, cancel) })
	err := what(doing)
	cancel(nil)
	renewing.Wait()
	return err
}

// giveBack ends the lease.
func (p *procedure) giveBack(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callWithin)
	defer cancel()
	if err := p.lease.End(ctx); err != nil && !errors.Is(err, ErrLost) {
		p.told("the lease was not given back, and ends by itself within %s: %v", p.o.Lease, err)
	}
}

// renew keeps the lease until ctx ends. One that cannot be renewed for as long
// as it lasts is lost.
func (p *procedure) renew(ctx context.Context, lost context.CancelCauseFunc) {
	renewed := time.Now()
	for pause(ctx, p.o.Lease/3) == nil {
		asking, cancel := context.WithTimeout(ctx, p.o.Lease/3)
		err := p.lease.Renew(asking, p.o.Lease)
		cancel()
		switch {
		case err == nil:
			renewed = time.Now()
		case ctx.Err() != nil:
		case errors.Is(err, ErrLost):
			lost(err)
		case time.Since(renewed) >= p.o.Lease:
			lost(fmt.Errorf("%w: it could not be renewed: %w", ErrLost, err))
		}
	}
}

// pause waits, and returns why it did not wait to the end.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
