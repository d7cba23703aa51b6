package redeploy

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/validator/concourse"
	"bogops/validator/concourse/concoursefake"
	"bogops/validator/nonce"
	"bogops/validator/target"
	"bogops/validator/verdict"
)

func TestANonceGoesFromItsCommitToTheRunningPlatform(t *testing.T) {
	t.Parallel()
	s := stage(t, rollOut)
	s.fake.Bend(func(state *concoursefake.State) { state.CutEvents = 2 }) // the stream is resumed
	outcome, err := s.line.Run(t.Context(), "fresh-1", s.told)
	require.NoError(t, err)
	_, revision := s.nonces.Current("loutres")
	require.Equal(t, Outcome{
		Nonce: "fresh-1", Revision: revision, Build: outcome.Build, Name: "2", Status: concourse.Succeeded, Took: revision,
		Triggered: outcome.Triggered, Ended: outcome.Ended,
	}, outcome)
	proof := s.line.AwaitLive(t.Context(), outcome, s.told)
	require.NoError(t, proof.Err)
	require.Equal(t, []any{"fresh-1", "2", "4567def+fresh-1", 50, 50}, []any{proof.Nonce, proof.Build, proof.Version, proof.Live, proof.Of})
	require.Equal(t, proof.At.Sub(outcome.Triggered), proof.Took)
	require.Equal(t, []string{Committed, Checking, Checked, Triggered, Started, Took, TaskBegan, TaskEnded, Finished, Live}, s.kinds())
	require.Equal(t, concoursefake.Task, s.detail(TaskBegan))
	require.Equal(t, revision, s.detail(Took))
	require.Equal(t, "succeeded", s.detail(Finished))
	for i, step := range s.steps {
		require.Equal(t, i >= 3, step.Build == outcome.Build, "%v", step)
		require.False(t, i > 0 && step.At.Before(s.steps[i-1].At), "%v", step)
	}
}

func TestAPlatformThatIsLiveALittleAfterItsBuildIsWaitedFor(t *testing.T) {
	t.Parallel()
	s := stage(t, func(s *scene, nonce string) concoursefake.Result {
		go func() { // waited for by the proof itself
			for s.asked() < 2*freshConnections {
				time.Sleep(time.Millisecond)
			}
			s.platform.run("4567def+" + nonce)
		}()
		return concoursefake.Result{}
	})
	require.NoError(t, s.line.Deploy(t.Context(), "late", s.told).Err)
}

func (s *scene) asked() int {
	s.platform.mu.Lock()
	defer s.platform.mu.Unlock()
	return s.platform.asked
}

// over is a context whose deadline passes as soon as it is so.
type over struct {
	context.Context
	done chan struct{}
}

func (o over) Done() <-chan struct{} { return o.done }

func (o over) Err() error {
	select {
	case <-o.done:
		return context.DeadlineExceeded
	default:
		return nil
	}
}

func overOnce(t *testing.T, so func() bool) context.Context {
	t.Helper()
	o, watched := over{t.Context(), make(chan struct{})}, make(chan struct{})
	go func() {
		defer close(watched)
		for !so() && t.Context().Err() == nil {
			time.Sleep(time.Millisecond)
		}
		close(o.done)
	}()
	t.Cleanup(func() { <-watched })
	return o
}

// proven says whether the platform was asked for more than one proof.
func (s *scene) proven() bool { return s.asked() > freshConnections }

// has says whether a step of a kind was told.
func (s *scene) has(kind string) bool { return slices.Contains(s.kinds(), kind) }

func TestAGreenBuildThatDeploysNothingIsNotLive(t *testing.T) {
	t.Parallel()
	s := stage(t, func(*scene, string) concoursefake.Result { return concoursefake.Result{} })
	proof := s.line.Deploy(overOnce(t, s.proven), "fresh", s.told)
	says := finding(t, proof.Err, verdict.Mumble)
	require.Contains(t, says, fmt.Sprintf("got 0 of 50, 50 times %q, want at least 48 of 50", before))
	require.Zero(t, proof.Live)
	require.Equal(t, "succeeded", s.detail(Finished))
	require.NotContains(t, s.kinds(), Live)
}

