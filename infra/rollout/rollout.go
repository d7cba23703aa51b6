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
	// Told gets one line for each step, for the log of a build.
	Told func(line string)
}

// ErrNotBack marks a roll-out that failed and could not be undone, or of which
// that is not known. Any other error of Roll and Back means that the fleet runs
// what it ran before.
var ErrNotBack = errors.New("the fleet could not be brought back")

// Roll brings the fleet to r, and commits it as the fleet's release once nothing
// else runs. Called again after it was interrupted, it goes on from what it
// finds. ctx ends it early: it then goes back, as after any failure, within
// BackWithin.
func Roll(ctx context.Context, f Fleet, r Release, o Options) error {
	return errors.New("rollout: not there yet")
}

// Back rolls out the release before, which then has the present one for its
// previous: going back twice changes nothing.
func Back(ctx context.Context, f Fleet, o Options) error {
	s, err := f.Describe(ctx)
	if err != nil {
		return fmt.Errorf("roll back: %w", err)
	}
	if s.Previous == nil {
		return errors.New("roll back: the fleet has no previous release")
	}
	return Roll(ctx, f, *s.Previous, o)
}
