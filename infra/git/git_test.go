package git_test

import (
	"bytes"
	"crypto/rand"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"bogops/infra/git"
)

// site is a server with one repository, and the two ways to it.
type site struct {
	server *git.Server
	open   string // URL without a password
	own    string // with it
}

func serve(t *testing.T, options git.Options) site {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server, err := git.Serve(listener, t.TempDir(), options)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	require.NoError(t, server.Create(t.Context(), "kit", "s3cret/@"))
	at := url.URL{Scheme: "http", Host: server.Address(), Path: server.Path("kit")}
	open := at.String()
	at.User = url.UserPassword(git.User, "s3cret/@")
	return site{server, open, at.String()}
}

// run calls the real git client, without what the machine's user has set.
func run(t *testing.T, dir string, args ...string) (string, error) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "git", append([]string{"-C", dir}, args...)...)
	command.Env = append(os.Environ(), "HOME="+dir, "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=otter", "GIT_AUTHOR_EMAIL=o@example.org", "GIT_COMMITTER_NAME=otter", "GIT_COMMITTER_EMAIL=o@example.org")
	said, err := command.CombinedOutput()
	return strings.TrimSpace(string(said)), err
}

func must(t *testing.T, dir string, args ...string) string {
	t.Helper()
	said, err := run(t, dir, args...)
	require.NoError(t, err, "git %v: %s", args, said)
	return said
}

// work is a clone with commits one, two, three, not pushed yet.
func work(t *testing.T, from string) string {
	t.Helper()
	dir := t.TempDir()
	must(t, dir, "clone", "--quiet", from, ".")
	must(t, dir, "checkout", "--quiet", "-B", "main")
	for _, text := range []string{"one", "two", "three"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "text"), []byte(text), 0o644))
		must(t, dir, "add", "text")
		must(t, dir, "commit", "--quiet", "-m", text)
	}
	return dir
}

func TestWhatIsPushedIsCloned(t *testing.T) {
	t.Parallel()
	s := serve(t, git.Options{})
	from := work(t, s.own)
	must(t, from, "push", "--quiet", "origin", "main")

	to := t.TempDir()
	must(t, to, "clone", "--quiet", s.open, ".")
	require.Equal(t, must(t, from, "rev-parse", "HEAD"), must(t, to, "rev-parse", "HEAD"))
	text, err := os.ReadFile(filepath.Join(to, "text"))
	require.NoError(t, err)
	require.Equal(t, "three", string(text))
}

func TestAShallowCloneIsShallowAndCanBeDeepened(t *testing.T) {
	t.Parallel()
	s := serve(t, git.Options{})
	from := work(t, s.own)
	must(t, from, "push", "--quiet", "origin", "main")

	to := t.TempDir()
	must(t, to, "clone", "--quiet", "--depth=1", s.open, ".")
	require.Equal(t, "1", must(t, to, "rev-list", "--count", "HEAD"))
	must(t, to, "fetch", "--quiet", "--deepen=1")
	require.Equal(t, "2", must(t, to, "rev-list", "--count", "HEAD"))
}

// Above a mebibyte git sends its pack in chunks of unknown number.
func TestALargePushArrives(t *testing.T) {
	t.Parallel()
	s := serve(t, git.Options{})
	from := work(t, s.own)
	large := make([]byte, 5<<20)
	_, _ = rand.Read(large)
	require.NoError(t, os.WriteFile(filepath.Join(from, "large"), large, 0o644))
	must(t, from, "add", "large")
	must(t, from, "commit", "--quiet", "-m", "large")
	must(t, from, "push", "--quiet", "origin", "main")

	to := t.TempDir()
	must(t, to, "clone", "--quiet", s.open, ".")
	got, err := os.ReadFile(filepath.Join(to, "large"))
	require.NoError(t, err)
	require.True(t, bytes.Equal(large, got))
}

func TestWhoMayDoWhat(t *testing.T) {
	t.Parallel()
	wrong := func(s site) string { return strings.Replace(s.own, "s3cret", "guess", 1) }
	other := func(s site) string { return strings.Replace(s.own, "git:", "root:", 1) }
	own := func(s site) string { return s.own }
	open := func(s site) string { return s.open }
	const read, push = "ls-remote", "push"
	cases := []struct {
		name    string
		private bool
		verb    string
		as      func(site) string
		allowed bool
	}{
		{"anybody reads", false, read, open, true},
		{"the password reads", false, read, own, true},
		{"nobody pushes without a password", false, push, open, false},
		{"the password pushes", false, push, own, true},
		{"a wrong password does not push", false, push, wrong, false},
		{"another user does not push", false, push, other, false},
		{"a private one is closed", true, read, open, false},
		{"a private one is closed to a wrong password", true, read, wrong, false},
		{"a private one opens with its password", true, read, own, true},
		{"a private one takes pushes", true, push, own, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, git.Options{Private: c.private})
			args := []string{read, c.as(s)}
			if c.verb == push {
				args = []string{push, "--quiet", c.as(s), "HEAD:refs/heads/main"}
			}
			said, err := run(t, work(t, s.own), args...)
			if c.allowed {
				require.NoError(t, err, said)
			} else {
				require.Error(t, err)
			}
		})
	}
}

func TestThePasswordOfOneRepositoryOpensNoOther(t *testing.T) {
	t.Parallel()
	s := serve(t, git.Options{})
	require.NoError(t, s.server.Create(t.Context(), "other", "elsewhere"))
	at := strings.Replace(s.own, "/kit.git", "/other.git", 1)
	said, err := run(t, work(t, s.own), "push", "--quiet", at, "HEAD:refs/heads/main")
	require.Error(t, err, said)
}

func TestARepositoryThatNobodyCreatedIsNotThere(t *testing.T) {
	t.Parallel()
	s := serve(t, git.Options{})
	for _, path := range []string{"/none.git", "/kit", "/kit.git/sub.git"} {
		said, err := run(t, t.TempDir(), "ls-remote", "http://"+s.server.Address()+path)
		require.Error(t, err, "%s: %s", path, said)
	}
}

func TestCreatingAgainKeepsWhatWasPushedAndChangesThePassword(t *testing.T) {
	t.Parallel()
	s := serve(t, git.Options{})
	from := work(t, s.own)
	must(t, from, "push", "--quiet", "origin", "main")
	require.NoError(t, s.server.Create(t.Context(), "kit", "fresh"))
	require.Contains(t, must(t, from, "ls-remote", s.open), "refs/heads/main")
	said, err := run(t, from, "push", "--quiet", "origin", "HEAD:refs/heads/again")
	require.Error(t, err, said)
}

func TestNamesThatAreNoNamesAreRefused(t *testing.T) {
	t.Parallel()
	s := serve(t, git.Options{})
	for _, name := range []string{"", "..", "a/b", "-x", "A", ".git"} {
		require.ErrorContains(t, s.server.Create(t.Context(), name, "p"), "wanted a name", name)
	}
	require.ErrorContains(t, s.server.Create(t.Context(), "kit", ""), "empty")
}
