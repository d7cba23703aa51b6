package probe_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/validator/concourse"
	"bogops/validator/concourse/concoursefake"
	"bogops/validator/evidence"
	"bogops/validator/journal"
	"bogops/validator/probe"
	"bogops/validator/redeploy"
	"bogops/validator/target"
	"bogops/validator/verdict"
)

// pipeline is a mock of Concourse with the judge's way into it.
type pipeline struct {
	*concoursefake.Server
	way *probe.Concourse
	env probe.Env
}

func newPipeline(t *testing.T, o concoursefake.Options) *pipeline {
	t.Helper()
	fake, err := concoursefake.Start(o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, fake.Close()) })
	access := concourse.Access{URL: fake.URL, Team: "otters", Pipeline: "bogops", User: "judge", Password: "judge-password"}
	way := &probe.Concourse{
		Client: concourse.Open(access, concourse.Options{Roots: fake.Roots, Resolve: fake.Resolve}), URL: fake.URL,
		Secrets: []string{string(access.Password)},
	}
	return &pipeline{fake, way, probe.Env{Concourse: map[string]*probe.Concourse{"loutres": way}}}
}

func (p *pipeline) check(t *testing.T, id string) journal.Verdict {
	t.Helper()
	return probe.Run(t.Context(), some(t, "concourse/"+id)[0], target.Target{ID: "loutres", URL: storing(t).URL}, p.env)
}

// running has builds of app-test last until the test ends.
func running(t *testing.T) *concoursefake.State {
	state := concoursefake.Normed()
	over := make(chan struct{})
	t.Cleanup(func() { close(over) })
	state.Job("app-test").Run = func(ctx context.Context, _ concoursefake.Run) concoursefake.Result {
		select {
		case <-over:
		case <-ctx.Done():
		}
		return concoursefake.Result{}
	}
	return state
}

// build triggers app-test and waits until the build stands so.
func (p *pipeline) build(t *testing.T, status concourse.Status) concourse.Build {
	t.Helper()
	build, err := p.way.Client.Trigger(t.Context(), "app-test")
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		build, err = p.way.Client.Build(t.Context(), build.ID)
		require.NoError(t, err)
		return build.Status == status
	}, time.Minute, 10*time.Millisecond)
	return build
}

func TestABuildThatWaitsIsHeldAgainstATeamOnceItsTimeIsOver(t *testing.T) {
	state := concoursefake.Normed()
	state.Job("app-test").Ends = "pending"
	p := newPipeline(t, concoursefake.Options{State: state})
	p.build(t, concourse.Pending)
	now := time.Now()
	p.env.Now = func() time.Time { return now }
	require.Equal(t, verdict.OK, p.check(t, "last-builds").Status, "the one before stands")
	now = now.Add(120 * time.Second)
	require.Equal(t, verdict.OK, p.check(t, "last-builds").Status)
	now = now.Add(time.Second)
	v := p.check(t, "last-builds")
	require.Equal(t, verdict.Down, v.Status)
	require.Contains(t, v.Got, "app-test: #2 pending for 2m1s")
}

func TestABuildThatWaitsForItsTurnIsNobodysFault(t *testing.T) {
	state := concoursefake.Normed()
	state.Job("app-test").Ends = "pending"
	p := newPipeline(t, concoursefake.Options{State: state, Wrap: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/preparation") {
				_, _ = w.Write([]byte(`{"build_id":1,"paused_pipeline":"not_blocking","paused_job":"not_blocking","max_running_builds":"blocking","inputs":{},"inputs_satisfied":"not_blocking","missing_input_reasons":{}}`))
				return
			}
			next.ServeHTTP(w, r)
		})
	}})
	p.way.Waits(p.build(t, concourse.Pending).ID, time.Now().Add(-time.Hour))
	require.Equal(t, verdict.OK, p.check(t, "last-builds").Status)
}

