package rollout

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// procedure is one roll-out under way.
type procedure struct {
	fleet Fleet
	lease Lease // the one in force
	o     Options
	to    Release
	known map[string]*record // by instance
	back  bool               // it is being undone
}

// forward brings the fleet to p.to and commits it, or returns at the first
// thing that is not as it should be.
func (p *procedure) forward(ctx context.Context, s State) error {
	p.told("rolling out %s to %d instances; the release is %s", p.to.Version, s.Size, s.runs())
	all, _ := p.see(s, &p.to)
	p.giveUpOnTheDead(all)
	for {
		next := advance(s.Size, all)
		if next.done {
			return p.commit(ctx, s)
		}
		if err := p.step(ctx, next, all); err != nil {
			return err
		}
		var err error
		if s, err = p.describe(ctx); err != nil {
			return err
		}
		var gone []string
		if all, gone = p.see(s, &p.to); len(gone) > 0 {
			return fmt.Errorf("instance %s (%s) died meanwhile: %s", gone[0], p.known[gone[0]].release.Version, p.about(ctx, gone[0]))
		}
	}
}

// giveUpOnTheDead waits for nobody in a fleet where nobody is ready: there is
// no service to be careful of, and the roll-out may be what mends it.
func (p *procedure) giveUpOnTheDead(all []member) {
	if ready, _ := tally(all); ready > 0 {
		return
	}
	for i, m := range all {
		if !m.right {
			p.told("%s is not ready, as no other instance is: nobody waits for it", m.id)
			p.known[m.id].sick, all[i].sick = true, true
		}
	}
}

// step does what was decided, or waits for the next look.
func (p *procedure) step(ctx context.Context, next move, all []member) error {
	switch {
	case next.launch:
		return p.launch(ctx, p.to)
	case next.retire != "":
		return p.retire(ctx, next.retire)
	}
	if id, within, is := p.overdue(all); is {
		r := p.known[id]
		if r.launched && !r.settled {
			return fmt.Errorf("instance %s (%s) was not ready within %s: %s", id, r.release.Version, within, p.about(ctx, id))
		}
		return fmt.Errorf("instance %s (%s) has not been ready for %s: %s", id, r.release.Version, within, p.about(ctx, id))
	}
	return pause(ctx, p.o.Every)
}

// launch starts one more instance.
func (p *procedure) launch(ctx context.Context, r Release) error {
	asking, cancel := context.WithTimeout(ctx, p.o.ReadyWithin)
	defer cancel()
	id, err := p.lease.Launch(asking, r)
	if err != nil {
		return because(ctx, fmt.Errorf("launch an instance of %s: %w", r.Version, err))
	}
	p.known[id] = &record{release: r, launched: true, since: time.Now()}
	p.told("%s launched (%s)", id, r.Version)
	return nil
}

// retire sends an instance away and waits until it is gone. A new one that was
// never ready is ended at once: nobody waits for an answer of it. Where a call
// fails it returns nil, after a while: the next look decides anew, since others
// may have died meanwhile.
func (p *procedure) retire(ctx context.Context, id string) error {
	r := p.known[id]
	r.leaving = true
	if r.launched && !r.settled && !r.serving {
		return p.end(ctx, id)
	}
	if r.asked.IsZero() {
		p.told("%s drains", id)
		r.asked = time.Now()
	}
	over := r.asked.Add(p.o.DrainWithin)
	draining, cancel := context.WithDeadline(ctx, over)
	err := p.lease.Retire(draining, id, false)
	cancel()
	switch {
	case err == nil:
		p.told("%s is gone", id)
		return nil
	case ctx.Err() != nil, errors.Is(err, ErrLost):
		return because(ctx, fmt.Errorf("retire %s: %w", id, err))
	case time.Now().Before(over):
		p.told("retire %s: %v; trying again", id, err)
		r.refused = err
		return pause(ctx, p.o.Every)
	}
	r.asked = time.Time{}
	return p.overdrawn(ctx, id, errors.Join(r.refused, err))
}

// overdrawn ends an instance whose time to drain is over. One that does not
// drain at all, for whatever reason, may still serve: it is not touched.
func (p *procedure) overdrawn(ctx context.Context, id string, drained error) error {
	looking, cancel := context.WithTimeout(ctx, callWithin)
	defer cancel()
	i, err := p.fleet.Instance(looking, id)
	if err != nil || i.Phase < Draining {
		return because(ctx, fmt.Errorf("retire %s: %w", id, errors.Join(drained, err)))
	}
	p.told("%s still drains after %s and is ended", id, p.o.DrainWithin)
	return p.end(ctx, id)
}

func (p *procedure) end(ctx context.Context, id string) error {
	ending, cancel := context.WithTimeout(ctx, callWithin)
	defer cancel()
	if err := p.lease.Retire(ending, id, true); err != nil {
		return because(ctx, fmt.Errorf("end %s: %w", id, err))
	}
	p.told("%s is gone", id)
	return nil
}

// commit makes the release the fleet's. Where the answer does not come, the
// fleet is asked what became of it.
func (p *procedure) commit(ctx context.Context, s State) error {
	if s.Release != nil && *s.Release == p.to {
		p.told("%s is the release and all that runs", p.to.Version)
		return nil
	}
	asking, cancel := context.WithTimeout(ctx, callWithin)
	defer cancel()
	if err := p.lease.Commit(asking, p.to); err != nil {
		after, looked := p.describe(ctx)
		if looked != nil || after.Release == nil || *after.Release != p.to {
			return because(ctx, fmt.Errorf("commit the release: %w", err))
		}
	}
	p.told("%s is the release; the one before was %s", p.to.Version, s.runs())
	return nil
}

// because prefers why ctx ended over what it made of a call.
func because(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return fmt.Errorf("%w (%w)", cause, err)
	}
	return err
}

func (p *procedure) told(format string, args ...any) { p.o.Told(fmt.Sprintf(format, args...)) }
