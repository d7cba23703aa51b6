package rogue

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"bogops/validator/concourse/concoursefake"
	"bogops/validator/redeploy"
	"bogops/validator/verdict"
)

// concourseGallery is the rogues that are judged on Concourse: pipelines that
// are less than the contract has them, and ways into Concourse that fail. It is
// a mock; against a real one the honest pipeline is the reference.
func concourseGallery() []Rogue {
	rogues := slices.Concat(pipelineGallery(), buildGallery(), wayGallery())
	for i := range rogues {
		rogues[i].concourse = true
	}
	return rogues
}

// The checks of the brick.
const (
	info       = "concourse/info"
	exposed    = "concourse/exposed"
	jobs       = "concourse/jobs"
	lastBuilds = "concourse/last-builds"
	chain      = "concourse/chain"
	worker     = "concourse/worker"
	live       = "concourse/commit-to-live"
	role       = "concourse/role"
)

// pipelineGallery is what a pipeline may be wrong in.
func pipelineGallery() []Rogue {
	const mumble = verdict.Mumble
	return []Rogue{
		{Name: "honest-with-concourse", Why: "Nothing is wrong."},
		{Name: "job-renamed", Why: "infra-plan is called infra_plan.", Wants: checks(mumble, jobs),
			change: bent(func(s *concoursefake.State) { s.Job("infra-plan").Name = "infra_plan" })},
		{Name: "deploy-job-renamed", Why: "app-deploy is called deploy-app: nothing is rolled out under the name of the norm.", Wants: checks(mumble, jobs, chain, live),
			change: bent(func(s *concoursefake.State) { s.Job("app-deploy").Name = "deploy-app" })},
		{Name: "job-paused", Why: "app-rollback is paused.", Wants: checks(mumble, jobs),
			change: later(func(s *concoursefake.State) { s.Job("app-rollback").Paused = true })},
		{Name: "deploys-nothing", Why: "app-deploy is green, and the platform stays as it was.", Wants: checks(mumble, live),
			change: onPipeline(func(p *pipeline) {
				p.deploys, p.over = false, make(chan struct{})
				p.told = func(s redeploy.Step) { // the one proof that is due follows
					if s.Kind == redeploy.Finished {
						close(p.over)
					}
				}
			})},
		{Name: "pipeline-paused", Why: "The pipeline is paused.", Wants: checks(mumble, exposed),
			change: later(func(s *concoursefake.State) { s.Pipeline.Paused = true })},
		{Name: "pipeline-archived", Why: "The pipeline is archived.", Wants: checks(mumble, exposed),
			change: later(func(s *concoursefake.State) { s.Pipeline.Archived = true })},
		{Name: "pipeline-hidden", Why: "The pipeline can be read with a login only.", Wants: checks(mumble, exposed),
			change: bent(func(s *concoursefake.State) { s.Pipeline.Exposed = false })},
		{Name: "untested", Why: "app-package takes what app-test has not seen.", Wants: checks(mumble, chain),
			change: bent(func(s *concoursefake.State) { s.Job("app-package").Inputs[0].Passed = nil })},
		{Name: "tested-beside", Why: "app-package takes what app-test has not seen, and app-deploy also takes a source that it has.", Wants: checks(mumble, chain),
			change: bent(func(s *concoursefake.State) {
				s.Job("app-package").Inputs[0].Passed = nil
				deploy := s.Job("app-deploy")
				deploy.Inputs = append(deploy.Inputs, concoursefake.Input{Name: "source", Passed: []string{"app-test"}})
			})},
		{Name: "chained-by-hand", Why: "app-deploy takes any package.", Wants: checks(mumble, chain),
			change: bent(func(s *concoursefake.State) { s.Job("app-deploy").Inputs[0].Passed = nil })},
		{Name: "no-worker", Why: "No worker is there.", Wants: checks(mumble, worker),
			change: later(func(s *concoursefake.State) { s.Workers = nil })},
		{Name: "worker-stalled", Why: "The only worker is silent.", Wants: checks(mumble, worker),
			change: later(func(s *concoursefake.State) { s.Workers[0].State = "stalled" })},
		{Name: "paused-by-the-judge", Why: "The judge itself has paused the pipeline: nobody's fault.", Wants: checks(verdict.NotChecked, exposed),
			change: onPipeline(func(p *pipeline) {
				p.broken = func(_, _ time.Time, kinds ...string) bool { return slices.Contains(kinds, "pause-pipeline") }
				p.later = func(_ context.Context, c *running) error {
					c.Bend(func(s *concoursefake.State) { s.Pipeline.Paused = true })
					return nil
				}
			})},
		{Name: "worker-taken-by-the-judge", Why: "The judge itself has taken the worker away: nobody's fault.", Wants: checks(verdict.NotChecked, worker),
			change: onPipeline(func(p *pipeline) {
				p.broken = func(_, _ time.Time, kinds ...string) bool { return slices.Contains(kinds, "lose-worker") }
				p.later = func(_ context.Context, c *running) error {
					c.Bend(func(s *concoursefake.State) { s.Workers = nil })
					return nil
				}
			})},
	}
}