func TestAFirstBuildThatRunsSaysNothingForItsTime(t *testing.T) {
	state := running(t)
	state.Job("app-test").Last = ""
	p := newPipeline(t, concoursefake.Options{State: state})
	p.build(t, concourse.Started)
	v := p.check(t, "last-builds")
	require.Equal(t, verdict.NotChecked, v.Status, v.Got)
	p.env.Now = func() time.Time { return time.Now().Add(901 * time.Second) }
	require.Equal(t, verdict.Mumble, p.check(t, "last-builds").Status)
}

func TestABuildThatRunsLeavesTheOneBeforeItStanding(t *testing.T) {
	p := newPipeline(t, concoursefake.Options{State: running(t)})
	p.build(t, concourse.Started)
	require.Equal(t, verdict.OK, p.check(t, "last-builds").Status)
	state := running(t)
	state.Job("app-test").Last = "failed"
	p = newPipeline(t, concoursefake.Options{State: state})
	p.build(t, concourse.Started)
	v := p.check(t, "last-builds")
	require.Equal(t, verdict.Mumble, v.Status)
	require.Contains(t, v.Got, "app-test: #1 failed")
}

func TestABuildThatMetAFaultOfTheJudgesDoesNotCount(t *testing.T) {
	var clock atomic.Int64 // of Concourse
	clock.Store(time.Now().Add(-time.Hour).Unix())
	state := concoursefake.Normed()
	state.Job("app-test").Ends = "failed"
	p := newPipeline(t, concoursefake.Options{State: state, Now: func() time.Time { return time.Unix(clock.Load(), 0) }})
	fault := time.Now().Add(-time.Minute)
	clock.Store(time.Now().Unix())
	p.build(t, concourse.Failed)
	require.Equal(t, "app-test: #2 failed", p.check(t, "last-builds").Got)

	p.way.Broken = func(from, to time.Time, kinds ...string) bool { return len(kinds) == 0 && !to.Before(fault) }
	v := p.check(t, "last-builds")
	require.Equal(t, verdict.OK, v.Status, "the one from before the fault stands")
	p.way.Broken = func(_, to time.Time, _ ...string) bool { return to.Before(fault) }
	require.Equal(t, verdict.Mumble, p.check(t, "last-builds").Status)
}

func TestAFaultThatEndsWhileConcourseAnswersIsTheJudges(t *testing.T) {
	for id, below := range map[string]string{"exposed": "/pipelines/bogops", "worker": "/workers"} {
		var ended atomic.Int64
		state := concoursefake.Normed()
		state.Pipeline.Paused, state.Workers = true, nil
		p := newPipeline(t, concoursefake.Options{State: state, Wrap: func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, below) {
					ended.Store(time.Now().UnixNano())
				}
				next.ServeHTTP(w, r)
			})
		}})
		p.way.Broken = func(from, _ time.Time, _ ...string) bool { return !from.After(time.Unix(0, ended.Load())) }
		v := p.check(t, id)
		require.Equal(t, verdict.NotChecked, v.Status, "%s: %s", id, v.Got)
		p.way.Broken = func(time.Time, time.Time, ...string) bool { return false }
		require.Equal(t, verdict.Mumble, p.check(t, id).Status)
	}
}

func TestTheWorstThatBuildsSayIsToldFirst(t *testing.T) {
	state := concoursefake.Normed()
	state.Job("app-test").Last, state.Job("app-deploy").Last, state.Job("infra-plan").Last = "errored", "aborted", "errored"
	v := newPipeline(t, concoursefake.Options{State: state}).check(t, "last-builds")
	require.Equal(t, verdict.Mumble, v.Status)
	require.Equal(t, "app-deploy: #1 aborted: run it again; app-test: #1 errored; infra-plan: #1 errored", v.Got)
}

func TestSilenceOfConcourseIsNobodysFaultUntilTheControlAnswers(t *testing.T) {
	p := newPipeline(t, concoursefake.Options{Wrap: func(http.Handler) http.Handler {
		return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	}})
	check := some(t, "concourse/info")[0]
	check.Timeout = 200 * time.Millisecond
	at := storing(t)
	without := probe.Run(t.Context(), check, target.Target{ID: "loutres", URL: at.URL}, p.env)
	require.Equal(t, verdict.NotChecked, without.Status, without.Got)
	with := probe.Run(t.Context(), check, target.Target{ID: "loutres", URL: at.URL, Control: at.URL.Host}, p.env)
	require.Equal(t, verdict.Down, with.Status, with.Got)
	require.Equal(t, "Concourse does not answer in time", with.Message)
}

