package probe_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/validator/evidence"
	"bogops/validator/journal"
	"bogops/validator/probe"
	"bogops/validator/target"
	"bogops/validator/verdict"
)

// serving runs handler until the test ends.
func serving(t *testing.T, handler http.HandlerFunc) target.Target {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	at, err := url.Parse(server.URL)
	require.NoError(t, err)
	return target.Target{URL: at, Token: "the-judge-secret", ReaderToken: "the-reader-secret"}
}

func check(run func(context.Context, *probe.Session) (string, error)) probe.Probe {
	return probe.Probe{Check: journal.Check{ID: "test/check", Brick: "test", Promise: "It holds."}, Timeout: 5 * time.Second, Run: run}
}

func TestWhatNobodyClassifiedIsTheJudgesFault(t *testing.T) {
	platform := serving(t, func(http.ResponseWriter, *http.Request) {})
	for what, run := range map[string]func(context.Context, *probe.Session) (string, error){
		"a panic":          func(context.Context, *probe.Session) (string, error) { panic("of ours") },
		"an unknown error": func(context.Context, *probe.Session) (string, error) { return "", errors.New("of ours") },
	} {
		v := probe.Run(t.Context(), check(run), platform, probe.Env{})
		require.Equal(t, verdict.JudgeError, v.Status, what)
		require.Contains(t, v.Message, "of ours")
		require.NotContains(t, v.Message, "\n", "the stack is for the evidence")
		require.False(t, v.Retried)
	}
}

func ask(path string) func(context.Context, *probe.Session) (string, error) {
	return func(ctx context.Context, s *probe.Session) (string, error) {
		reply, err := s.Do(ctx, target.Request{Method: http.MethodGet, Path: path})
		if err != nil {
			return "", err
		}
		if reply.Status != http.StatusOK {
			return "", verdict.Wrong("GET "+path, reply.Excerpt(200), "200")
		}
		return "it holds now", nil
	}
}

func TestANetworkFailureIsTriedOnceMoreAndMarked(t *testing.T) {
	var asked atomic.Int32
	platform := serving(t, func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) == 1 {
			panic(http.ErrAbortHandler)
		}
	})
	v := probe.Run(t.Context(), check(ask("/once")), platform, probe.Env{})
	require.Equal(t, verdict.OK, v.Status)
	require.True(t, v.Retried)
	require.Equal(t, "it holds now", v.Message)
	require.EqualValues(t, 2, asked.Load())
}

func TestANetworkFailureIsTriedNoMoreThanTwice(t *testing.T) {
	var asked atomic.Int32
	platform := serving(t, func(http.ResponseWriter, *http.Request) {
		asked.Add(1)
		panic(http.ErrAbortHandler)
	})
	v := probe.Run(t.Context(), check(ask("/never")), platform, probe.Env{})
	require.Equal(t, verdict.Down, v.Status)
	require.True(t, v.Retried)
	require.EqualValues(t, 2, asked.Load())
}

func TestAWrongAnswerIsNotTriedAgain(t *testing.T) {
	var asked atomic.Int32
	platform := serving(t, func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.WriteHeader(http.StatusTeapot)
	})
	v := probe.Run(t.Context(), check(ask("/wrong")), platform, probe.Env{})
	require.Equal(t, verdict.Mumble, v.Status)
	require.False(t, v.Retried)
	require.EqualValues(t, 1, asked.Load())
}

func TestTokensAreNeitherInTheVerdictNorInItsEvidence(t *testing.T) {
	platform := serving(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Echo", r.Header.Get("Authorization"))
		w.WriteHeader(http.StatusTeapot)
		_, _ = w.Write([]byte("you sent " + r.Header.Get("Authorization") + " to " + r.URL.String()))
	})
	store, err := evidence.Open(t.TempDir())
	require.NoError(t, err)
	v := probe.Run(t.Context(), check(ask("/?t=the-reader-secret")), platform, probe.Env{Evidence: store})
	require.Equal(t, verdict.Mumble, v.Status)
	content, err := store.Get(v.Evidence)
	require.NoError(t, err)
	for _, text := range []string{string(content), v.Message + v.Got + v.Want} {
		require.NotContains(t, text, "-secret")
		require.Contains(t, text, evidence.Redacted)
	}
}

func TestEvidenceSaysWhatWasSentAndWhatCameBack(t *testing.T) {
	platform := serving(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("abc")) })
	store, err := evidence.Open(t.TempDir())
	require.NoError(t, err)
	v := probe.Run(t.Context(), check(ask("/seen")), platform, probe.Env{Evidence: store})
	content, err := store.Get(v.Evidence)
	require.NoError(t, err)
	for _, part := range []string{
		`"path":"/seen"`, `"User-Agent"`, `"Content-Length"`, `"remote":"127.0.0.1:`, `"first_byte"`, `"status":200`,
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", // SHA-256 of abc
	} {
		require.Contains(t, string(content), part)
	}
}

func TestAnEndlessAnswerIsCutAtItsLimit(t *testing.T) {
	platform := serving(t, func(w http.ResponseWriter, r *http.Request) {
		for {
			if _, err := w.Write(make([]byte, 64<<10)); err != nil {
				return
			}
		}
	})
	client := target.NewClient(platform)
	defer client.Close()
	reply, err := client.Do(t.Context(), target.Request{Method: http.MethodGet, Path: "/", Fresh: true, Limit: 1 << 20})
	require.NoError(t, err)
	require.True(t, reply.Over)
	require.EqualValues(t, 1<<20+1, reply.Size)
}

func TestABodyThatBreaksOffIsAWrongAnswer(t *testing.T) {
	platform := serving(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = w.Write(make([]byte, 400))
	})
	v := probe.Run(t.Context(), check(ask("/cut")), platform, probe.Env{})
	require.Equal(t, verdict.Mumble, v.Status)
	require.Contains(t, v.Got, "400 bytes of 1000")
}

func TestUserAgentsVary(t *testing.T) {
	seen := map[string]bool{}
	platform := serving(t, func(_ http.ResponseWriter, r *http.Request) {
		name, _, _ := strings.Cut(r.UserAgent(), "/")
		seen[name] = true
	})
	probe.Run(t.Context(), check(func(ctx context.Context, s *probe.Session) (string, error) {
		for range 60 {
			if _, err := ask("/")(ctx, s); err != nil {
				return "", err
			}
		}
		return "", nil
	}), platform, probe.Env{})
	require.Greater(t, len(seen), 3)
}
