// Package e2e runs the pipelines on a real Concourse, from a push to the fleet:
// git, registry, S3, fleet and certificates are local, and nothing is pretended.
package e2e

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/require"

	"bogops/infra/concourse"
	"bogops/infra/concourse/concoursetest"
	"bogops/infra/concourse/image"
	"bogops/infra/environments"
	"bogops/infra/fleet"
	"bogops/infra/git"
	"bogops/infra/registry"
	"bogops/infra/s3"
)

// patience bounds one build: on a machine that does ten other things too, a
// compiler takes its time.
const patience = 10 * time.Minute

// host is the platform's name.
const host = "otters.example.net"

// stage is a team with all that its pipelines need.
type stage struct {
	t            *testing.T
	server       *concourse.Server
	ci           ci
	source       work
	nonces       nonces
	fleet        *fleet.Group
	platform     *platform
	environments string // the service's address
	secrets      map[string]string
}

// set builds the stage, with the pipelines set and nothing pushed yet.
func set(t *testing.T) *stage {
	t.Helper()
	s := &stage{t: t, server: concoursetest.Shared(t), secrets: map[string]string{}}
	for _, name := range []string{"source_password", "fleet_token", "judge_token", "environments_token"} {
		s.secrets[name] = name + "-" + random(t)
	}
	team := "otters-" + random(t)[:8]
	owner := concourse.Login{User: team, Password: random(t)}
	require.NoError(t, s.server.Team(t.Context(), team, owner, concourse.Login{}))
	s.ci = login(t, s.server.URL(), team, owner.User, owner.Password)

	settings := map[string]any{"go_proxy": "off"}
	settings["builder"] = s.builder()
	settings["s3"] = s.bucket()
	settings["source"] = s.repository()
	s.nonces = hostNonces(t)
	settings["nonce"] = map[string]any{"uri": "http://" + s.inside(s.nonces.address) + "/nonce.git"}
	settings["platform"], settings["fleet"] = s.machines()
	settings["environments"] = s.branches()
	require.NoError(t, s.server.Secrets(t.Context(), team, s.secrets))

	text, err := yaml.Marshal(settings)
	require.NoError(t, err)
	s.source.write("pipelines/vars.yml", string(text))
	for name, secret := range s.secrets {
		require.True(t, !strings.Contains(string(text), secret), "%s is in git", name)
	}
	s.setPipelines(team, owner)
	return s
}

func random(t *testing.T) string {
	t.Helper()
	var b [12]byte
	_, _ = rand.Read(b[:]) // never fails, by its documentation
	return hex.EncodeToString(b[:])
}

// inside is how tasks reach an address of this machine.
func (s *stage) inside(address string) string {
	s.t.Helper()
	there, err := s.server.Inside(s.t.Context(), address)
	require.NoError(s.t, err)
	return there
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	return l
}

func serve(t *testing.T, handler http.Handler) (address string) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

// builder is the image that tasks run in, in a registry.
func (s *stage) builder() map[string]any {
	s.t.Helper()
	images, err := registry.Serve(listen(s.t), s.t.TempDir())
	require.NoError(s.t, err)
	s.t.Cleanup(func() { require.NoError(s.t, images.Close()) })
	tree, err := filepath.Abs("../..")
	require.NoError(s.t, err)
	tar := filepath.Join(s.t.TempDir(), "builder.tar")
	require.NoError(s.t, image.Build(s.t.Context(), image.Options{Name: "builder", Tree: tree, Build: programs, Test: quick(s.t), Log: logged{s.t}}, tar))
	_, err = image.Push(s.t.Context(), images.Address(), "builder:1", tar, image.Config{Env: image.Environment()})
	require.NoError(s.t, err)
	return map[string]any{"repository": s.inside(images.Address()) + "/builder", "tag": "1", "insecure": true}
}

// programs are what the tasks build.
var programs = []string{"./app", "./validator", "./infra/rollout/cmd", "./pipelines/package"}

