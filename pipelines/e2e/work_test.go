package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// work is a person's clone of a repository.
type work struct {
	t   *testing.T
	dir string
}

// clone makes a fresh repository of what is in the tree that the tests are of.
func clone(t *testing.T, remote string) work {
	t.Helper()
	w := work{t, t.TempDir()}
	tree, err := filepath.Abs("../..")
	require.NoError(t, err)
	copied := exec.CommandContext(t.Context(), "bash", "-c",
		`set -euo pipefail; git -c "safe.directory=*" -C "$1" ls-files -z | tar -C "$1" --null --no-recursion --ignore-failed-read -cf - -T - | tar -C "$2" -xf -`, "copy", tree, w.dir)
	out, err := copied.CombinedOutput()
	require.NoError(t, err, "%s", out)
	w.git("init", "-q", "-b", "main")
	w.git("remote", "add", "origin", remote)
	return w
}

func (w work) git(args ...string) string {
	w.t.Helper()
	cmd := exec.CommandContext(w.t.Context(), "git", args...)
	cmd.Dir = w.dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null", "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=otter", "GIT_AUTHOR_EMAIL=otter@example.net", "GIT_COMMITTER_NAME=otter", "GIT_COMMITTER_EMAIL=otter@example.net")
	out, err := cmd.CombinedOutput()
	require.NoError(w.t, err, "git %s: %s", args[0], out)
	return strings.TrimSpace(string(out))
}

// edit replaces one text in a file, which has to be there once.
func (w work) edit(file, old, by string) {
	w.t.Helper()
	path := filepath.Join(w.dir, file)
	text, err := os.ReadFile(path)
	require.NoError(w.t, err)
	require.Equal(w.t, 1, strings.Count(string(text), old), "%s: %q", file, old)
	require.NoError(w.t, os.WriteFile(path, []byte(strings.Replace(string(text), old, by, 1)), 0o644))
}

func (w work) write(file, text string) {
	w.t.Helper()
	require.NoError(w.t, os.WriteFile(filepath.Join(w.dir, file), []byte(text), 0o644))
}

// commit records everything, and returns the revision as packages name it.
func (w work) commit(message string) string {
	w.t.Helper()
	w.git("add", "-A")
	w.git("commit", "-q", "-m", message)
	return w.git("rev-parse", "HEAD")[:12]
}

// push commits and publishes.
func (w work) push(message string) string {
	w.t.Helper()
	revision := w.commit(message)
	w.git("push", "-q", "origin", "HEAD")
	return revision
}