func TestANonceOnOneOfTwoInstancesIsNotLive(t *testing.T) {
	t.Parallel()
	s := stage(t, func(s *scene, nonce string) concoursefake.Result {
		s.platform.run("4567def+"+nonce, before)
		return concoursefake.Result{}
	})
	proof := s.line.Deploy(overOnce(t, s.proven), "fresh", s.told)
	require.Contains(t, finding(t, proof.Err, verdict.Mumble), "got 25 of 50")
	require.Equal(t, []int{25, 50}, []int{proof.Live, proof.Of})
}

func TestAVersionMustEndWithTheNonceAndNotOnlyHoldIt(t *testing.T) {
	t.Parallel()
	s := stage(t, rollOut)
	for version, live := range map[string]bool{
		"4567def+n": true, "+n": true, "a+b+n": true, "n": false, "4567def-n": false, "4567def+n1": false, "4567def+mn": false, "4567def+n\n": false, "": false,
	} {
		s.platform.run(version)
		require.Equal(t, live, Prove(t.Context(), s.line.Target, "n").Err == nil, "%q", version)
	}
	s.platform.run("r+n", "r+n", "r+n", "r+n", "r+n", "r+n", "r+n", "r+n", "r+n", "r+n", "r+n", "r+n", "r+n", "r+n", "r+n", "r+n", "r+n", "r+n", "r+n", "r+n", "r+n", "r+n", "r+n", "r+n", before)
	require.NoError(t, Prove(t.Context(), s.line.Target, "n").Err, "48 of 50 are 96 per cent")
}

func TestABuildThatTookAnotherNonceIsSaidSo(t *testing.T) {
	t.Parallel()
	s := stage(t, rollOut)
	_, first := s.nonces.Current("loutres")
	s.fake.Bend(func(state *concoursefake.State) {
		resource := state.Resource("nonce")
		resource.Check = func(ctx context.Context) ([]map[string]string, error) {
			found, err := s.check(ctx)
			return append(found, map[string]string{"ref": first}), err // and the older as the newest
		}
	})
	proof := s.line.Deploy(t.Context(), "fresh", s.told)
	says := finding(t, proof.Err, verdict.Mumble)
	require.Contains(t, says, "succeeded and took another nonce: got revision "+first)
	require.Equal(t, first+", which is not the nonce's", s.detail(Took))
}

func TestABuildWithoutTheNonceIsSaidSo(t *testing.T) {
	t.Parallel()
	s := stage(t, rollOut)
	s.fake.Bend(func(state *concoursefake.State) {
		job := state.Job("app-deploy")
		job.Inputs = job.Inputs[:1]
		job.Run = nil
	})
	require.Contains(t, finding(t, s.line.Deploy(t.Context(), "fresh", s.told).Err, verdict.Mumble), "succeeded and took no nonce")
}

func TestHowABuildEndsIsJudgedAsTheContractSays(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		result concoursefake.Result
		status verdict.Status
		says   string
	}{
		{concoursefake.Result{Status: "failed", Exit: 3}, verdict.Mumble, "The build app-deploy 2 failed: got failed: do-the-work exited with 3, want succeeded"},
		{concoursefake.Result{Status: "errored", Message: "no such image"}, verdict.Degraded, "Concourse could not run the build app-deploy 2: got errored: no such image"},
		{concoursefake.Result{Status: "aborted"}, verdict.Mumble, "Somebody aborted the build app-deploy 2"},
	} {
		s := stage(t, func(*scene, string) concoursefake.Result { return c.result })
		proof := s.line.Deploy(t.Context(), "fresh", s.told)
		require.Contains(t, finding(t, proof.Err, c.status), c.says)
		require.Equal(t, c.result.Status, s.detail(Finished))
		require.Equal(t, "2", proof.Build)
	}
}

