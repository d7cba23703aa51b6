package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// repository is a small module with an app and a tool, of as many commits as
// asked for. The same number gives the same history.
func repository(t *testing.T, commits int) string {
	t.Helper()
	dir := t.TempDir()
	main := func(says string) string {
		return "package main\n\nimport (\n\t\"os\"\n\t\"strings\"\n)\n\nvar version = \"dev\"\n\n" +
			"func main() {\n\tos.Stdout.WriteString(\"" + says + " \" + version + \" \" + os.Getenv(\"BOGOPS_APP_VERSION\") + \" \" + strings.Join(os.Args[1:], \" \") + \"\\n\")\n}\n"
	}
	for name, text := range map[string]string{
		"go.mod": "module example\n\ngo 1.26\n", "app/main.go": main("app"), "tool/main.go": main("tool"),
	} {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	in(t, dir, "git", "init", "-q", "-b", "main")
	in(t, dir, "git", "add", "-A")
	for range commits {
		in(t, dir, "git", "commit", "-q", "--allow-empty", "-m", "one more")
	}
	return dir
}

func in(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.net", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.net",
		"GIT_AUTHOR_DATE=2026-06-01T09:00:00Z", "GIT_COMMITTER_DATE=2026-06-01T09:00:00Z", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return strings.TrimSpace(string(out))
}

// made packages a repository and returns the one file of the wanted kind.
func made(t *testing.T, repo, kind string) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, run(context.Background(), options{Repo: repo, Out: dir, Tool: map[string]string{"tool": "./tool"}}, io.Discard))
	found, err := filepath.Glob(filepath.Join(dir, "bogops-"+kind+"-*"))
	require.NoError(t, err)
	require.Len(t, found, 1)
	return found[0]
}

func TestAPackageStartsTheAppAndSaysItsRevision(t *testing.T) {
	t.Parallel()
	repo := repository(t, 3)
	hash := in(t, repo, "git", "rev-parse", "HEAD")[:12]
	file := made(t, repo, "app")
	require.Equal(t, "bogops-app-0.0.3-"+hash+".tar.gz", filepath.Base(file))

	dir := t.TempDir()
	require.Equal(t, "SHA256SUMS\nVERSION\napp\nsbom.cdx.json\nstart.sh", in(t, dir, "tar", "-xzvf", file))
	require.Equal(t, "app "+hash+" "+hash+" --listen here", in(t, dir, "./start.sh", "--listen", "here"))
	require.Equal(t, "app "+hash+" abc+nonce", in(t, dir, "env", "BOGOPS_APP_VERSION=abc+nonce", "./start.sh"))

	require.NoError(t, os.WriteFile(filepath.Join(dir, "VERSION"), []byte("damaged\n"), 0o644))
	out, err := exec.Command(filepath.Join(dir, "start.sh")).CombinedOutput()
	require.Error(t, err, "a damaged package starts: %s", out)
	require.Contains(t, string(out), "VERSION: FAILED")
}

func TestTheSameRevisionMakesTheSameBytesInAnotherDirectory(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"app", "image", "tools"} {
		one, err := os.ReadFile(made(t, repository(t, 2), kind))
		require.NoError(t, err)
		other, err := os.ReadFile(made(t, repository(t, 2), kind))
		require.NoError(t, err)
		require.Equal(t, sha256.Sum256(one), sha256.Sum256(other), kind)
	}
}

func TestTheToolsComeWithTheirSums(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.Equal(t, "SHA256SUMS\ntool", in(t, dir, "tar", "-xzvf", made(t, repository(t, 1), "tools")))
	in(t, dir, "sha256sum", "--check", "--strict", "SHA256SUMS")
	require.Contains(t, in(t, dir, "./tool"), "tool ")
}

// The resource orders by numbers: a version must be of its form, and that of
// more commits a later one.
func TestVersionsAreOfTheFormThatThePipelineLooksFor(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^[0-9]+\.[0-9]+\.[0-9]+-[0-9a-f]{12}$`)
	r := revision{hash: "0123456789ab", commits: 1000}
	require.Regexp(t, form, r.version())
	r.dirty = true
	require.NotRegexp(t, form, r.version(), "what nobody committed is not deployed by itself")
}

func TestAnEditedTreeIsNotPassedOffAsItsRevision(t *testing.T) {
	t.Parallel()
	repo := repository(t, 1)
	file, err := os.OpenFile(filepath.Join(repo, "app/main.go"), os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = file.WriteString("\n// edited\n")
	require.NoError(t, err)
	require.NoError(t, file.Close())
	require.Contains(t, filepath.Base(made(t, repo, "app")), "-dirty.tar.gz")
}

func TestAShallowCloneIsRefused(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "clone")
	in(t, "/", "git", "clone", "-q", "--depth", "1", "file://"+repository(t, 2), dir)
	var out bytes.Buffer
	require.ErrorContains(t, run(context.Background(), options{Repo: dir, Out: t.TempDir()}, &out), "shallow")
}

func TestWhatDoesNotBuildSaysWhyAndLeavesNothing(t *testing.T) {
	t.Parallel()
	repo := repository(t, 1)
	require.NoError(t, os.WriteFile(filepath.Join(repo, "app/main.go"), []byte("package main\n\nfunc main() { nowhere() }\n"), 0o644))
	out := filepath.Join(t.TempDir(), "dist")
	require.ErrorContains(t, run(context.Background(), options{Repo: repo, Out: out}, io.Discard), "undefined: nowhere")
	require.NoDirExists(t, out)
}

func TestWhatAnEarlierRunMadeIsGone(t *testing.T) {
	t.Parallel()
	repo, out := repository(t, 1), t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(out, "mine.tar.gz"), nil, 0o644))
	require.NoError(t, run(context.Background(), options{Repo: repo, Out: out}, io.Discard))
	in(t, repo, "git", "commit", "-q", "--allow-empty", "-m", "another")
	require.NoError(t, run(context.Background(), options{Repo: repo, Out: out}, io.Discard))
	found, err := filepath.Glob(filepath.Join(out, "*"))
	require.NoError(t, err)
	require.Len(t, found, 3, "two products, and what is not ours")
	require.Contains(t, found[0], "bogops-app-0.0.2-")
}
