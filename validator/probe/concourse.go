package probe

import (
	"context"
	"strings"
	"sync"
	"time"

	"bogops/validator/concourse"
	"bogops/validator/contest"
	"bogops/validator/journal"
	"bogops/validator/redeploy"
	"bogops/validator/verdict"
)

// Concourse is the judge's way into one team's Concourse, with what its checks
// remember from one tick to the next. Its fields are set before the first check
// runs; checks use it concurrently.
type Concourse struct {
	Client  *concourse.Client // nil: the team gave no way in
	URL     string
	Secrets []string // for the redaction of evidence

	// Desk redeploys the platform through the pipeline, now and then. Nil: nobody
	// does here, as for a single `probe`.
	Desk *redeploy.Desk
	// Broken says whether the judge had something of this team broken at some
	// moment between from and to: a fault of one of these kinds, or of any where
	// none is named. Nil: never.
	Broken func(from, to time.Time, kinds ...string) bool

	mu      sync.Mutex
	waiting map[int]time.Time // builds that are pending, and since when that is known
}

// OpenConcourse returns the way that a checked contest file gives, and one into
// nowhere for nil. It connects to nothing yet.
func OpenConcourse(c *contest.Concourse, o concourse.Options) *Concourse {
	if c == nil {
		return &Concourse{}
	}
	access := concourse.Access{URL: c.URL, Team: c.Team, Pipeline: c.Pipeline, User: c.User, Password: c.Password, Token: c.Token}
	return &Concourse{Client: concourse.Open(access, o), URL: c.URL, Secrets: []string{string(c.Password), string(c.Token)}}
}

// Close closes the connections that are not in use.
func (c *Concourse) Close() {
	if c.Client != nil {
		c.Client.Close()
	}
}

// concourseProbes is the Concourse brick, one line for each promise. A job that
// is missing is the matter of `jobs` and `chain` alone, a pipeline that is paused
// that of `exposed`: one fault is one red line.
func concourseProbes() []Probe {
	return []Probe{
		inConcourse("info", "Concourse answers over HTTPS with its version, and its certificate can be trusted.", concourseInfo),
		inConcourse("exposed", "The pipeline can be read without a login, and is not paused.", concourseExposed),
		inConcourse("jobs", "Each job of the norm exists under its exact name, and is not paused.", concourseJobs).weighing(2),
		inConcourse("last-builds", "The last build of each job of the norm succeeded, and began after the contest did.", concourseLastBuilds).weighing(2),
		inConcourse("chain", "What app-deploy rolls out has passed app-package and app-test.", concourseChain),
		inConcourse("worker", "At least one worker runs.", concourseWorker),
		inConcourse("commit-to-live", "A nonce that the judge commits goes through the pipeline and is live.", concourseCommitToLive).weighing(3),
		inConcourse("role", "The judge's login may not set the pipeline.", concourseRole).bonus(),
	}
}

// inConcourse is a required check of the Concourse brick. It gets the way in,
// and returns what the client said as it is: that is settled here.
func inConcourse(id, promise string, run func(context.Context, *Session, *Concourse) (string, error)) Probe {
	return Probe{
		Check:   journal.Check{ID: "concourse/" + id, Brick: "concourse", Level: Bronze, Promise: promise, Required: true, Weight: 1},
		Timeout: 30 * time.Second,
		Run: func(ctx context.Context, s *Session) (string, error) {
			way := s.Env.Concourse[s.Target.ID]
			if way == nil || way.Client == nil {
				return "", verdict.New(verdict.Unproven, "Concourse is not shown", "no way into it was given", "its URL and a login (contract, section 7)")
			}
			note, err := run(ctx, s, way)
			return note, concourse.Settle(ctx, s.Target, err, "an answer to what the check asks")
		},
	}
}

// concourseInfo asks as anybody may, so that a withdrawn login is not held
// against the address.
func concourseInfo(ctx context.Context, s *Session, way *Concourse) (string, error) {
	if !strings.HasPrefix(way.URL, "https://") {
		return "", verdict.Wrong("Concourse is not served over HTTPS", way.URL, "https://")
	}
	info, err := way.Client.Info(ctx)
	if err != nil {
		return "", err
	}
	s.note("info", info)
	return "Concourse " + info.Version + " answers at " + way.URL, nil
}

func concourseExposed(ctx context.Context, s *Session, way *Concourse) (string, error) {
	exposed, err := way.Client.Exposed(ctx)
	if err != nil {
		return "", err
	}
	s.note("exposed", exposed)
	if !exposed {
		return "", verdict.Wrong("The pipeline is hidden", "no right to read its jobs without a login", "a pipeline that is exposed")
	}
	asked := s.Env.Now()
	pipeline, err := way.Client.Pipeline(ctx)
	if err != nil {
		return "", err
	}
	s.note("pipeline", pipeline)
	switch {
	case pipeline.Archived:
		return "", verdict.Wrong("The pipeline is archived", "an archived pipeline", "one that runs")
	case pipeline.Paused && way.brokenSince(asked, s, "pause-pipeline"):
		return "", verdict.New(verdict.NotChecked, "The judge itself has paused the pipeline", "a paused pipeline", "one that is not")
	case pipeline.Paused:
		return "", verdict.Wrong("The pipeline is paused", "a paused pipeline", "one that is not")
	}
	return "exposed, and not paused", nil
}

func concourseWorker(ctx context.Context, s *Session, way *Concourse) (string, error) {
	asked := s.Env.Now()
	workers, err := way.Client.Workers(ctx)
	if err != nil {
		return "", err
	}
	s.note("workers", workers)
	running, states := 0, []string{}
	for _, w := range workers {
		if w.State == "running" {
			running++
		}
		states = append(states, w.Name+" "+w.State)
	}
	if running > 0 {
		return plural(running, "worker runs", "workers run"), nil
	}
	got := "none"
	if len(states) > 0 {
		got = strings.Join(states, ", ")
	}
	if way.brokenSince(asked, s, "lose-worker") {
		return "", verdict.New(verdict.NotChecked, "The judge itself has taken the worker away", short(got), "one that runs")
	}
	return "", verdict.Wrong("No worker runs", short(got), "at least one that runs")
}

func concourseRole(ctx context.Context, s *Session, way *Concourse) (string, error) {
	// A login that is refused altogether may not set anything either, and that
	// shows nothing.
	if _, err := way.Client.Pipeline(ctx); err != nil {
		return "", err
	}
	may, err := way.Client.MaySet(ctx)
	if err != nil {
		return "", err
	}
	s.note("may set the pipeline", may)
	if may {
		return "", verdict.Wrong("The judge's login may set the pipeline", "leave to set it", "403: a login that only triggers")
	}
	return "setting the pipeline is refused with 403", nil
}

// brokenSince says whether the judge had a fault of these kinds under way at some
// moment since Concourse was asked: one that ended while its answer was on the way
// is what the answer tells of.
func (c *Concourse) brokenSince(asked time.Time, s *Session, kinds ...string) bool {
	return c.Broken != nil && c.Broken(asked, s.Env.Now(), kinds...)
}
