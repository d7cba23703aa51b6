package redeploy

import (
	"context"
	"fmt"
	"sync"

	"bogops/validator/concourse"
	"bogops/validator/verdict"
)

// follow tells the build's tasks until it ends. Events that cannot be had leave
// the timeline without tasks, and the build's end is waited for all the same.
func (r *run) follow(ctx context.Context) error {
	r.watch(ctx)
	for {
		if err := r.look(ctx); err != nil {
			return err
		}
		if r.outcome.Status.Ended() {
			break
		}
		if pause(ctx, r.Wait.poll()) != nil {
			return errOver
		}
	}
	r.outcome.Ended = r.now()
	r.tell(Finished, string(r.outcome.Status))
	return nil
}

// watch tells the build's events until their stream ends, or soon after the
// build has: a stream that never says so must not hold the judge.
func (r *run) watch(ctx context.Context) {
	ctx, stop := context.WithCancel(ctx)
	var watchdog sync.WaitGroup
	defer watchdog.Wait()
	defer stop()
	watchdog.Go(func() {
		defer stop()
		for pause(ctx, r.Wait.poll()) == nil {
			if b, err := r.Client.Build(ctx, r.outcome.Build); err == nil && b.Status.Ended() {
				_ = pause(ctx, r.Wait.events())
				return
			}
		}
	})
	t := timeline{run: r}
	var err error
	t.steps, err = r.Client.Steps(ctx, r.outcome.Build)
	t.planned = err == nil
	_ = r.Client.Events(ctx, r.outcome.Build, concourse.FromStart, t.event)
}

// timeline is what the events of a build tell.
type timeline struct {
	*run
	steps        concourse.Steps
	planned      bool // steps are known
	begun, ended int  // tasks
}

// mostTasks is how many beginnings and ends of a build's tasks are told each: what a pipeline consists of is
// the team's, and what the journal holds is not.
const mostTasks = 50

// event tells one event, and notes what went wrong.
func (t *timeline) event(e concourse.Event) error {
	task := t.short(orElse(t.steps.Tasks[e.Origin.ID], "a task"), mostName)
	fetches := t.steps.Gets[e.Origin.ID] == t.resource()
	switch e.Kind {
	case "start-task":
		if t.begun++; t.begun <= mostTasks {
			t.tell(TaskBegan, task)
		}
	case "finish-task":
		if e.ExitStatus != 0 {
			task = fmt.Sprintf("%s exited with %d", task, e.ExitStatus)
			t.trouble = task
		}
		if t.ended++; t.ended <= mostTasks {
			t.tell(TaskEnded, task)
		}
	case "finish-get":
		switch {
		case fetches: // an attempt that succeeds makes up for those before
			t.lost = e.ExitStatus != 0
		case !t.planned && e.ExitStatus != 0:
			t.lost = true // which get it was is not known, so it may be this
		}
	case "error":
		t.trouble = t.short(e.Message, mostSaid)
		t.lost = t.lost || !t.planned || fetches
	}
	return nil
}

// conclude judges a build that has ended (CHALLENGE.md, section 5). One that
// could not fetch the nonce is the team's only where the judge serves it.
func (r *run) conclude(ctx context.Context) error {
	if r.lost && (r.outcome.Status == concourse.Failed || r.outcome.Status == concourse.Errored) {
		if own := r.reachable(context.WithoutCancel(ctx)); own != nil {
			return own
		}
	}
	build := fmt.Sprintf("%s %s", r.job(), r.outcome.Name)
	got := string(r.outcome.Status)
	if r.trouble != "" {
		got += ": " + r.trouble
	}
	if r.inputs && r.outcome.Took != r.outcome.Revision && r.outcome.Status != concourse.Succeeded {
		got += "; and it took " + orElse(r.outcome.Took, "no nonce")
	}
	switch r.outcome.Status {
	case concourse.Failed:
		return verdict.New(verdict.Mumble, "The build "+build+" failed", got, string(concourse.Succeeded))
	case concourse.Errored:
		return verdict.New(verdict.Degraded, "Concourse could not run the build "+build, got, string(concourse.Succeeded))
	case concourse.Aborted:
		return verdict.New(verdict.Mumble, "Somebody aborted the build "+build, got, string(concourse.Succeeded))
	case concourse.Succeeded:
	default:
		return verdict.New(verdict.Mumble, "The build "+build+" ended in a status that Concourse does not have", got, string(concourse.Succeeded))
	}
	switch {
	case !r.inputs || r.outcome.Took == r.outcome.Revision:
		return nil
	case r.outcome.Took == "":
		return verdict.New(verdict.Mumble, "The build "+build+" succeeded and took no nonce", "no input of the resource "+r.resource(), "revision "+r.outcome.Revision)
	}
	return verdict.New(verdict.Mumble, "The build "+build+" succeeded and took another nonce", "revision "+r.outcome.Took, "revision "+r.outcome.Revision)
}
