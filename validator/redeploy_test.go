package main

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/validator/concourse/concoursefake"
	"bogops/validator/contest"
	"bogops/validator/nonce"
)

const redeploySeed = "a seed of tests, long enough"

// morning is a contest file of one team whose pipeline is a mock, and where the
// judge will listen.
type morning struct {
	file, dir, listen string
	fake              *concoursefake.Server
	version           atomic.Value // that the platform describes
	described         atomic.Int32 // times that it was asked for it
}

// newMorning sets it up; deploys says whether the pipeline deploys anything.
func newMorning(t *testing.T, deploys bool, bend func(*concoursefake.State)) *morning {
	t.Helper()
	m := &morning{dir: t.TempDir(), listen: free(t)}
	m.version.Store("0123abc+before")
	platform := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		m.described.Add(1)
		fmt.Fprintf(w, `{"version": %q}`, m.version.Load())
	}))
	t.Cleanup(platform.Close)

	judge := nonce.PathOf(redeploySeed, "loutres")
	state := concoursefake.Normed()
	state.Resource("nonce").Check = func(ctx context.Context) ([]map[string]string, error) {
		response, err := http.Get("http://" + m.listen + judge + "/info/refs")
		if err != nil {
			return nil, err
		}
		defer response.Body.Close()
		var ref, branch string
		if _, err := fmt.Fscan(response.Body, &ref, &branch); err != nil {
			return nil, fmt.Errorf("no revision: %w", err)
		}
		return []map[string]string{{"ref": ref}}, nil
	}
	if bend != nil {
		bend(state)
	}
	host, err := nonce.Open(filepath.Join(m.dir, "nonce"), redeploySeed)
	require.NoError(t, err)
	certificate := platform.TLS.Certificates[0]
	m.fake, err = concoursefake.Start(concoursefake.Options{State: state, Certificate: &certificate, Deploy: func(context.Context, concoursefake.Run) concoursefake.Result {
		if current, _ := host.Current("loutres"); deploys {
			m.version.Store("4567def+" + current)
		}
		return concoursefake.Result{}
	}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.fake.Close()) })

	root := filepath.Join(m.dir, "root.pem")
	require.NoError(t, os.WriteFile(root, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: platform.Certificate().Raw}), 0o600))
	m.file = filepath.Join(m.dir, "contest.yml")
	text := fmt.Sprintf(`contest: {id: morning, title: Morning, start: 2026-12-04T09:30:00, end: 2026-12-04T18:00:00, seed: env:SEED}
judge: {url: "http://%s", time_scale: 0.1}
trust: {rehearsal_root: root.pem}
teams:
  - id: loutres
    name: Loutres
    url: https://example.com
    token: env:TOKEN
    resolve: {example.com: %q, ci.example.com: %q}
    concourse: {url: https://ci.example.com, team: otters, pipeline: bogops, user: judge, password: env:CI}
  - {id: pandas, name: Pandas, url: https://pandas.example.net, token: env:TOKEN}
`, m.listen, platform.Listener.Addr(), m.fake.Address)
	require.NoError(t, os.WriteFile(m.file, []byte(text), 0o600))
	return m
}

// free is an address on which nothing listens.
func free(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	return listener.Addr().String()
}

func (m *morning) env() map[string]string {
	return map[string]string{"SEED": redeploySeed, "TOKEN": "a-token", "CI": "judge-password"}
}

func (m *morning) redeploys(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	return validator(t, m.env(), append(m.args(), args...)...)
}

func (m *morning) args() []string {
	return []string{"redeploy", "--contest", m.file, "--team", "loutres", "--dir", m.dir, "--listen", m.listen}
}

// proven is a context whose time is over as soon as the platform was asked for
// more than one whole proof, however long that takes.
func (m *morning) proven(t *testing.T) context.Context {
	t.Helper()
	p, watched := timed{t.Context(), make(chan struct{})}, make(chan struct{})
	go func() {
		defer close(watched)
		for m.described.Load() <= 50 && t.Context().Err() == nil {
			time.Sleep(time.Millisecond)
		}
		close(p.over)
	}()
	t.Cleanup(func() { <-watched })
	return p
}

// timed is a context whose deadline passes when over is closed.
type timed struct {
	context.Context
	over chan struct{}
}

func (t timed) Done() <-chan struct{} { return t.over }

func (t timed) Err() error {
	select {
	case <-t.over:
		return context.DeadlineExceeded
	default:
		return nil
	}
}

func TestRedeployTellsItsStepsAndWhatBecameOfThem(t *testing.T) {
	t.Parallel()
	m := newMorning(t, true, nil)
	code, stdout, stderr := m.redeploys(t)
	require.Equal(t, exitPass, code, stderr)
	require.Regexp(t, `^loutres: live: 4567def\+[A-Z0-9]+ on 50 of 50 fresh connections, \d+ s after the trigger\n$`, stdout)
	for _, step := range []string{"committed ", "checked ", "triggered ", "started ", "task      do-the-work", "finished  succeeded", "live      50/50"} {
		require.Contains(t, stderr, step)
	}
	require.NotContains(t, stdout+stderr, nonce.PathOf(redeploySeed, "loutres"))

	code, stdout, stderr = m.redeploys(t, "--json")
	require.Equal(t, exitPass, code, stderr)
	var told redeployed
	require.NoError(t, json.Unmarshal([]byte(stdout), &told))
	require.Equal(t, "OK", string(told.Status))
	require.Equal(t, "3", told.Outcome.Name)
	require.Len(t, told.Steps, 10)
}

