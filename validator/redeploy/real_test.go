package redeploy

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	real "bogops/infra/concourse"
	"bogops/infra/concourse/concoursetest"
	"bogops/infra/concourse/image"
	"bogops/infra/registry"
	"bogops/validator/concourse"
	"bogops/validator/contest"
	"bogops/validator/nonce"
	"bogops/validator/verdict"
)

// A realPipeline is a team of its own in a real Concourse. Its app-deploy clones
// the judge's repository with the real resource type and tells the platform what
// to describe.
type realPipeline struct {
	server *real.Server
	team   string
	line   *Line
	nonces *nonce.Host
}

// listening serves handler on the loopback and returns its address there and
// inside Concourse's containers.
func listening(t *testing.T, s *real.Server, handler http.Handler) (outside, inside string) {
	t.Helper()
	site := httptest.NewServer(handler)
	t.Cleanup(site.Close)
	outside = site.Listener.Addr().String()
	inside, err := s.Inside(t.Context(), outside)
	require.NoError(t, err)
	return outside, inside
}

// images is a registry that holds the image "tiny", seen from inside.
func images(t *testing.T, s *real.Server) string {
	t.Helper()
	tar := filepath.Join(t.TempDir(), "tiny.tar")
	require.NoError(t, image.Build(t.Context(), image.Options{Name: "tiny"}, tar))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	site, err := registry.Serve(listener, filepath.Join(t.TempDir(), "registry"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, site.Close()) })
	_, err = image.Push(t.Context(), listener.Addr().String(), "tiny", tar, image.Config{Env: []string{"PATH=/usr/bin:/bin"}})
	require.NoError(t, err)
	inside, err := s.Inside(t.Context(), listener.Addr().String())
	require.NoError(t, err)
	return inside
}

func newRealPipeline(t *testing.T) *realPipeline {
	t.Helper()
	s := concoursetest.Shared(t)
	p := &realPipeline{server: s, team: "redeploy-" + strings.ToLower(rand.Text()[:8])}
	owner, operator := real.Login{User: p.team + "-owner", Password: rand.Text()}, real.Login{User: p.team + "-judge", Password: rand.Text()}
	require.NoError(t, s.Team(t.Context(), p.team, owner, operator))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute) // the test's own has ended
		defer cancel()
		out, err := s.Fly(ctx, "destroy-team", "--team-name", p.team, "--non-interactive")
		require.NoError(t, err, string(out))
	})

	platform := &platform{versions: []string{before}}
	described, _ := listening(t, s, platform)
	_, control := listening(t, s, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		version, _ := io.ReadAll(r.Body)
		platform.run(string(version))
	}))
	var err error
	p.nonces, err = nonce.Open(t.TempDir(), "a seed for tests only")
	require.NoError(t, err)
	require.NoError(t, p.nonces.Prepare(t.Context(), "loutres"))
	judge, judgeInside := listening(t, s, p.nonces)
	p.set(t, judgeInside, control, images(t, s))

	client := concourse.Open(concourse.Access{URL: s.URL(), Team: p.team, Pipeline: "bogops", User: operator.User, Password: contest.Secret(operator.Password)}, concourse.Options{})
	t.Cleanup(client.Close)
	p.line = &Line{
		Client: client, Nonces: p.nonces, Team: "loutres", Target: at(t, "http://"+described), Public: at(t, "http://"+judge),
		Wait: Wait{Check: 2 * time.Minute, Start: 5 * time.Minute, Poll: 200 * time.Millisecond},
	}
	return p
}

// set sets the pipeline: a job that deploys the nonce, and one that fails on it.
func (p *realPipeline) set(t *testing.T, judge, control, registry string) {
	t.Helper()
	task := func(name, script string) string {
		return fmt.Sprintf(`
  - task: %s
    config:
      platform: linux
      image_resource: {type: registry-image, source: {repository: "%s/tiny", insecure: true}}
      inputs: [{name: nonce}]
      run: {path: sh, args: [-ec, %q]}`, name, registry, script)
	}
	file := filepath.Join(t.TempDir(), "pipeline.yml")
	text := fmt.Sprintf(`
resources:
- name: nonce
  type: git
  check_every: never
  source: {uri: "http://%s%s", branch: main}
jobs:
- name: app-deploy
  plan:
  - get: nonce
    trigger: false%s%s
- name: app-fails
  plan:
  - get: nonce%s
`, judge, p.nonces.Path("loutres"),
		task("look", "cat nonce/NONCE"), task("roll-out", "curl -fsS --data-binary \"4567def+$(cat nonce/NONCE)\" http://"+control+"/"),
		task("break", "echo the reason; exit 7"))
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	for _, args := range [][]string{
		{"set-pipeline", "--team", p.team, "--pipeline", "bogops", "--config", file, "--non-interactive"},
		{"unpause-pipeline", "--team", p.team, "--pipeline", "bogops"},
	} {
		out, err := p.server.Fly(t.Context(), args...)
		require.NoError(t, err, string(out))
	}
}

func TestARealConcourseTakesANonceFromItsCommitToLive(t *testing.T) {
	p := newRealPipeline(t)
	var s scene
	proof := p.line.Deploy(t.Context(), "fresh-1", s.told)
	require.NoError(t, proof.Err, "%v", s.steps)
	require.Equal(t, "4567def+fresh-1", proof.Version)
	require.Equal(t, []string{
		Committed, Checking, Checked, Triggered, Started, Took, TaskBegan, TaskEnded, TaskBegan, TaskEnded, Finished, Live,
	}, s.kinds())
	require.Equal(t, "roll-out", s.detail(TaskBegan))
	t.Logf("live %s after the trigger, build %s", proof.Took, proof.Build)

	again := p.line.Deploy(t.Context(), "fresh-2", s.told)
	require.NoError(t, again.Err)
	require.Equal(t, "4567def+fresh-2", again.Version, "each commit is a version of its own")

	p.line.Job = "app-fails"
	failed := p.line.Deploy(t.Context(), "fresh-3", s.told)
	require.Contains(t, finding(t, failed.Err, verdict.Mumble), "The build app-fails 1 failed: got failed: break exited with 7")
	require.Equal(t, "4567def+fresh-2", Prove(t.Context(), p.line.Target, "fresh-2").Version, "and the platform runs what it ran")
}
