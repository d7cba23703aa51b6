package rollout

import (
	"context"
	"errors"
	"fmt"
)

// undo brings the fleet back to what it ran at first, and returns failed, which
// is why. Where the release turns out to have been committed after all, nothing
// is undone and nothing has failed.
func (p *procedure) undo(ctx context.Context, first State, failed error) error {
	p.told("going back: %s", firstLine(failed))
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.o.BackWithin)
	defer cancel()
	p.back = true
	done, err := false, p.retake(ctx, failed)
	if err == nil {
		err = p.renewing(ctx, func(ctx context.Context) error {
			done, err = p.backward(ctx, first)
			return err
		})
	}
	switch {
	case err != nil:
		return fmt.Errorf("%w\n%w: %w", failed, ErrNotBack, err)
	case done:
		p.told("%s was released after all", p.to.Version)
		return nil
	}
	p.told("back at %s", first.runs())
	return failed
}

// retake takes the lease anew where it was lost. The fleet is on its way back by
// itself then, and what is left of the lease may have to run out first.
func (p *procedure) retake(ctx context.Context, failed error) error {
	for id, r := range p.known {
		r.sick = false
		if r.leaving {
			delete(p.known, id) // gone, or else seen again
		}
	}
	if !errors.Is(failed, ErrLost) {
		return nil
	}
	o := p.o
	o.Wait = max(o.Wait, 2*o.Lease)
	lease, err := take(ctx, p.fleet, o)
	if err == nil {
		p.lease = lease
	}
	return err
}

// backward goes on until the fleet runs first's release and nothing else. Single
// steps may fail, as long as the whole gets there in time.
func (p *procedure) backward(ctx context.Context, first State) (done bool, err error) {
	var last error
	for ctx.Err() == nil {
		s, err := p.describe(ctx)
		next := move{}
		switch {
		case err != nil:
		case same(s.Release, first.Release):
			next, err = p.backStep(ctx, s)
		case same(s.Release, &p.to):
			return true, nil
		default:
			return false, fmt.Errorf("the release is %s by now: another roll-out was here", s.runs())
		}
		switch {
		case next.done:
			return false, nil
		case errors.Is(err, ErrLost):
			return false, err
		case err != nil && ctx.Err() == nil:
			last = err
			p.told("still going back: %s", firstLine(err))
			_ = pause(ctx, p.o.Every)
		}
	}
	return false, errors.Join(context.Cause(ctx), last)
}

func same(a, b *Release) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

// backStep takes one step back to the release of s.
func (p *procedure) backStep(ctx context.Context, s State) (move, error) {
	all, gone := p.see(s, s.Release)
	for _, id := range gone {
		p.told("%s is gone", id)
		delete(p.known, id)
	}
	if len(gone) > 0 {
		return move{}, pause(ctx, p.o.Every) // or what dies at once is launched without end
	}
	next := vacate(all)
	if s.Release != nil {
		next = retreat(s.Size, all)
	}
	switch {
	case next.done:
		return next, nil
	case next.launch:
		return next, p.launch(ctx, *s.Release)
	case next.retire != "":
		return next, p.retire(ctx, next.retire)
	}
	if id, within, is := p.overdue(all); is {
		p.told("%s has not been ready for %s: %s", id, within, p.about(ctx, id))
		if p.known[id].launched {
			return next, p.retire(ctx, id) // and another one is launched
		}
		p.known[id].sick = true
		return next, nil
	}
	return next, pause(ctx, p.o.Every)
}
