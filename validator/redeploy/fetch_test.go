package redeploy

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/validator/concourse/concoursefake"
	"bogops/validator/verdict"
)

// fetching has the build fetch a resource as get does.
func (s *scene) fetching(resource string, get func() concoursefake.Result) {
	s.fake.Bend(func(state *concoursefake.State) {
		state.Resource(resource).Get = func(context.Context, map[string]string) concoursefake.Result { return get() }
	})
}

var unfetched = map[string]concoursefake.Result{
	"failed":  {Status: "failed", Exit: 128},
	"errored": {Status: "errored", Message: "the worker is gone"},
}

func TestABuildThatCannotFetchTheNonceIsTheTeamsOnlyWhereTheJudgeServesIt(t *testing.T) {
	t.Parallel()
	teams := map[string]verdict.Status{"failed": verdict.Mumble, "errored": verdict.Degraded}
	for status, result := range unfetched {
		s := stage(t, rollOut)
		s.fetching("nonce", func() concoursefake.Result { return result })
		finding(t, s.line.Deploy(t.Context(), "fresh", s.told).Err, teams[status])
		require.Equal(t, status, s.detail(Finished))

		s = stage(t, rollOut)
		s.fetching("nonce", func() concoursefake.Result {
			s.judge.Close() // between the check and the build
			return result
		})
		says := finding(t, s.line.Deploy(t.Context(), "fresh", s.told).Err, verdict.JudgeError)
		require.Contains(t, says, "The judge's own repository is not served at 127.0.0.1:")
		require.Equal(t, status, s.detail(Finished))
	}
}

func TestABuildThatFetchedTheNonceIsTheTeamsAlsoWhereTheJudgeIsAwayAfterwards(t *testing.T) {
	t.Parallel()
	for status, result := range unfetched {
		s := stage(t, rollOut)
		s.fetching("package", func() concoursefake.Result {
			s.judge.Close()
			return result
		})
		says := finding(t, s.line.Deploy(t.Context(), "fresh", s.told).Err, map[string]verdict.Status{"failed": verdict.Mumble, "errored": verdict.Degraded}[status])
		require.Contains(t, says, "got "+status)
	}
	s := stage(t, func(s *scene, _ string) concoursefake.Result {
		s.judge.Close()
		return concoursefake.Result{Status: "failed", Exit: 3}
	})
	require.Contains(t, finding(t, s.line.Deploy(t.Context(), "fresh", s.told).Err, verdict.Mumble), "do-the-work exited with 3")
}

func TestABuildWhosePlanIsNotToldIsTheTeamsOnlyWhereTheJudgeServesTheNonce(t *testing.T) {
	t.Parallel()
	s := stage(t, rollOut, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/plan") {
				http.Error(w, "bad gateway", http.StatusBadGateway)
				return
			}
			next.ServeHTTP(w, r)
		})
	})
	s.fetching("nonce", func() concoursefake.Result {
		s.judge.Close()
		return unfetched["failed"]
	})
	finding(t, s.line.Deploy(t.Context(), "fresh", s.told).Err, verdict.JudgeError)
}

func TestACheckThatOutlastsTheTimeIsTheTeamsOnlyWhereTheJudgeServesItsRepository(t *testing.T) {
	t.Parallel()
	never := func(bend func(s *scene)) error {
		s := stage(t, rollOut)
		s.fake.Bend(func(state *concoursefake.State) { state.Workers = nil })
		s.line.Wait.Check = time.Hour
		bend(s)
		return s.line.Deploy(overOnce(t, func() bool { return s.has(Checking) }), "fresh", s.told).Err
	}
	require.Contains(t, finding(t, never(func(*scene) {}), verdict.Down), "Concourse did not make a build in time")
	says := finding(t, never(func(s *scene) { s.judge.Close() }), verdict.JudgeError)
	require.Contains(t, says, "The judge's own repository is not served at 127.0.0.1:")

	// Once the revision was seen, the judge has served it.
	s := stage(t, rollOut)
	s.fake.Bend(func(state *concoursefake.State) { state.Pipeline.Paused = true })
	s.line.Wait.Start = time.Millisecond
	late := s.line.Deploy(overOnce(t, func() bool { return s.has(Pending) }), "fresh", func(step Step) {
		if s.told(step); step.Kind == Checked {
			s.judge.Close()
		}
	})
	require.Contains(t, finding(t, late.Err, verdict.Down), "The build never started")
}
