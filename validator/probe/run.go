package probe

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"time"

	"bogops/validator/ceph"
	"bogops/validator/evidence"
	"bogops/validator/journal"
	"bogops/validator/target"
	"bogops/validator/verdict"
)

// DefaultLargeBytes is the size of the large object of api/large.
const DefaultLargeBytes = 50 << 20

// DefaultMinValidity is how long a certificate must still be valid.
const DefaultMinValidity = 24 * time.Hour

// Env is what a check needs beside its target. The zero Env is a judge on the
// day that keeps no evidence.
type Env struct {
	Evidence    *evidence.Store  // nil: none is kept
	Rand        io.Reader        // of keys, bodies and nonces; nil: crypto/rand; used by concurrent runs
	Now         func() time.Time // the contest's clock; nil: time.Now
	MinValidity time.Duration    // of certificates; 0: DefaultMinValidity
	LargeBytes  int64            // 0: DefaultLargeBytes
	Racers      int              // clients that race for one key; 0: DefaultRacers
	TimeScale   float64          // of the contest's durations; 0: 1
	Settling    time.Duration    // how long a pool's statistics may lag behind writes; 0: DefaultSettling
	OneMachine  bool             // a Ceph on one machine will do, with the mark R
	Rehearsal   bool             // the roots are the contest's own: nothing that only a public authority has is asked for

	// Ceph is the judge's way into each platform's Ceph, by the id of its target;
	// one without was given none.
	Ceph map[string]*ceph.Cluster
	// Concourse is the judge's way into each platform's Concourse, likewise.
	Concourse map[string]*Concourse
	Began     time.Time // when the contest did: builds from before do not count; zero: all do
}

func (e Env) filled() Env {
	if e.Rand == nil {
		e.Rand = rand.Reader
	}
	if e.Now == nil {
		e.Now = time.Now
	}
	if e.MinValidity == 0 {
		e.MinValidity = DefaultMinValidity
	}
	if e.LargeBytes == 0 {
		e.LargeBytes = DefaultLargeBytes
	}
	if e.TimeScale == 0 {
		e.TimeScale = 1
	}
	if e.Settling == 0 {
		e.Settling = DefaultSettling
	}
	if e.Racers == 0 {
		e.Racers = DefaultRacers
	}
	return e
}

// Run checks one promise of one target and fills everything of the verdict but
// Tick and Team. It always returns within p.Timeout and the few seconds that
// the control target and the cleaning up may take. A request that failed on
// the network has the check run once more while there is time, and marks the
// verdict as retried; a wrong answer never has.
func Run(ctx context.Context, p Probe, t target.Target, env Env) journal.Verdict {
	env = env.filled()
	if t.Now == nil {
		t.Now = env.Now
	}
	at := env.Now()
	begin := time.Now()
	limited, cancel := context.WithTimeout(ctx, p.Timeout)
	defer cancel()

	first := attempt(limited, p, t, env)
	attempts := []outcome{first}
	if again(first.err) && time.Since(begin) < p.Timeout/2 && ctx.Err() == nil {
		attempts = append(attempts, attempt(limited, p, t, env))
	}
	last := attempts[len(attempts)-1]
	err := last.err
	if ctx.Err() != nil && interrupted(err) {
		err = verdict.New(verdict.NotChecked, "The judge stopped the check", "a check cut short", "a whole one")
	}
	var finding *verdict.Error
	if !errors.As(err, &finding) { // what is one already names who failed
		err = t.Settle(ctx, err)
	}
	v := conclude(p, last.note, err)
	v.Retried = len(attempts) > 1
	v.Seconds = journal.Of(time.Since(begin))
	return keep(v, at, attempts, t, env)
}

// interrupted tells whether err may come of the judge's own stopping: a wrong
// answer that was already found does not.
func interrupted(err error) bool {
	var failure *target.Failure
	return errors.As(err, &failure) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// again tells whether a second attempt may see something else: not where the
// name is unknown or the judge itself is at fault.
func again(err error) bool {
	var failure *target.Failure
	if !errors.As(err, &failure) {
		return false
	}
	switch failure.Kind {
	case target.Refused, target.Reset, target.Cut, target.TimedOut, target.Unreachable:
		return true
	}
	return false
}

type outcome struct {
	note      string
	err       error
	exchanges []target.Exchange
	facts     []Fact
}

func attempt(ctx context.Context, p Probe, t target.Target, env Env) (result outcome) {
	s, err := newSession(t, env)
	if err != nil {
		return outcome{err: err}
	}
	defer s.client.Close()
	defer func() {
		if cause := recover(); cause != nil {
			result.err = fmt.Errorf("the check panicked: %v\n%s", cause, debug.Stack())
		}
		result.exchanges, result.facts = append(s.client.Exchanges(), s.also...), s.facts
	}()
	result.note, result.err = p.Run(ctx, s)
	var failure *target.Failure
	if !errors.As(result.err, &failure) {
		s.cleanUp(ctx)
	}
	return result
}

// conclude words the verdict. Of an error that nobody classified only the
// first line is shown: the stack is for the evidence.
func conclude(p Probe, note string, err error) journal.Verdict {
	v := journal.Verdict{Check: p.Check.ID, Brick: p.Check.Brick, Status: verdict.Of(err), Message: note}
	var finding *verdict.Error
	switch {
	case err == nil && note == "":
		v.Message = p.Check.Promise
	case errors.As(err, &finding):
		v.Message, v.Got, v.Want = finding.Message, finding.Got, finding.Want
	case err != nil:
		v.Message = "The judge's own error: " + firstLine(err.Error())
	}
	return v
}
