// Package redeploy takes a fresh nonce from a commit to the running platform
// through a team's own pipeline (CHALLENGE.md, section 5): it commits the nonce,
// has Concourse check the resource, triggers the job, follows the build and asks
// the platform which version it runs.
//
// Its errors are findings of package verdict. What Concourse, the pipeline or
// the platform does is the team's; a nonce that the judge could not commit or
// does not serve is the judge's own, and so is what nobody classified.
package redeploy

import (
	"context"
	"time"

	"bogops/validator/concourse"
	"bogops/validator/nonce"
	"bogops/validator/target"
	"bogops/validator/verdict"
)

// Line is one team's way from a commit to a running version. It may be used
// concurrently; the judge has one redeployment of a team on at a time.
type Line struct {
	Client *concourse.Client
	Nonces *nonce.Host
	Team   string

	Job      string // empty: app-deploy
	Resource string // empty: nonce

	// Target is the team's platform. Its Control tells a Concourse that is down
	// from a judge whose network is.
	Target target.Target
	// Public is the judge's own server as Concourse reaches it. The judge asks
	// there itself before it blames a team for a check that fails; without a URL
	// it cannot, and then it blames nobody.
	Public target.Target

	Now  func() time.Time // the clock of steps; nil: time.Now
	Wait Wait             // zero: as on the real day
}

// Wait is how long a redeployment waits for what.
type Wait struct {
	Check time.Duration // for one check to end; 0: MostPending
	Start time.Duration // until a pending build is told of as such; 0: MostPending
	Poll  time.Duration // between two questions; 0: 1 s

	Events time.Duration // for a build's last events, once it has ended; 0: 5 s
}

// MostPending is how long a build may be pending, on the real day (CHALLENGE.md,
// section 5).
const MostPending = 120 * time.Second

func (w Wait) start() time.Duration  { return orElse(w.Start, MostPending) }
func (w Wait) check() time.Duration  { return orElse(w.Check, MostPending) }
func (w Wait) events() time.Duration { return orElse(w.Events, 5*time.Second) }
func (w Wait) poll() time.Duration   { return orElse(w.Poll, time.Second) }

func orElse[T comparable](value, otherwise T) T {
	var zero T
	if value == zero {
		return otherwise
	}
	return value
}

// The kinds of steps, in the order in which they come.
const (
	Committed = "committed" // the nonce is in the judge's repository; Detail: its revision
	Checking  = "checking"  // Concourse was asked to check the resource
	Checked   = "checked"   // the revision is among the resource's versions
	Triggered = "triggered" // the job was triggered; Detail: the build's name
	Pending   = "pending"   // the build waits for longer than it should; Detail: for what
	Started   = "started"   // the build runs
	Took      = "took"      // Detail: the revision that the build took
	TaskBegan = "task"      // Detail: the task's name
	TaskEnded = "task-end"  // Detail: the task's name, and its exit status where that is not 0
	Finished  = "finished"  // the build ended; Detail: its status
	Left      = "left"      // the time is over and the build goes on without the judge
	Live      = "live"      // the platform describes the nonce
)

// Step is one thing that happened on the way, by the judge's own clock.
type Step struct {
	At     time.Time `json:"at"`
	Kind   string    `json:"kind"`
	Detail string    `json:"detail,omitempty"`
	Build  int       `json:"build,omitempty"` // Concourse's number of the build; 0: none yet
}

// Outcome is what is known of a redeployment when it ended, however it did.
type Outcome struct {
	Nonce     string           `json:"nonce"`
	Revision  string           `json:"revision,omitempty"` // of the nonce; empty: it was not committed
	Build     int              `json:"build,omitempty"`    // 0: none was triggered
	Name      string           `json:"name,omitempty"`     // of the build, as people see it
	Status    concourse.Status `json:"status,omitempty"`
	Took      string           `json:"took,omitempty"` // the revision that the build took; empty: not known
	Triggered time.Time        `json:"triggered,omitzero"`
	Ended     time.Time        `json:"ended,omitzero"` // when the judge saw the build end
}

// Run takes nonce through the pipeline and returns when the build has ended, or
// ctx. The error is nil where a build succeeded that took the nonce; whether the
// platform then runs it, AwaitLive says. told is called for every step, from
// this goroutine; nil: nobody is told.
//
// A build that goes on when ctx ends is left alone: what it has half rolled out
// is the team's, and to abort it there would make the judge the cause of the
// outage that it is measuring. The contract asks for a login that may trigger,
// and for no more.
func (l *Line) Run(ctx context.Context, nonce string, told func(Step)) (Outcome, error) {
	r := &run{Line: l, told: told, outcome: Outcome{Nonce: nonce}}
	if err := r.run(ctx); err != nil {
		return r.outcome, r.finding(err)
	}
	return r.outcome, nil
}

// Deploy is Run and AwaitLive: it returns once the nonce is live, or cannot be
// any more, or ctx has ended. It waits until no other redeployment of the team
// is on, in whichever process of the judge.
func (l *Line) Deploy(ctx context.Context, nonce string, told func(Step)) Proof {
	done, err := l.Turn(ctx)
	if err != nil {
		return Proof{At: l.now(), Nonce: nonce, Err: err}
	}
	defer done()
	outcome, err := l.Run(ctx, nonce, told)
	if err != nil {
		return Proof{At: l.now(), Nonce: nonce, Build: outcome.Name, Err: err}
	}
	return l.AwaitLive(ctx, outcome, told)
}

// Turn waits until no other redeployment of the team is on, and keeps others out
// until done is called. Its error is a finding that blames nobody.
func (l *Line) Turn(ctx context.Context) (done func(), err error) {
	if done, err = l.Nonces.Turn(ctx, l.Team); err != nil {
		return nil, verdict.New(verdict.NotChecked, "The judge did not begin: "+err.Error(), "another redeployment of the team", "none")
	}
	return done, nil
}

// AwaitLive proves that the platform runs the nonce of a build that succeeded,
// and where it does not yet goes on asking until ctx ends: a team is watched
// until its time is over, and not only until its job says that all is done.
func (l *Line) AwaitLive(ctx context.Context, o Outcome, told func(Step)) Proof {
	proof := awaitLive(ctx, l.Target, o.Nonce, 2*l.Wait.poll())
	proof.At, proof.Build = l.now(), o.Name
	proof.live(o.Triggered, told, o.Build)
	return proof
}

func (l *Line) job() string      { return orElse(l.Job, "app-deploy") }
func (l *Line) resource() string { return orElse(l.Resource, "nonce") }

func (l *Line) now() time.Time {
	if l.Now == nil {
		return time.Now()
	}
	return l.Now()
}