// buildGallery is what last builds may be.
func buildGallery() []Rogue {
	last := func(status string) func(*site) error {
		return bent(func(s *concoursefake.State) { s.Job("infra-apply").Last = status })
	}
	return []Rogue{
		{Name: "build-failed", Why: "The last build of infra-apply failed.", Wants: checks(verdict.Mumble, lastBuilds), change: last("failed")},
		{Name: "build-errored", Why: "Concourse could not run the last build of infra-apply.", Wants: checks(verdict.Degraded, lastBuilds), change: last("errored")},
		{Name: "build-aborted", Why: "Somebody stopped the last build of infra-apply.", Wants: checks(verdict.Mumble, lastBuilds), change: last("aborted")},
		{Name: "never-built", Why: "infra-apply was never run.", Wants: checks(verdict.Mumble, lastBuilds), change: last("")},
		{Name: "old-builds", Why: "All is green, since before the contest began.", Wants: checks(verdict.Mumble, lastBuilds),
			change: onPipeline(func(p *pipeline) {
				p.options.Now = func() time.Time { return time.Now().Add(-48 * time.Hour) }
			})},
		{Name: "pending-for-ever", Why: "A build of platform-smoke has waited for an hour.", Wants: checks(verdict.Down, lastBuilds),
			change: onPipeline(func(p *pipeline) {
				p.options.State.Job("platform-smoke").Ends = "pending"
				p.later = func(ctx context.Context, c *running) error {
					build, err := c.way.Client.Trigger(ctx, "platform-smoke")
					c.way.Waits(build.ID, time.Now().Add(-time.Hour))
					return err
				}
			})},
		{Name: "pending-for-a-moment", Why: "Nothing is wrong: a build of platform-smoke has just been asked for.",
			change: onPipeline(func(p *pipeline) {
				p.options.State.Job("platform-smoke").Ends = "pending"
				p.later = func(ctx context.Context, c *running) error {
					_, err := c.way.Client.Trigger(ctx, "platform-smoke")
					return err
				}
			})},
	}
}