func TestAFailedCheckIsTheTeamsOnlyWhereTheJudgeServesItsRepository(t *testing.T) {
	t.Parallel()
	refused := func(s *scene) {
		s.fake.Bend(func(state *concoursefake.State) {
			state.Resource("nonce").Check = func(context.Context) ([]map[string]string, error) {
				return nil, fmt.Errorf("fatal: unable to access 'http://judge%s/': timed out", s.nonces.Path("loutres"))
			}
		})
	}
	s := stage(t, rollOut)
	refused(s)
	says := finding(t, s.line.Deploy(t.Context(), "fresh", s.told).Err, verdict.Mumble)
	require.Contains(t, says, "does not find the judge's commit by its resource nonce: got a check that failed")
	require.Contains(t, says, "/git/(secret)/nonce.git/': timed out", "with the reason, and without the path")
	require.NotContains(t, says, s.nonces.Path("loutres"))
	require.NotContains(t, s.kinds(), Triggered)

	s = stage(t, rollOut)
	s.judge.Close()
	require.Contains(t, finding(t, s.line.Deploy(t.Context(), "fresh", s.told).Err, verdict.JudgeError), "The judge's own repository is not served at 127.0.0.1:")

	s = stage(t, rollOut)
	refused(s)
	s.line.Public = target.Target{}
	require.Contains(t, finding(t, s.line.Deploy(t.Context(), "fresh", s.told).Err, verdict.NotChecked), "is not known")
}

func TestACheckThatSucceedsAndFindsNothingIsTheTeams(t *testing.T) {
	t.Parallel()
	s := stage(t, rollOut)
	s.fake.Bend(func(state *concoursefake.State) { state.Resource("nonce").Check = nil })
	says := finding(t, s.line.Deploy(t.Context(), "fresh", s.told).Err, verdict.Mumble)
	require.Contains(t, says, "got a check that succeeded, and as newest version 6f0922356fb615174f7d236f5f4ffbce385a9224")
}

func TestACheckThatNeverEndsIsDown(t *testing.T) {
	t.Parallel()
	s := stage(t, rollOut)
	s.line.Wait.Check = 500 * time.Millisecond
	s.fake.Bend(func(state *concoursefake.State) { state.Workers = nil })
	require.Contains(t, finding(t, s.line.Deploy(t.Context(), "fresh", s.told).Err, verdict.Down), "got a check that is ")
}

func TestABuildThatIsPendingForLongIsToldOfWithItsReasonAndIsDownInTheEnd(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		bend   func(*concoursefake.State)
		reason string
	}{
		{func(s *concoursefake.State) { s.Pipeline.Paused = true }, "the pipeline is paused"},
		{func(s *concoursefake.State) { s.Job("app-deploy").Paused = true }, "the job is paused"},
		{func(s *concoursefake.State) { s.Job("app-deploy").Ends = "pending" }, "pending, and nothing blocks it: no worker takes it"},
	} {
		s := stage(t, rollOut)
		s.fake.Bend(c.bend)
		s.line.Wait.Start = time.Millisecond
		says := finding(t, s.line.Deploy(overOnce(t, func() bool { return s.has(Pending) }), "fresh", s.told).Err, verdict.Down)
		require.Contains(t, says, "The build never started: got "+c.reason)
		require.Equal(t, c.reason, s.detail(Pending))
		require.Contains(t, s.kinds(), Left)
		require.NotContains(t, s.kinds(), Started)
	}
}

func TestABuildThatGoesOnIsLeftAlone(t *testing.T) {
	t.Parallel()
	goOn := make(chan struct{})
	s := stage(t, func(*scene, string) concoursefake.Result {
		<-goOn
		return concoursefake.Result{}
	})
	defer close(goOn)
	says := finding(t, s.line.Deploy(overOnce(t, func() bool { return s.has(TaskBegan) }), "fresh", s.told).Err, verdict.Mumble)
	require.Contains(t, says, "The build did not end in time: got still running")
	require.Equal(t, "build 2 goes on without the judge", s.detail(Left))

	stopping, stop := context.WithCancel(t.Context())
	defer stop()
	finding(t, s.line.Deploy(stopping, "fresher", func(step Step) {
		if step.Kind == Triggered {
			stop()
		}
	}).Err, verdict.NotChecked)
	builds, err := s.line.Client.Builds(t.Context(), "app-deploy", 5)
	require.NoError(t, err)
	for _, build := range builds[:2] {
		require.False(t, build.Status.Ended(), "%v", build)
	}
}

