package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// compiled runs the real go command on a module of one package that imports
// nothing, and tells whether it compiled.
func compiled(t *testing.T, tree string, environment ...string) bool {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", "build", "-x", "-trimpath", ".")
	command.Dir = tree
	command.Env = append(os.Environ(), append([]string{"GOFLAGS=", "CGO_ENABLED=0"}, environment...)...)
	said, err := command.CombinedOutput()
	require.NoError(t, err, string(said))
	return strings.Contains(string(said), "/compile ")
}

func module(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"go.mod": "module one\n\ngo 1.26\n", "one.go": text} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	return dir
}

func TestABuildLeavesWhatItUsedAndNothingElse(t *testing.T) {
	program := filepath.Join(t.TempDir(), "cacheprog")
	said, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput()
	require.NoError(t, err, string(said))
	from, to, second := t.TempDir(), t.TempDir(), t.TempDir()
	one, other := module(t, "package one\n\nfunc One() int { return 1 }\n"), module(t, "package one\n\nfunc One() int { return 2 }\n")

	require.True(t, compiled(t, one, "GOCACHEPROG="+program+" "+from+" "+to), "nothing knows it")
	require.False(t, compiled(t, one, "GOCACHE="+to), "what was compiled is in TO")
	require.False(t, compiled(t, one, "GOCACHE="+from), "and in FROM, for the next time")
	require.True(t, compiled(t, other, "GOCACHE="+from), "somebody else's build")

	require.False(t, compiled(t, one, "GOCACHEPROG="+program+" "+from+" "+second), "FROM knows it")
	require.False(t, compiled(t, one, "GOCACHE="+second), "what was used is in TO")
	require.True(t, compiled(t, other, "GOCACHE="+second), "what was not used is not in TO")
}

func TestAnEntryThatIsTornIsMadeAnew(t *testing.T) {
	program := filepath.Join(t.TempDir(), "cacheprog")
	said, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput()
	require.NoError(t, err, string(said))
	from := t.TempDir()
	one := module(t, "package one\n\nfunc One() int { return 1 }\n")
	require.True(t, compiled(t, one, "GOCACHEPROG="+program+" "+from+" "+t.TempDir()))
	outputs, err := filepath.Glob(filepath.Join(from, "*", "*-d"))
	require.NoError(t, err)
	require.NotEmpty(t, outputs)
	for _, output := range outputs {
		require.NoError(t, os.WriteFile(output+".new", nil, 0o644))
		require.NoError(t, os.Rename(output+".new", output))
	}
	require.True(t, compiled(t, one, "GOCACHEPROG="+program+" "+from+" "+t.TempDir()))
}
