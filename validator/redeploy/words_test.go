package redeploy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"bogops/validator/concourse/concoursefake"
	"bogops/validator/verdict"
)

// answering has Concourse answer some requests as a test says.
func answering(path string, answer http.HandlerFunc) func(http.Handler) http.Handler {
	at := regexp.MustCompile(path)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if at.MatchString(r.URL.Path) {
				answer(w, r)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

// flood is more than anybody wants to read, in characters of three bytes.
var flood = strings.Repeat("…", 100_000)

// modest holds that what a redeployment leaves behind is of a bounded size.
func (s *scene) modest(outcome Outcome, err error) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	require.LessOrEqual(s.t, len(s.steps), 2*mostTasks+mostReasons+10)
	for _, step := range s.steps {
		require.LessOrEqual(s.t, len(step.Detail), 300, step.Kind)
		require.True(s.t, utf8.ValidString(step.Detail), step.Kind)
	}
	text, e := json.Marshal(outcome)
	require.NoError(s.t, e)
	require.Less(s.t, len(text), 1000)
	require.Less(s.t, len(fmt.Sprint(err)), 1000)
	require.True(s.t, utf8.ValidString(fmt.Sprint(err)))
}

func TestReasonsWithoutEndAreToldAFewTimesAndCut(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	s := stage(t, rollOut, answering(`/preparation$`, func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{
			"inputs": map[string]string{"nonce": "blocking"}, "missing_input_reasons": map[string]string{"nonce": fmt.Sprint(asked.Add(1), flood)},
		})
	}))
	s.fake.Bend(func(state *concoursefake.State) { state.Pipeline.Paused = true })
	s.line.Wait.Start = time.Millisecond
	outcome, err := s.line.Run(overOnce(t, func() bool { return asked.Load() > 4*mostReasons }), "fresh", s.told)
	require.Contains(t, finding(t, err, verdict.Down), "got input nonce: 2", "the newest reason")
	require.Contains(t, s.detail(Pending), fmt.Sprintf("input nonce: %d…", mostReasons))
	s.modest(outcome, err)
}

func TestTasksAndErrorsWithoutEndAreToldUpToALimitAndCut(t *testing.T) {
	t.Parallel()
	for _, exit := range []int{0, 7} {
		s := stage(t, func(*scene, string) concoursefake.Result { return concoursefake.Result{Status: "failed"} },
			answering(`/events$`, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
				id := 0
				for ; id < 1000; id++ {
					_, _ = fmt.Fprintf(w, "id: %d\nevent: event\ndata: {\"event\":\"finish-task\",\"version\":\"4.0\",\"data\":{\"exit_status\":%d}}\n\n", id, exit)
				}
				_, _ = fmt.Fprintf(w, "id: %d\nevent: event\ndata: {\"event\":\"error\",\"version\":\"4.1\",\"data\":{\"message\":%q}}\n\n", id, flood)
				_, _ = fmt.Fprintf(w, "id: %d\nevent: end\ndata\n\n", id+1)
			}))
		outcome, err := s.line.Run(t.Context(), "fresh", s.told)
		require.Contains(t, finding(t, err, verdict.Mumble), "got failed: ……")
		require.True(t, s.has(TaskEnded))
		s.modest(outcome, err)
	}
}

func TestNamesStatusesAndRevisionsOfTheTeamsServerAreCut(t *testing.T) {
	t.Parallel()
	answer := func(body map[string]any) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(body) }
	}
	for path, body := range map[string]map[string]any{
		`/builds/\d+$`:           {"id": 9, "name": "2", "status": flood},
		`/builds/\d+/resources$`: {"inputs": []any{map[string]any{"name": "nonce", "version": map[string]string{"ref": flood}}}},
	} {
		s := stage(t, rollOut, answering(path, answer(body)))
		outcome, err := s.line.Run(t.Context(), "fresh", s.told)
		require.Error(t, err)
		s.modest(outcome, err)
	}
	s := stage(t, rollOut, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/app-deploy/builds") {
				answer(map[string]any{"id": 1, "name": flood, "status": "pending"})(w, r)
				return
			}
			next.ServeHTTP(w, r)
		})
	})
	outcome, err := s.line.Run(t.Context(), "fresh", s.told)
	require.NotEmpty(t, outcome.Name)
	s.modest(outcome, err)
}

func TestTheSecretIsHiddenBeforeATextIsCut(t *testing.T) {
	t.Parallel()
	secretOf := func(s *scene) string { return strings.Split(s.nonces.Path("loutres"), "/")[2] }
	hidden := func(s *scene, err error) {
		t.Helper()
		said := fmt.Sprint(err, s.steps)
		require.Contains(t, said, "(secret)")
		require.NotContains(t, said, secretOf(s)[:10])
		require.NotContains(t, said, secretOf(s)[30:])
	}
	for _, around := range []func(path, secret string) string{
		func(path, _ string) string { return strings.Repeat("x", mostSaid-40) + path },            // the cut goes through it from behind
		func(path, _ string) string { return "before" + path + strings.Repeat("x", mostSaid-30) }, // from before
		func(_, secret string) string { return "a directory " + secret },                          // the name alone
		func(_, secret string) string { return "somebody cut it: " + secret[:20] },
	} {
		s := stage(t, rollOut)
		text := around(s.nonces.Path("loutres"), secretOf(s))
		s.fake.Bend(func(state *concoursefake.State) {
			state.Resource("nonce").Check = func(context.Context) ([]map[string]string, error) { return nil, errors.New(text) }
		})
		_, err := s.line.Run(t.Context(), "fresh", s.told)
		hidden(s, err)

		s = stage(t, func(s *scene, _ string) concoursefake.Result {
			return concoursefake.Result{Status: "errored", Message: around(s.nonces.Path("loutres"), secretOf(s))}
		})
		_, err = s.line.Run(t.Context(), "fresh", s.told)
		hidden(s, err)
	}
}

func TestTheSecretIsHiddenInWhatConcourseAnswersWrongly(t *testing.T) {
	t.Parallel()
	var s *scene
	s = stage(t, rollOut, answering(`/resources/nonce/check$`, func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "no resource at "+s.nonces.Path("loutres"), http.StatusConflict)
	}))
	says := finding(t, s.line.Deploy(t.Context(), "fresh", s.told).Err, verdict.Mumble)
	require.Contains(t, says, "no resource at /git/(secret)/nonce.git")
}

func TestWhatIsCutIsWholeCharactersAndNoLonger(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "short", strings.Repeat("a", 20), strings.Repeat("é", 20), strings.Repeat("…", 20), strings.Repeat("🦦", 20)} {
		for most := len(ellipsis); most < 90; most++ {
			front, back := cut(text, most), cutBefore(text, most)
			for _, kept := range []string{front, back} {
				require.LessOrEqual(t, len(kept), most)
				require.True(t, utf8.ValidString(kept))
				require.Equal(t, len(text) <= most, kept == text)
			}
			require.True(t, strings.HasPrefix(text, strings.TrimSuffix(front, ellipsis)))
			require.True(t, strings.HasSuffix(text, strings.TrimPrefix(back, ellipsis)))
		}
	}
}
