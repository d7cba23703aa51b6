package concourse_test

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	server "bogops/infra/concourse"
	"bogops/infra/concourse/concoursetest"
	"bogops/infra/concourse/image"
	"bogops/infra/registry"
	"bogops/validator/concourse"
	"bogops/validator/contest"
)

func TestTheRealConcourseHoldsTheSame(t *testing.T) {
	t.Parallel()
	hold(t, realSubject(t, concoursetest.Shared(t)))
}

// realSubject makes a team of its own in a real Concourse, with the pipeline of
// the suite.
func realSubject(t *testing.T, s *server.Server) subject {
	t.Helper()
	ctx := t.Context()
	team := "client-" + strings.ToLower(filepath.Base(t.TempDir()))
	user := func(name string) server.Login {
		return server.Login{User: team + "-" + name, Password: name + "-password"}
	}
	require.NoError(t, s.Team(ctx, team, user("owner"), user("judge")))
	require.NoError(t, s.Team(ctx, team+"-others", user("looker"), server.Login{}))
	fly := func(t *testing.T, args ...string) string {
		t.Helper()
		out, err := s.Fly(t.Context(), args...)
		require.NoError(t, err, "%s", out)
		return string(out)
	}
	commit, repository, path := hosted(t, "127.0.0.1:0")
	at, err := s.Inside(ctx, repository)
	require.NoError(t, err)
	file := suitePipeline(t, "http://"+at+path, taskImage(t, s))
	fly(t, "set-pipeline", "--non-interactive", "--team", team, "--pipeline", "bogops", "--config", file)
	fly(t, "unpause-pipeline", "--team", team, "--pipeline", "bogops")
	fly(t, "expose-pipeline", "--team", team, "--pipeline", "bogops")
	subject := subject{
		access:  concourse.Access{URL: s.URL(), Team: team, Pipeline: "bogops"},
		options: concourse.Options{Resolve: map[string]string{hostOf(t, s.URL()): s.Address()}},
		logins:  map[string]contest.Secret{}, names: map[string]string{},
		commit: commit, way: cutterTo,
		expose: func(t *testing.T, exposed bool) {
			verb := map[bool]string{true: "expose-pipeline", false: "hide-pipeline"}[exposed]
			fly(t, verb, "--team", team, "--pipeline", "bogops")
		},
		config: func(t *testing.T) string { return fly(t, "get-pipeline", "--team", team, "--pipeline", "bogops") },
		vars: func(t *testing.T) map[string]any {
			fly(t, "set-pipeline", "--non-interactive", "--team", team, "--pipeline", "branches", "--config", file, "--instance-var", "branch=a/b c")
			return map[string]any{"branch": "a/b c"}
		},
	}
	for _, name := range []string{"owner", "judge", "looker"} {
		subject.names[name], subject.logins[name] = user(name).User, contest.Secret(user(name).Password)
	}
	awaitFirstVersion(t, subject.as(t, "judge"))
	return subject
}

// awaitFirstVersion asks for checks until the pipeline's repository was seen.
// The first one begins by itself while the network of a fresh worker may still
// be coming up, and one that fails is not repeated for a day.
func awaitFirstVersion(t *testing.T, judge *concourse.Client) {
	t.Helper()
	for begin := time.Now(); ; {
		versions, err := judge.Versions(t.Context(), "nonce", 1)
		require.NoError(t, err)
		if len(versions) > 0 {
			return
		}
		check, err := judge.Check(t.Context(), "nonce")
		require.NoError(t, err)
		check, events := ended(t, judge, check.ID)
		if check.Status != concourse.Succeeded {
			t.Logf("the check of nonce has %s: %s %+v", check.Status, said(events), of(events, "error"))
		}
		require.Less(t, time.Since(begin), soon, "no version of nonce was found")
	}
}

// taskImage puts an image with a shell into a registry that task containers
// reach, and returns its source.
func taskImage(t *testing.T, s *server.Server) map[string]any {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	images, err := registry.Serve(listener, t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, images.Close()) })
	tar := filepath.Join(t.TempDir(), "tiny.tar")
	require.NoError(t, image.Build(t.Context(), image.Options{Name: "tiny", Log: os.Stderr}, tar))
	_, err = image.Push(t.Context(), images.Address(), "tiny", tar, image.Config{})
	require.NoError(t, err)
	at, err := s.Inside(t.Context(), images.Address())
	require.NoError(t, err)
	return map[string]any{"repository": at + "/tiny", "tag": "latest"}
}