func TestWhatConcourseRefusesIsTheTeams(t *testing.T) {
	t.Parallel()
	s := stage(t, rollOut)
	s.fake.Bend(func(state *concoursefake.State) { state.Users[1].Role = concoursefake.Viewer })
	require.Contains(t, finding(t, s.line.Deploy(t.Context(), "fresh", s.told).Err, verdict.Unproven), "Concourse refuses the judge's login")

	s = stage(t, rollOut)
	s.fake.Bend(func(state *concoursefake.State) { state.Job("app-deploy").Name = "deploy-app" })
	finding(t, s.line.Deploy(t.Context(), "fresh", s.told).Err, verdict.Mumble)
	require.NotContains(t, s.kinds(), Triggered)

	s = stage(t, rollOut)
	s.line.Wait.Check = 10 * time.Second // asked for half of it
	require.NoError(t, s.fake.Close())
	require.Contains(t, finding(t, s.line.Deploy(t.Context(), "fresh", s.told).Err, verdict.Down), "Concourse refuses the connection")
}

func TestAJudgeThatCannotCommitBlamesItself(t *testing.T) {
	t.Parallel()
	s := stage(t, rollOut)
	dir := t.TempDir()
	broken, err := nonce.Open(dir, "another seed")
	require.NoError(t, err)
	secret := strings.Split(broken.Path("loutres"), "/")[2]
	require.NoError(t, os.WriteFile(dir+"/"+secret, nil, 0o600)) // in the way
	s.line.Nonces = broken
	says := finding(t, s.line.Deploy(t.Context(), "fresh", s.told).Err, verdict.JudgeError)
	require.Contains(t, says, "The judge could not commit its nonce")
	require.NotContains(t, says, secret)
	require.Empty(t, s.kinds())
}

func TestAFrontDoorThatIsAwayForAMomentCostsNothingAndTriggersOnce(t *testing.T) {
	t.Parallel()
	var n, lost atomic.Int32
	s := stage(t, rollOut, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if n.Add(1)%5 == 0 && r.Method == http.MethodGet {
				http.Error(w, "bad gateway", http.StatusBadGateway)
				return
			}
			if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/app-deploy/builds") && lost.Add(1) == 1 {
				next.ServeHTTP(discarded{}, r) // done, and the answer is lost
				panic(http.ErrAbortHandler)
			}
			next.ServeHTTP(w, r)
		})
	})
	proof := s.line.Deploy(t.Context(), "fresh", s.told)
	require.NoError(t, proof.Err)
	require.Equal(t, "2", proof.Build)
	require.EqualValues(t, 1, lost.Load(), "a build was there already")
}

// discarded takes an answer that nobody gets.
type discarded struct{}

func (discarded) Header() http.Header         { return http.Header{} }
func (discarded) Write(b []byte) (int, error) { return len(b), nil }
func (discarded) WriteHeader(int)             {}

func TestAProofThatTheDeadlineInterruptsIsMadeWhole(t *testing.T) {
	t.Parallel()
	s := stage(t, rollOut)
	s.platform.run("4567def+fresh")
	ctx := overOnce(t, func() bool { return s.asked() > freshConnections/2 })
	proof := awaitLive(ctx, s.line.Target, "fresh", time.Millisecond)
	require.NoError(t, proof.Err)
	require.Equal(t, freshConnections, proof.Live)
	proof = awaitLive(ctx, s.line.Target, "stale", time.Millisecond)
	require.Contains(t, finding(t, proof.Err, verdict.Mumble), "got 0 of 50")
}