// wayGallery is what may be wrong between the judge and Concourse.
func wayGallery() []Rogue {
	mumble, down, unproven := brick("concourse", verdict.Mumble), brick("concourse", verdict.Down), brick("concourse", verdict.Unproven)
	judge := brick("concourse", verdict.JudgeError)
	return []Rogue{
		{Name: "concourse-self-signed", Why: "Concourse's certificate is signed by its own key.", Wants: mumble,
			change: presents(func(*site) (tls.Certificate, error) { return selfSigned(concoursefake.Host) })},
		{Name: "concourse-wrong-name", Why: "Concourse's certificate is for another name.", Wants: mumble,
			change: presents(func(s *site) (tls.Certificate, error) { return s.authority.leaf(nil, nil, "elsewhere.test") })},
		{Name: "no-way-into-concourse", Why: "The team gave no way into its Concourse.", Wants: unproven,
			change: onPipeline(func(p *pipeline) { p.given = false })},
		{Name: "wrong-password", Why: "The login that the team gave is refused.",
			Wants:  checks(verdict.Unproven, exposed, jobs, lastBuilds, chain, worker, live, role),
			change: onPipeline(func(p *pipeline) { p.access.Password = "not-the-password" })},
		{Name: "login-too-weak", Why: "The judge's login may look, and not trigger.", Wants: checks(verdict.Unproven, live),
			change: onPipeline(func(p *pipeline) { p.access.User, p.access.Password = "looker", "looker-password" })},
		{Name: "login-too-strong", Why: "The judge's login may set the pipeline.", Wants: checks(verdict.Mumble, role),
			change: bent(func(s *concoursefake.State) { s.Users[1].Role = concoursefake.Member })},
		{Name: "no-such-pipeline", Why: "The pipeline has another name.", Wants: with(mumble, verdict.OK, info, worker),
			change: onPipeline(func(p *pipeline) { p.options.State.Pipeline.Name = "deploy" })},
		{Name: "concourse-down", Why: "Nothing listens where Concourse should be.", Wants: down,
			change: onPipeline(func(p *pipeline) { p.mute, p.wait.Check = true, soonGivenUp })},
		{Name: "concourse-silent", Why: "Concourse takes connections and says nothing.", Wants: down, Patience: time.Second,
			change: onPipeline(func(p *pipeline) {
				p.within = 2 * time.Second
				p.options.Wrap = func(http.Handler) http.Handler {
					return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
				}
			})},
		{Name: "concourse-talks-nonsense", Why: "Everything is answered with a page that greets.", Wants: mumble,
			change: answers(func(http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>It works!</html>")) })
			})},
		{Name: "concourse-503", Why: "A balancer answers in Concourse's place that it is not there.", Wants: mumble,
			change: onPipeline(func(p *pipeline) {
				p.wait.Check = soonGivenUp
				p.options.Wrap = func(http.Handler) http.Handler {
					return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
				}
			})},
		{Name: "endless-events", Why: "Nothing is wrong: the stream of a build's events never says that it ends.", change: answers(endless)},
		{Name: "concourse-unknown-name", Why: "Concourse's name does not exist.", Wants: down,
			change: judgesNames(func() (*Names, error) { return NewNames(nil) })},
		{Name: "judge-resolver-fails-for-concourse", Why: "The judge's resolver answers SERVFAIL.", Wants: judge,
			change: judgesNames(NewFailingNames)},
		{Name: "judge-resolver-fails-to-the-end", Why: "The same, and the redeployment has no time left to give up by itself.", Wants: judge,
			change: failsToTheEnd},
	}
}

// with changes what some checks must be.
func with(wants map[string]verdict.Status, status verdict.Status, ids ...string) map[string]verdict.Status {
	return merged(wants, checks(status, ids...))
}

// endless streams of events hold what Concourse sends, but for the end.
func endless(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/events") {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
}

// judgesNames gives the judge another resolver for Concourse alone.
func judgesNames(serve func() (*Names, error)) func(*site) error {
	return func(s *site) error {
		names, err := serve()
		if err != nil {
			return err
		}
		s.close = append(s.close, names.Close)
		s.pipeline.judge.Resolver, s.pipeline.wait.Check = names.Resolver(), soonGivenUp
		return nil
	}
}

// soonGivenUp is how long a check may take where Concourse cannot be asked at
// all: half of it is spent on asking again.
const soonGivenUp = 10 * time.Second

// failsToTheEnd ends the time of the redeployment once the judge's resolver has
// failed in several questions, each of which looks up a few names twice; that is
// long before the redeployment gives up.
func failsToTheEnd(s *site) error {
	if err := judgesNames(NewFailingNames)(s); err != nil {
		return err
	}
	p := s.pipeline
	p.over, p.wait.Check = make(chan struct{}), time.Minute
	var lookups atomic.Int32
	dial := p.judge.Resolver.Dial
	p.judge.Resolver.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		if lookups.Add(1) == 200 {
			close(p.over)
		}
		return dial(ctx, network, address)
	}
	return nil
}