// quick are the packages that app-test tests.
func quick(t *testing.T) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "make", "-s", "-C", "../..", "-f", "-", "print")
	cmd.Stdin = strings.NewReader("include Makefile\nprint:\n\t@echo $(QUICK)\n")
	out, err := cmd.Output()
	require.NoError(t, err)
	return strings.Fields(string(out))
}

// logged keeps what is said for whoever reads of a failure, without the requests
// that instances log.
type logged struct{ t *testing.T }

func (l logged) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte(`"msg":"request"`)) {
		return len(p), nil
	}
	l.t.Log(strings.TrimRight(string(p), "\n"))
	return len(p), nil
}

func (s *stage) bucket() map[string]any {
	s.t.Helper()
	moto := s3.StartMoto(s.t)
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodPut, moto.Endpoint+"/packages", nil)
	require.NoError(s.t, err)
	reply, err := http.DefaultClient.Do(request)
	require.NoError(s.t, err)
	reply.Body.Close()
	require.Equal(s.t, http.StatusOK, reply.StatusCode)
	s.secrets["s3_access_key"], s.secrets["s3_secret_key"] = "s3_access_key-"+random(s.t), "s3_secret_key-"+random(s.t) // moto takes any
	return map[string]any{
		"bucket": "packages", "region": "us-east-1", "path_style": true,
		"endpoint": "http://" + s.inside(strings.TrimPrefix(moto.Endpoint, "http://")),
	}
}

// repository is the team's own, private, and a clone of it.
func (s *stage) repository() map[string]any {
	s.t.Helper()
	server, err := git.Serve(listen(s.t), s.t.TempDir(), git.Options{Private: true})
	require.NoError(s.t, err)
	s.t.Cleanup(func() { require.NoError(s.t, server.Close()) })
	require.NoError(s.t, server.Create(s.t.Context(), "kit", s.secrets["source_password"]))
	s.source = clone(s.t, fmt.Sprintf("http://%s:%s@%s%s", git.User, s.secrets["source_password"], server.Address(), server.Path("kit")))
	return map[string]any{"uri": "http://" + s.inside(server.Address()) + server.Path("kit"), "branch": "main", "user": git.User}
}

// setPipelines does what a person does once.
func (s *stage) setPipelines(team string, owner concourse.Login) {
	s.t.Helper()
	bin, err := exec.CommandContext(s.t.Context(), "../../infra/concourse/build/build.sh").Output()
	require.NoError(s.t, err)
	fly, home := filepath.Join(strings.TrimSpace(string(bin)), "fly"), s.t.TempDir()
	for _, args := range [][]string{
		{fly, "-t", "otters", "login", "-c", s.server.URL(), "-n", team, "-u", owner.User, "-p", owner.Password},
		{"make", "-s", "set-pipelines", "TARGET=otters", "FLY=" + fly},
	} {
		cmd := exec.CommandContext(s.t.Context(), args[0], args[1:]...)
		cmd.Dir, cmd.Env = s.source.dir, append(os.Environ(), "HOME="+home)
		out, err := cmd.CombinedOutput()
		require.NoError(s.t, err, "%s", out)
		if args[0] == "make" {
			require.Equal(s.t, "set bogops\nset reconfigure\n", string(out), "it prints no more than this")
		}
	}
}

// branches is the service for environments.
func (s *stage) branches() map[string]any {
	s.t.Helper()
	identity := newIdentity(s.t)
	service, err := environments.Open(s.t.Context(), environments.Options{
		Dir: s.t.TempDir(), Token: s.secrets["environments_token"], ServerName: host, Log: logged{s.t},
		Env: []string{"BOGOPS_JUDGE_TOKEN=" + s.secrets["judge_token"]},
		Args: func(name, dir, instance, version string) []string {
			return identity.args(dir, instance, version)
		},
	})
	require.NoError(s.t, err)
	s.t.Cleanup(func() { require.NoError(s.t, service.Close()) })
	s.environments = serve(s.t, service.Handler())
	return map[string]any{"url": "http://" + s.inside(s.environments)}
}
