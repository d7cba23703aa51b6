// Package rollout replaces what a fleet runs by another release without an
// interruption: a new instance in, ready, then an old one drained and out, one
// at a time, and only while all the others are ready. When that does not work
// out it goes back by itself. What runs the instances is behind Fleet: machines
// on one host today (infra/rollout/local), a cloud's tomorrow.
package rollout

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Options bound a roll-out. Where a field is 0 the default holds.
type Options struct {
	// Holder says who rolls out, to whoever is refused meanwhile.
	Holder string
	// ReadyWithin is how long a new instance may take to be ready (2 min), Looks
	// how often in a row it must be seen so (3), Every the time between two looks
	// (500 ms).
	ReadyWithin time.Duration
	Looks       int
	Every       time.Duration
	// OthersWithin is how long to wait for another instance that is not ready
	// (30 s): a single late answer to a health check is no reason to go back.
	OthersWithin time.Duration
	// DrainWithin is how long an instance may drain before it is ended (60 s).
	DrainWithin time.Duration
	// BackWithin bounds the way back (5 min), also where ctx has ended.
	BackWithin time.Duration
	// Lease is how long the fleet waits for a roll-out that is not heard of (30 s).
	Lease time.Duration
	// Wait is how long to wait for another roll-out to end, such as one that was
	// killed and whose lease still runs. 0: not at all.
	Wait time.Duration
	// Told gets one line for each step, for the log of a build.
	Told func(line string)
}

func (o Options) complete() Options {
	for _, d := range []struct {
		field     *time.Duration
		otherwise time.Duration
	}{
		{&o.ReadyWithin, 2 * time.Minute}, {&o.Every, 500 * time.Millisecond},
		{&o.OthersWithin, 30 * time.Second}, {&o.DrainWithin, time.Minute},
		{&o.BackWithin, 5 * time.Minute}, {&o.Lease, 30 * time.Second},
	} {
		if *d.field == 0 {
			*d.field = d.otherwise
		}
	}
	if o.Looks == 0 {
		o.Looks = 3
	}
	if o.Holder == "" {
		o.Holder = "a roll-out"
	}
	if o.Told == nil {
		o.Told = func(string) {}
	}
	return o
}

// ErrNotBack marks a roll-out that failed and could not be undone, or of which
// that is not known. Any other error of Deploy, Roll and Back means that the
// fleet runs what it ran before.
var ErrNotBack = errors.New("the fleet could not be brought back")

// Deploy uploads a package and rolls it out as version.
func Deploy(ctx context.Context, f Fleet, p Package, version string, o Options) error {
	o = o.complete()
	o.Told(fmt.Sprintf("uploading package %s (%d bytes, revision %s)", p.Name, p.Bytes, p.Revision))
	if err := f.Upload(ctx, p); err != nil {
		return fmt.Errorf("upload package %s: %w", p.Name, err)
	}
	return Roll(ctx, f, Release{Package: p.Name, Version: version}, o)
}

// Back rolls out the release before, which then has the present one for its
// previous: going back twice changes nothing. Which one that is it asks once it
// has the lease: what it waited for may have released another.
func Back(ctx context.Context, f Fleet, o Options) error {
	return roll(ctx, f, "roll back", o, func(s State) (Release, error) {
		if s.Previous == nil {
			return Release{}, errors.New("the fleet has no previous release")
		}
		return *s.Previous, nil
	})
}

// Roll brings the fleet to r, and commits it as the fleet's release once nothing
// else runs. Called again after it was interrupted, it goes on from what it
// finds. ctx ends it early: it then goes back, as after any failure, within
// BackWithin.
func Roll(ctx context.Context, f Fleet, r Release, o Options) error {
	return roll(ctx, f, "roll out "+r.Version, o, func(State) (Release, error) { return r, nil })
}

// roll brings the fleet to what choose makes of its state under the lease; what
// says which roll-out it is, for its errors.
func roll(ctx context.Context, f Fleet, what string, o Options, choose func(State) (Release, error)) error {
	o = o.complete()
	lease, err := take(ctx, f, o)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	p := &procedure{fleet: f, lease: lease, o: o, known: map[string]*record{}}
	defer p.giveBack(ctx)
	first, err := p.describe(ctx)
	if err == nil {
		p.to, err = choose(first)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	failed := p.renewing(ctx, func(ctx context.Context) error { return p.forward(ctx, first) })
	if failed == nil {
		return nil
	}
	return p.undo(ctx, first, fmt.Errorf("roll out %s: %w", p.to.Version, failed))
}

// runs says what the release is, for people.
func (s State) runs() string {
	if s.Release == nil {
		return "nothing: there was no release"
	}
	return s.Release.Version
}
