package redeploy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/validator/concourse"
	"bogops/validator/concourse/concoursefake"
	"bogops/validator/nonce"
	"bogops/validator/target"
	"bogops/validator/verdict"
)

// scene is a team's platform, a mock of its Concourse and the judge's own
// repositories. Its pipeline is right, unless a test bends it.
type scene struct {
	t        *testing.T
	fake     *concoursefake.Server
	nonces   *nonce.Host
	judge    *httptest.Server // serves nonces
	platform *platform
	line     *Line

	mu    sync.Mutex
	steps []Step
}

// platform describes one version for each instance, in turn.
type platform struct {
	mu       sync.Mutex
	versions []string
	asked    int
}

func (p *platform) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked++
	_ = json.NewEncoder(w).Encode(map[string]string{"version": p.versions[p.asked%len(p.versions)]})
}

func (p *platform) run(versions ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.versions = versions
}

const before = "0123abc+the-nonce-before"

// stage sets the scene. deploy is what app-deploy does with its nonce.
func stage(t *testing.T, deploy func(s *scene, nonce string) concoursefake.Result, wraps ...func(http.Handler) http.Handler) *scene {
	t.Helper()
	s := &scene{t: t, platform: &platform{versions: []string{before}}}
	var err error
	s.nonces, err = nonce.Open(t.TempDir(), "a seed for tests only")
	require.NoError(t, err)
	require.NoError(t, s.nonces.Prepare(t.Context(), "loutres"))
	s.judge = httptest.NewServer(s.nonces)
	t.Cleanup(s.judge.Close)
	served := httptest.NewServer(s.platform)
	t.Cleanup(served.Close)

	state := concoursefake.Normed()
	state.Resource("nonce").Check = s.check
	options := concoursefake.Options{State: state, Deploy: func(ctx context.Context, r concoursefake.Run) concoursefake.Result {
		taken, err := s.read(ctx, r.Inputs["nonce"]["ref"])
		if err != nil {
			return concoursefake.Result{Status: "errored", Message: err.Error()}
		}
		return deploy(s, taken)
	}}
	for _, wrap := range wraps {
		options.Wrap = wrap
	}
	s.fake, err = concoursefake.Start(options)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.fake.Close()) })
	s.line = &Line{
		Client: s.client("judge"), Nonces: s.nonces, Team: "loutres", Target: at(t, served.URL), Public: at(t, s.judge.URL),
		Wait: Wait{Check: time.Minute, Start: time.Minute, Poll: 5 * time.Millisecond},
	}
	return s
}

func (s *scene) client(user string) *concourse.Client {
	client := concourse.Open(
		concourse.Access{URL: s.fake.URL, Team: "otters", Pipeline: "bogops", User: user, Password: "judge-password"},
		concourse.Options{Roots: s.fake.Roots, Resolve: s.fake.Resolve},
	)
	s.t.Cleanup(client.Close)
	return client
}

func at(t *testing.T, address string) target.Target {
	t.Helper()
	parsed, err := url.Parse(address)
	require.NoError(t, err)
	return target.Target{URL: parsed}
}

// check is what the resource type does: it asks the judge's repository for its
// newest revision.
func (s *scene) check(ctx context.Context) ([]map[string]string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.judge.URL+s.nonces.Path("loutres")+"/info/refs", nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("fatal: unable to access '%s%s/': %s", s.judge.URL, s.nonces.Path("loutres"), response.Status)
	}
	ref, _, _ := strings.Cut(string(text), "\t")
	return []map[string]string{{"ref": ref}}, nil
}

// read clones the judge's repository as a build does.
func (s *scene) read(ctx context.Context, ref string) (string, error) {
	clone := filepath.Join(s.t.TempDir(), "nonce")
	if out, err := exec.CommandContext(ctx, "git", "clone", "-q", s.judge.URL+s.nonces.Path("loutres"), clone).CombinedOutput(); err != nil {
		return "", fmt.Errorf("clone: %s", out)
	}
	out, err := exec.CommandContext(ctx, "git", "-C", clone, "show", ref+":NONCE").Output()
	return strings.TrimSpace(string(out)), err
}

func (s *scene) told(step Step) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.steps = append(s.steps, step)
}

// kinds are the steps so far by kind.
func (s *scene) kinds() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var kinds []string
	for _, step := range s.steps {
		kinds = append(kinds, step.Kind)
	}
	return kinds
}

// detail is that of the last step of a kind.
func (s *scene) detail(kind string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, step := range slices.Backward(s.steps) {
		if step.Kind == kind {
			return step.Detail
		}
	}
	return "no step " + kind
}

// finding holds err to be of a status, and returns what it says.
func finding(t *testing.T, err error, status verdict.Status) string {
	t.Helper()
	var found *verdict.Error
	require.True(t, errors.As(err, &found), "%v", err)
	require.Equal(t, status, found.Status, "%v", err)
	return found.Error()
}

// rollOut is a pipeline that does what it must.
func rollOut(s *scene, nonce string) concoursefake.Result {
	s.platform.run("4567def+" + nonce)
	return concoursefake.Result{}
}
