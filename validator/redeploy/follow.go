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
	names, _ := r.Client.Tasks(ctx, r.outcome.Build)
	name := func(e concourse.Event) string { return fmt.Sprintf("%.60s", orElse(names[e.Origin.ID], "a task")) }
	tasks := 0
	_ = r.Client.Events(ctx, r.outcome.Build, concourse.FromStart, func(e concourse.Event) error {
		switch e.Kind {
		case "start-task":
			if tasks++; tasks <= mostTasks {
				r.tell(TaskBegan, name(e))
			}
		case "finish-task":
			if e.ExitStatus == 0 {
				if tasks <= mostTasks {
					r.tell(TaskEnded, name(e))
				}
				break
			}
			r.trouble = fmt.Sprintf("%s exited with %d", name(e), e.ExitStatus)
			r.tell(TaskEnded, r.trouble)
		case "error":
			r.trouble = fmt.Sprintf("%.300s", e.Message)
		}
		return nil
	})
}

// mostTasks is how many tasks of a build are told: what a pipeline consists of is
// the team's, and what the journal holds is not.
const mostTasks = 50

// conclude judges a build that has ended (CHALLENGE.md, section 5).
func (r *run) conclude() error {
	build := fmt.Sprintf("%s %s", r.job(), r.outcome.Name)
	got := string(r.outcome.Status)
	if r.trouble != "" {
		got += ": " + r.hide(r.trouble)
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
