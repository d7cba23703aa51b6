package load

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Run sends the plan to one team and returns when every arrival is settled.
// Without the target's consent nothing is sent and everything counts as
// unserved. When ctx ends nothing more is sent and the seconds that are not
// complete are not told: they are nobody's fault. The error is then the
// context's; any other is the judge's own. Teams run concurrently.
func Run(ctx context.Context, c Config) (Summary, error) {
	c, err := c.normal()
	if err != nil {
		return Summary{}, err
	}
	ctx, abort := context.WithCancelCause(ctx)
	defer abort(nil)
	lanes := newLanes(c)
	defer lanes.close()
	r := &run{
		Config:  c,
		sender:  newSender(c, lanes),
		consent: newConsent(c, lanes),
		slots:   make(chan time.Time, c.MaxInFlight),
		book:    newBook(c),
		abort:   abort,
	}
	for range c.MaxInFlight {
		r.slots <- time.Time{}
	}
	var telling, watching sync.WaitGroup
	watch, stop := context.WithCancel(ctx)
	watching.Go(func() { r.consent.watch(watch) })
	telling.Go(func() {
		if err := r.book.tell(); err != nil {
			abort(fmt.Errorf("load: a second could not be told: %w", err))
		}
	})
	r.schedule(ctx)
	r.requests.Wait()
	stop()
	watching.Wait()
	r.book.end()
	telling.Wait()
	total := r.book.summary()
	total.Replays, total.Connections = int(r.sender.replays.Load()), int(r.sender.fresh.Load())
	return total, context.Cause(ctx)
}

// run is one Run under way.
type run struct {
	Config
	sender   *sender
	consent  *consent
	book     *book
	slots    chan time.Time // the free places, each with when it became free
	abort    context.CancelCauseFunc
	requests sync.WaitGroup
	blocked  time.Time // the schedule's own: when it last had to wait for a place
}

// schedule starts every arrival of this injector when it is due, or as soon
// after as a place is free, in order. It never waits for an answer.
func (r *run) schedule(ctx context.Context) {
	if !r.consent.known(ctx) {
		return
	}
	for n := r.Plan.first(r.First); n < r.Plan.Len(); n++ {
		if !r.Injector.takes(n) {
			continue
		}
		a := r.Plan.Arrival(n)
		due := r.T0.Add(a.Due)
		if !sleepUntil(ctx, due) {
			return
		}
		r.book.reach(a.Due)
		if !r.consent.given() || !r.book.melt.sends(r.Plan, a) {
			r.book.settle(a, unserved())
			continue
		}
		eligible, ok := r.place(ctx, due)
		switch {
		case ctx.Err() != nil:
			return
		case !ok:
			r.book.settle(a, unserved())
		default:
			r.requests.Go(func() { r.serve(ctx, a, due, eligible) })
		}
	}
	sleepUntil(ctx, r.T0.Add(time.Duration(r.Plan.ramp.length*float64(time.Second))))
	r.book.reach(time.Duration(r.Plan.Seconds()) * time.Second)
}

// place takes a free place, and waits for one until the arrival is too late.
// From eligible on, a later start is our own lag. Before, it was the target's:
// nothing had told us its consent, no place was free, or the arrival stood in
// the queue behind one that had to wait for a place.
func (r *run) place(ctx context.Context, due time.Time) (eligible time.Time, ok bool) {
	select {
	case free := <-r.slots:
		if due.Before(r.blocked) {
			return time.Now(), true
		}
		return latest(due, free, r.consent.since()), true
	default:
	}
	timer := time.NewTimer(time.Until(due.Add(r.scaled(tooLate))))
	defer timer.Stop()
	select {
	case eligible = <-r.slots:
		ok = true
	case <-timer.C:
	case <-ctx.Done():
	}
	r.blocked = time.Now()
	return eligible, ok
}

// serve sends one request and settles it.
func (r *run) serve(ctx context.Context, a Arrival, due, eligible time.Time) {
	start := time.Now()
	lag := start.Sub(eligible)
	var res result
	settle := nothing
	switch late := r.scaled(tooLate); {
	case lag > late:
		res.unsent = true
	case start.Sub(due) > late:
		res = unserved()
	default:
		res, settle = r.sender.send(ctx, a, due)
	}
	r.slots <- time.Now() // before settle: our disk is no business of the target's places
	if err := settle(); err != nil {
		res = result{unsent: true}
		r.abort(err)
	}
	res.lag, res.lagged = lag, true
	r.book.settle(a, res)
}

func latest(times ...time.Time) time.Time {
	last := times[0]
	for _, t := range times[1:] {
		if t.After(last) {
			last = t
		}
	}
	return last
}

// sleepUntil reports false when ctx ended first.
func sleepUntil(ctx context.Context, t time.Time) bool {
	wait := time.Until(t)
	if wait <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