func TestConcourseOverPlainHTTPIsWrong(t *testing.T) {
	p := newPipeline(t, concoursefake.Options{})
	p.way.URL = "http://ci.example.net"
	v := p.check(t, "info")
	require.Equal(t, verdict.Mumble, v.Status)
	require.Equal(t, "https://", v.Want)
}

func TestADeskThatHasProvenNothingSaysNothingAndItsLastProofStands(t *testing.T) {
	p := newPipeline(t, concoursefake.Options{})
	require.Equal(t, verdict.NotInPlay, p.check(t, "commit-to-live").Status, "nobody redeploys")
	proofs := make(chan redeploy.Proof)
	p.way.Desk = redeploy.NewDesk(func(ctx context.Context, _ string, _ func(redeploy.Step)) redeploy.Proof {
		select {
		case proof := <-proofs:
			return proof
		case <-ctx.Done():
			return redeploy.Proof{Err: ctx.Err()}
		}
	}, redeploy.DeskOptions{Within: time.Hour})
	t.Cleanup(p.way.Desk.Close)
	require.Equal(t, verdict.NotChecked, p.check(t, "commit-to-live").Status, "the first is under way")
	becomes := func(status verdict.Status) {
		require.Eventually(t, func() bool { return p.check(t, "commit-to-live").Status == status }, time.Minute, 10*time.Millisecond)
	}
	proofs <- redeploy.Proof{At: time.Now(), Nonce: "n", Live: 50, Of: 50, Took: time.Minute}
	becomes(verdict.OK)
	require.Contains(t, p.check(t, "commit-to-live").Message, "nonce n live on 50 of 50 fresh connections, 60 s after the trigger")
	proofs <- redeploy.Proof{At: time.Now(), Err: verdict.New(verdict.Degraded, "Concourse could not run the build", "errored", "succeeded")}
	becomes(verdict.Degraded)
}

func TestTheJudgeDoesNotRedeployWhatWasNeverDeployed(t *testing.T) {
	state := concoursefake.Normed()
	state.Job("app-deploy").Last = ""
	p := newPipeline(t, concoursefake.Options{State: state})
	p.way.Desk = redeploy.NewDesk(func(context.Context, string, func(redeploy.Step)) redeploy.Proof {
		t.Error("the judge redeployed")
		return redeploy.Proof{}
	}, redeploy.DeskOptions{Within: time.Hour})
	t.Cleanup(p.way.Desk.Close)
	v := p.check(t, "commit-to-live")
	require.Equal(t, verdict.Mumble, v.Status)
	require.Equal(t, "app-deploy has deployed nothing yet", v.Message)
}

func TestTheLoginIsInNoVerdictAndNoEvidenceOfConcourse(t *testing.T) {
	kept, err := evidence.Open(t.TempDir())
	require.NoError(t, err)
	var tokens []string
	p := newPipeline(t, concoursefake.Options{Wrap: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
				tokens = append(tokens, token)
				w.WriteHeader(http.StatusTeapot)
				_, _ = w.Write([]byte("you are judge-password with " + token))
				return
			}
			next.ServeHTTP(w, r)
		})
	}})
	p.env.Evidence = kept
	for _, id := range []string{"jobs", "last-builds", "chain", "worker", "role"} {
		v := p.check(t, id)
		require.Equal(t, verdict.Mumble, v.Status, v.Got)
		document, err := kept.Get(v.Evidence)
		require.NoError(t, err)
		line, err := json.Marshal(v)
		require.NoError(t, err)
		for _, secret := range append(tokens, "judge-password") {
			require.NotContains(t, string(document)+string(line), secret)
		}
	}
	require.NotEmpty(t, tokens)
}
