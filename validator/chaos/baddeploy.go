package chaos

import (
	"context"
	"fmt"

	"bogops/validator/concourse"
)

// deployJob is the job of the norm that rolls a version out.
const deployJob = "app-deploy"

// badDeploy rolls out a version that never gets ready. The pipeline must notice
// and go back by itself: it is seen once the build has failed, and healed once
// every instance is of the version before.
func badDeploy(p Pipeline) Action {
	var before string // the version
	var last int      // the newest build
	return Action{
		Kind: "bad-deploy", Title: "Bad version deployed", Shows: deployShows, Undoes: pipelineUndoes,
		Resolve: func(ctx context.Context) (_ string, err error) {
			if last, err = p.newest(ctx); err != nil {
				return "", err
			}
			if before, err = p.Version(ctx); err != nil {
				return "", err
			}
			if err := p.describes(ctx, before); err != nil {
				return "", fmt.Errorf("the platform is not of one version beforehand: %w", err)
			}
			return "version " + before, nil
		},
		Do:     p.Deploy,
		Verify: func(ctx context.Context) error { return p.rejected(ctx, last) },
		Healed: func(ctx context.Context) error { return p.describes(ctx, before) },
		Undo: func(ctx context.Context) (bool, error) {
			looking, cancel := context.WithTimeout(ctx, lookWithin)
			defer cancel()
			harmed := p.describes(looking, before) != nil
			// In any case: what is broken must not stay the newest version.
			return harmed, p.Return(ctx)
		},
	}
}

// lookBack is how many builds are looked at; a window holds fewer.
const lookBack = 20

func (p Pipeline) newest(ctx context.Context) (id int, err error) {
	builds, err := p.Client.Builds(ctx, deployJob, lookBack)
	for _, b := range builds {
		id = max(id, b.ID)
	}
	return id, err
}

// rejected returns nil once a build after last has failed. A build that succeeds
// has taken the fault for good where the platform no longer serves; where it
// does, nothing was broken. One that errored or was aborted says nothing.
func (p Pipeline) rejected(ctx context.Context, last int) error {
	builds, err := p.Client.Builds(ctx, deployJob, lookBack)
	if err != nil {
		return err
	}
	err = fmt.Errorf("no new build of %s", deployJob)
	for _, b := range builds {
		switch {
		case b.ID <= last:
		case b.Status == concourse.Failed:
			return nil
		case b.Status == concourse.Succeeded && p.serves(ctx) != nil:
			return nil
		default:
			err = fmt.Errorf("build #%s of %s is %s, want failed", b.Name, deployJob, b.Status)
		}
	}
	return err
}
