package chaos

import (
	"context"
	"errors"
	"fmt"
	"time"

	"bogops/validator/concourse"
)

// Pipeline is one team's continuous deployment, as a fault needs it. What is
// seen is what Concourse tells the judge's own client, and not what a hand says
// of itself.
type Pipeline struct {
	Client *concourse.Client
	// Version returns the version that the platform describes over one fresh
	// connection.
	Version func(ctx context.Context) (string, error)
	// Worker takes the team's workers away and brings them back, by do: lose,
	// bring. Bringing is idempotent. Nil: nobody can.
	Worker func(ctx context.Context, do string) error
	// Deploy has the pipeline roll out a version that never gets ready, and does
	// not wait for it; Return has the version before be the newest again, and is
	// idempotent. Nil: nobody can.
	Deploy, Return func(ctx context.Context) error
}

// PipelineFaults are the faults that a team's pipeline can meet, by kind as in
// the contest file, without those that nobody can do here. Of the platform one
// thing is asked in each: that it goes on serving.
func PipelineFaults(p Pipeline) map[string]Action {
	actions := map[string]Action{"pause-pipeline": pausePipeline(p)}
	if p.Worker != nil {
		actions["lose-worker"] = loseWorker(p)
	}
	if p.Deploy != nil && p.Return != nil {
		actions["bad-deploy"] = badDeploy(p)
	}
	return actions
}

const (
	// workerShows is how long Concourse may take to miss a worker: it waits for
	// two heartbeats of 30 s before it calls one stalled.
	workerShows = 90 * time.Second
	// deployShows is how long a roll-out may take to give up: the window less the
	// time to see that the platform still serves.
	deployShows = 150 * time.Second
	// pipelineUndoes is how long putting back may take; lookWithin is the part of
	// it in which Concourse is asked first whether anything is to be done.
	pipelineUndoes = 45 * time.Second
	lookWithin     = 10 * time.Second
)

// pausePipeline pauses the pipeline for the whole window. Nobody who uses the
// platform may notice.
func pausePipeline(p Pipeline) Action {
	paused := func(ctx context.Context) (bool, error) {
		state, err := p.Client.Pipeline(ctx)
		return state.Paused, err
	}
	return Action{
		Kind: "pause-pipeline", Title: "Pipeline paused", Stays: true, Undoes: pipelineUndoes,
		Resolve: func(ctx context.Context) (string, error) {
			already, err := paused(ctx)
			if err == nil && already {
				err = errors.New("the pipeline is paused already: there is nothing to pause")
			}
			return "the pipeline", err
		},
		Do: func(ctx context.Context) error { return p.Client.SetPaused(ctx, true) },
		Verify: func(ctx context.Context) error {
			now, err := paused(ctx)
			if err == nil && !now {
				err = errors.New("the pipeline is not paused")
			}
			return err
		},
		Healed: p.serves,
		Undo: func(ctx context.Context) (bool, error) {
			looking, cancel := context.WithTimeout(ctx, lookWithin)
			defer cancel()
			if now, err := paused(looking); err == nil && !now {
				return false, nil
			}
			return true, p.Client.SetPaused(ctx, false)
		},
	}
}

// loseWorker takes the workers away for the whole window.
func loseWorker(p Pipeline) Action {
	var before int
	return Action{
		Kind: "lose-worker", Title: "Worker lost", Stays: true, Shows: workerShows, Undoes: pipelineUndoes,
		Resolve: func(ctx context.Context) (_ string, err error) {
			if before, err = p.running(ctx); err == nil && before == 0 {
				err = errors.New("no worker runs: there is none to lose")
			}
			return fmt.Sprintf("%d worker(s)", before), err
		},
		Do: func(ctx context.Context) error { return p.Worker(ctx, "lose") },
		Verify: func(ctx context.Context) error {
			now, err := p.running(ctx)
			if err == nil && now >= before {
				err = fmt.Errorf("still %d worker(s) run, want fewer than %d", now, before)
			}
			return err
		},
		Healed: p.serves,
		Undo: func(ctx context.Context) (bool, error) {
			looking, cancel := context.WithTimeout(ctx, lookWithin)
			defer cancel()
			now, err := p.running(looking)
			// Brought back also where they are counted still, or again: they are to run.
			return err != nil || now < before, p.Worker(ctx, "bring")
		},
	}
}

func (p Pipeline) running(ctx context.Context) (int, error) {
	workers, err := p.Client.Workers(ctx)
	n := 0
	for _, w := range workers {
		if w.State == "running" {
			n++
		}
	}
	return n, err
}

// looks is how many fresh connections must all see the platform: each may reach
// another instance.
const looks = 20

// serves returns nil where the platform describes itself on every connection.
func (p Pipeline) serves(ctx context.Context) error {
	for range looks {
		if _, err := p.Version(ctx); err != nil {
			return err
		}
	}
	return nil
}

// describes returns nil where the platform describes version on every connection.
func (p Pipeline) describes(ctx context.Context, version string) error {
	for i := range looks {
		got, err := p.Version(ctx)
		if err != nil {
			return err
		}
		if got != version {
			return fmt.Errorf("version %s on connection %d of %d, want %s on all", got, i+1, looks, version)
		}
	}
	return nil
}
