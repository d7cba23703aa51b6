package probe

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"bogops/validator/concourse"
	"bogops/validator/verdict"
)

// How long a build may wait, and a job's very first one may run, on the real
// day, before nothing is expected of it any more.
const (
	mayWait = 120 * time.Second
	mayRun  = 900 * time.Second
)

// lookBack is how many builds of a job are looked at for one that counts.
const lookBack = 25

// jobState is what the builds of one job say.
type jobState struct {
	job    string
	status verdict.Status
	got    string // completes the job's name: #12 failed
}

// concourseLastBuilds judges the jobs that are there; those that are missing
// are named by another check.
func concourseLastBuilds(ctx context.Context, s *Session, way *Concourse) (string, error) {
	jobs, err := way.Client.Jobs(ctx)
	if err != nil {
		return "", err
	}
	var all []jobState
	seen := map[string][]concourse.Build{}
	for _, job := range namesOf(jobs) {
		if !slices.Contains(normed(), job) {
			continue
		}
		builds, err := way.Client.Builds(ctx, job, lookBack)
		if err != nil {
			return "", err
		}
		seen[job] = builds[:min(len(builds), 5)]
		f, err := way.judge(ctx, s, job, builds)
		if err != nil {
			return "", err
		}
		all = append(all, f)
	}
	s.note("builds", seen)
	return summed(all)
}

// judge returns what the newest build that counts says. One that runs says
// nothing yet, and the one before it stands; one from before the contest, or
// that met a fault of the judge's, does not count.
func (c *Concourse) judge(ctx context.Context, s *Session, job string, builds []concourse.Build) (jobState, error) {
	f := jobState{job: job, status: verdict.Mumble, got: "no build"}
	for _, b := range builds {
		if !b.Start.IsZero() && b.Start.Before(s.Env.Began.Truncate(time.Second)) {
			if f.status == verdict.Mumble {
				f.got = fmt.Sprintf("nothing since the contest began: #%s is of %s", b.Name, b.Start.Format(time.DateTime+" MST"))
			}
			break // and so are all that follow
		}
		switch status, got, err := c.look(ctx, s, b); {
		case err != nil:
			return f, err
		case b.Status == concourse.Started && s.Env.Now().Sub(b.Start) > s.scaled(mayRun):
			f.got = got // for so long that a job without another build has none
		case status == verdict.NotChecked && f.status == verdict.Mumble:
			f.status, f.got = status, got // unless an older one says more
		case status != verdict.NotChecked:
			return jobState{job, status, got}, nil
		}
	}
	return f, nil
}

// look is what one build says by itself; NOT_CHECKED: nothing.
func (c *Concourse) look(ctx context.Context, s *Session, b concourse.Build) (verdict.Status, string, error) {
	now := s.Env.Now()
	since := c.pending(b, now)
	name := "#" + b.Name + " "
	if c.disturbed(b, since, now) {
		return verdict.NotChecked, name + "ran while the judge had something broken", nil
	}
	switch b.Status {
	case concourse.Succeeded:
		return verdict.OK, name + "succeeded", nil
	case concourse.Failed:
		return verdict.Mumble, name + "failed", nil
	case concourse.Errored:
		return verdict.Degraded, name + "errored", nil
	case concourse.Aborted:
		return verdict.Mumble, name + "aborted: run it again", nil
	case concourse.Started:
		return verdict.NotChecked, name + "runs since " + b.Start.Format(time.TimeOnly+" MST"), nil
	case concourse.Pending:
		return c.lookAtPending(ctx, s, b, now.Sub(since))
	}
	return verdict.Mumble, name + "has the status " + quoted(string(b.Status)), nil
}

// lookAtPending asks what a build waits for once it has waited for too long. Its
// turn in a queue is nobody's fault: the build that it waits for tells more.
func (c *Concourse) lookAtPending(ctx context.Context, s *Session, b concourse.Build, waited time.Duration) (verdict.Status, string, error) {
	if waited <= s.scaled(mayWait) {
		return verdict.NotChecked, "#" + b.Name + " is pending", nil
	}
	preparation, err := c.Client.Preparation(ctx, b.ID)
	if err != nil {
		return "", "", err
	}
	s.note("preparation of "+b.Job+" #"+b.Name, preparation)
	reasons := preparation.Reasons()
	if preparation.MaxRunning == "blocking" && len(reasons) == 1 {
		return verdict.NotChecked, "#" + b.Name + " waits for its turn", nil
	}
	got := fmt.Sprintf("#%s pending for %s", b.Name, waited.Round(time.Second))
	if len(reasons) > 0 {
		got += ": " + short(strings.Join(reasons, ", "))
	}
	return verdict.Down, got, nil
}

// pending returns since when b is known to be pending: Concourse does not tell
// when a build was created. Of one that is not pending it is zero.
func (c *Concourse) pending(b concourse.Build, now time.Time) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if b.Status != concourse.Pending {
		delete(c.waiting, b.ID)
		return time.Time{}
	}
	if c.waiting == nil {
		c.waiting = map[int]time.Time{}
	}
	if _, known := c.waiting[b.ID]; !known {
		c.waiting[b.ID] = now
	}
	return c.waiting[b.ID]
}

// Waits tells the checks that a build is pending since then, where that is
// known otherwise than by looking.
func (c *Concourse) Waits(build int, since time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.waiting == nil {
		c.waiting = map[int]time.Time{}
	}
	c.waiting[build] = since
}

// disturbed says whether a fault of the judge's fell into the life of b.
func (c *Concourse) disturbed(b concourse.Build, since, now time.Time) bool {
	from, to := b.Start, b.End
	if from.IsZero() {
		from = since
	}
	if to.IsZero() {
		to = now
	}
	if from.IsZero() {
		from = to // it ended before it began: aborted while it was pending
	}
	return c.Broken != nil && c.Broken(from, to)
}

// summed is the worst that the jobs say, with all that are no better than OK.
func summed(all []jobState) (string, error) {
	if len(all) == 0 {
		return "", verdict.Wrong("Last builds", "no job of the norm", "a build of each that succeeded")
	}
	worst, good := verdict.OK, []string{}
	bad := map[verdict.Status][]string{}
	for _, f := range all {
		line := f.job + ": " + f.got
		if f.status == verdict.OK {
			good = append(good, f.job)
			continue
		}
		bad[f.status] = append(bad[f.status], line)
	}
	var lines []string
	for _, status := range []verdict.Status{verdict.NotChecked, verdict.Degraded, verdict.Mumble, verdict.Down} {
		if len(bad[status]) > 0 {
			worst = status
			lines = append(slices.Clone(bad[status]), lines...)
		}
	}
	if worst == verdict.OK {
		return plural(len(good), "job's last build succeeded", "jobs' last builds succeeded"), nil
	}
	return "", verdict.New(worst, "Last builds", short(strings.Join(lines, "; ")), "each succeeded, and begun since the contest did")
}

// scaled is a duration of the real day in the contest's time.
func (s *Session) scaled(real time.Duration) time.Duration {
	return time.Duration(float64(real) * s.Env.TimeScale)
}

func plural(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}