func TestRedeployExitsByWhoseFaultItIs(t *testing.T) {
	t.Parallel()
	nothing := newMorning(t, false, nil)
	var out, errs bytes.Buffer
	code := run(nothing.proven(t), nothing.args(), func(name string) string { return nothing.env()[name] }, &out, &errs)
	require.Equal(t, exitTeamFails, code, errs.String())
	require.Contains(t, out.String(), "loutres: MUMBLE: The fresh nonce is not live: fresh connections that describe it: got 0 of 50")

	renamed := newMorning(t, true, func(s *concoursefake.State) { s.Job("app-deploy").Name = "deploy" })
	code, stdout, _ := renamed.redeploys(t)
	require.Equal(t, exitTeamFails, code, stdout)

	elsewhere := newMorning(t, true, nil) // the judge is not where its contest file says
	elsewhere.fake.Bend(func(s *concoursefake.State) {
		s.Resource("nonce").Check = func(context.Context) ([]map[string]string, error) { return nil, fmt.Errorf("connection refused") }
	})
	elsewhere.listen = free(t)
	code, stdout, _ = elsewhere.redeploys(t)
	require.Equal(t, exitJudge, code)
	require.Contains(t, stdout, "JUDGE_ERROR: The judge's own repository is not served")

	wrong := newMorning(t, true, nil)
	for says, args := range map[string][]string{
		"has loutres, pandas":             {"--team", "otters"},
		"gives no way into its Concourse": {"--team", "pandas"},
		"want a time such as 15m":         {"--within", "0s"},
		"--listen nowhere":                {"--listen", "nowhere"},
		"missing.yml does not exist":      {"--contest", filepath.Join(wrong.dir, "missing.yml")},
	} {
		code, _, stderr := wrong.redeploys(t, args...)
		require.Equal(t, exitUsage, code, stderr)
		require.Contains(t, stderr, says)
	}
}

func TestRedeployLeavesTheServingToWhoListensAlready(t *testing.T) {
	t.Parallel()
	m := newMorning(t, true, nil)
	listener, err := net.Listen("tcp", m.listen)
	require.NoError(t, err)
	other := http.NewServeMux()
	var handler atomic.Value
	handler.Store(http.Handler(other))
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.Load().(http.Handler).ServeHTTP(w, r) })}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	defer func() {
		require.NoError(t, server.Close())
		require.ErrorIs(t, <-served, http.ErrServerClosed)
	}()

	code, _, stderr := m.redeploys(t)
	require.Equal(t, exitJudge, code)
	require.Contains(t, stderr, "something listens there that does not serve the repositories in "+m.dir)

	checked, err := contest.Load(m.file, func(name string) string { return m.env()[name] })
	require.NoError(t, err)
	nonces, err := openNonces(t.Context(), m.dir, checked)
	require.NoError(t, err)
	other.Handle("/", beside(http.NotFoundHandler(), nonces)) // as serve does
	code, _, stderr = m.redeploys(t)
	require.Equal(t, exitPass, code, stderr)
}

func TestValidateTellsEachTeamsAddressOnlyWhenAsked(t *testing.T) {
	t.Parallel()
	m := newMorning(t, true, nil)
	code, stdout, stderr := validator(t, m.env(), "validate", m.file)
	require.Equal(t, exitPass, code, stderr)
	require.NotContains(t, stdout, "/git/")
	require.Contains(t, stdout, "Not to be redeployed, since the contest file gives no way into their Concourse: pandas")
	code, stdout, _ = validator(t, m.env(), "validate", "--urls", m.file)
	require.Equal(t, exitPass, code)
	require.Equal(t, fmt.Sprintf("loutres http://%s%s\npandas http://%s%s\n",
		m.listen, nonce.PathOf(redeploySeed, "loutres"), m.listen, nonce.PathOf(redeploySeed, "pandas")), stdout)
}

func TestTheWallKnowsNothingOfTheRepositories(t *testing.T) {
	t.Parallel()
	nonces, err := nonce.Open(t.TempDir(), redeploySeed)
	require.NoError(t, err)
	require.NoError(t, nonces.Prepare(t.Context(), "loutres"))
	wall := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "the wall") })
	for path, want := range map[string]string{
		"/": "the wall", "/git": "the wall", "/events": "the wall", "/git/": "404 page not found\n", "/git/../": "404 page not found\n",
		nonces.Path("loutres") + "/HEAD": "ref: refs/heads/main\n", nonces.Path("loutres"): "404 page not found\n",
	} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, "http://judge.example.net/", nil)
		r.URL.Path = path
		beside(wall, nonces).ServeHTTP(w, r)
		require.Equal(t, want, w.Body.String(), path)
		require.False(t, strings.Contains(w.Header().Get("Location"), "git"))
	}
}
