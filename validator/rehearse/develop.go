package rehearse

import (
	"context"
	"fmt"
	"slices"
	"time"

	"bogops/validator/concourse"
)

// chain are the jobs that a push sets off, in order; alone are those that a team
// starts by hand. app-deploy is among both: what is rolled back must have been
// replaced before.
var (
	chain = []string{"app-test", "app-package", "app-deploy", "platform-smoke"}
	alone = []string{"infra-plan", "infra-apply", "app-deploy", "app-rollback"}
)

// develop is what a team does in the morning: it pushes its platform, which its
// pipeline tests, packages, rolls out onto empty machines and checks; then it
// tries every other job once.
func (m *member) develop(ctx context.Context, f *forge, say func(string, ...any)) error {
	if err := f.push(ctx, m); err != nil {
		return err
	}
	if _, err := m.workshop.owner.Check(ctx, "source"); err != nil {
		return fmt.Errorf("%s: %w", m.team.ID, err)
	}
	for _, job := range chain {
		took, err := m.awaitJob(ctx, job, 0)
		if err != nil {
			return err
		}
		say("%s: %s succeeded in %s", m.team.Name, job, took.Round(time.Second))
	}
	if err := m.freshNonce(ctx, f); err != nil {
		return err
	}
	for _, job := range alone {
		build, err := m.workshop.owner.Trigger(ctx, job)
		if err != nil {
			return fmt.Errorf("%s: trigger %s: %w", m.team.ID, job, err)
		}
		took, err := m.awaitJob(ctx, job, build.ID)
		if err != nil {
			return err
		}
		say("%s: %s succeeded in %s", m.team.Name, job, took.Round(time.Second))
	}
	return nil
}

// freshNonce makes the next deployment another version than the one that runs:
// otherwise there would be nothing to roll out, and nothing to go back to.
func (m *member) freshNonce(ctx context.Context, f *forge) error {
	revision, err := f.nonces.Commit(ctx, m.team.ID, randomHex(8))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, jobWithin)
	defer cancel()
	for {
		if _, err := m.workshop.owner.Check(ctx, "nonce"); err != nil {
			return fmt.Errorf("%s: check nonce: %w", m.team.ID, err)
		}
		versions, err := m.workshop.owner.Versions(ctx, "nonce", 5)
		if err != nil {
			return fmt.Errorf("%s: versions of nonce: %w", m.team.ID, err)
		}
		if slices.ContainsFunc(versions, func(v concourse.Version) bool { return v.Fields["ref"] == revision }) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: Concourse does not see the new nonce: %w", m.team.ID, ctx.Err())
		case <-time.After(2 * time.Second):
		}
	}
}

// jobWithin bounds how long a job may take to begin and end: three teams build
// on two cores at once, the first time.
const jobWithin = 8 * time.Minute

// awaitJob waits until a build of the job, of this number or a later one, has
// succeeded, and says how long it ran.
func (m *member) awaitJob(ctx context.Context, job string, from int) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, jobWithin)
	defer cancel()
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	last := "no build"
	for {
		builds, err := m.workshop.owner.Builds(ctx, job, 1)
		switch {
		case err != nil:
			last = err.Error() // asked again: it is loaded, and so is this machine
		case len(builds) == 0 || builds[0].ID < from:
		case builds[0].Status == concourse.Succeeded:
			return builds[0].End.Sub(builds[0].Start), nil
		case builds[0].Status.Ended():
			return 0, fmt.Errorf("%s: %s #%s %s:\n%s", m.team.ID, job, builds[0].Name, builds[0].Status, m.lastWords(ctx, builds[0].ID))
		default:
			last = string(builds[0].Status)
		}
		select {
		case <-ctx.Done():
			return 0, fmt.Errorf("%s: %s did not end within %s: %s", m.team.ID, job, jobWithin, last)
		case <-ticker.C:
		}
	}
}

// lastWords is the end of what a build said.
func (m *member) lastWords(ctx context.Context, build int) string {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	var said string
	_ = m.workshop.owner.Events(ctx, build, concourse.FromStart, func(e concourse.Event) error {
		said += e.Payload + e.Message
		said = said[max(0, len(said)-2000):]
		return nil
	})
	return said
}
