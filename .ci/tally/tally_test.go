package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// tallied runs the go command on a module of one file and returns what tally
// wrote to its counts and printed.
func tallied(t *testing.T, test string) (counts, printed string) {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module sample/one\n\ngo 1.26.0\n"), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "one_test.go"), []byte("package one\n\n"+test), 0o644))
	command := exec.Command("go", "test", "-json", "./...")
	command.Dir = dir
	stream, _ := command.Output() // a failing test is what some cases want

	var out bytes.Buffer
	file := filepath.Join(dir, "counts")
	require.NoError(t, run(bytes.NewReader(stream), &out, file))
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	return string(content), out.String()
}

func TestACaseOfATableCountsAndTheTableDoesNot(t *testing.T) {
	counts, printed := tallied(t, `import "testing"

func TestTable(t *testing.T) {
	for _, name := range []string{"a", "b", "c"} {
		t.Run(name, func(t *testing.T) {})
	}
}

func TestAlone(t *testing.T) {}
`)
	require.Equal(t, "4 0\n", counts)
	require.Contains(t, printed, "4 passed")
}

func TestAFailureIsCountedAndItsOutputShown(t *testing.T) {
	counts, printed := tallied(t, `import "testing"

func TestGood(t *testing.T) { t.Log("nobody reads this") }

func TestTable(t *testing.T) {
	t.Run("bad", func(t *testing.T) { t.Error("got 1, want 2") })
}
`)
	require.Equal(t, "1 1\n", counts)
	require.Contains(t, printed, "got 1, want 2")
	require.NotContains(t, printed, "nobody reads this")
}

func TestASkippedTestIsNamedWithItsReason(t *testing.T) {
	counts, _ := tallied(t, `import "testing"

func TestTraced(t *testing.T) { t.Skip("strace is not installed") }
`)
	require.Equal(t, "0 0\none: TestTraced: strace is not installed\n", counts)
}

func TestAnExcludedTestIsShownAndNotLeftOut(t *testing.T) {
	counts, printed := tallied(t, `import "testing"

func TestSuite(t *testing.T) {
	t.Run("signed", func(t *testing.T) { t.Skip("excluded by docs/decisions.md: no signed URLs") })
	t.Run("other", func(t *testing.T) { t.Skip("not excluded by docs/decisions.md: broken") })
	t.Run("good", func(t *testing.T) {})
}
`)
	require.Equal(t, "1 0\none: TestSuite/other: not excluded by docs/decisions.md: broken\n", counts)
	require.Contains(t, printed, "excluded TestSuite/signed: no signed URLs\n")
}

func TestWhatDoesNotBuildOrPanicsIsOneFailure(t *testing.T) {
	counts, printed := tallied(t, "func nothing() int { return \"\" }\n")
	require.Equal(t, "0 1\n", counts)
	require.Contains(t, printed, "cannot use")

	counts, printed = tallied(t, `import "testing"

func TestGood(t *testing.T) {}

func TestPanics(t *testing.T) { panic("the end") }
`)
	require.Equal(t, "1 1\n", counts)
	require.Contains(t, printed, "the end")
}
