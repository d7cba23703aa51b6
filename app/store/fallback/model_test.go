package fallback_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// The runner of the model is what says that a broken rule is caught, so it is
// shown lines that are wrong in one way each.
func TestTheRunnerOfTheModelFailsWhereASearchIsNotWhatItsLineSays(t *testing.T) {
	if testing.Short() {
		t.Skip("it compiles nine models")
	}
	needs(t, "bash", "spin", "gcc")
	const small = " | -DNOPS=1 -DTRIPS=1 -DRECS=1 "
	const plain = " | -O0 -DSAFETY | "
	for _, line := range []struct{ name, table, says string }{
		{"a search that is what its line says", "test | clean 9248 | it" + small + plain, "1 passed, 0 failed"},
		{"a broken model that is caught", "test | caught | it" + small + "-DNOWAIT" + plain, "1 passed, 0 failed"},
		{"a broken model called clean", "test | clean 9248 | it" + small + "-DNOWAIT" + plain, "FAIL it: got caught, want clean 9248"},
		{"a right model called caught", "test | caught | it" + small + plain, "FAIL it: got clean 9248, want caught"},
		{"a search of another size", "test | clean 9247 | it" + small + plain, "FAIL it: got clean 9248, want clean 9247"},
		{"a search that was cut short", "test | clean 9248 | it" + small + plain + "-m40", "FAIL it: got nothing"},
		{"a search without memory", "test | clean 9248 | it" + small + " | -O0 -DSAFETY -DMEMLIM=1 | ", "FAIL it: got nothing"},
		{"a model that does not compile", "test | caught | it | -DNOPS=[" + plain, "FAIL it: got nothing"},
		{"a table of nothing", "# test | caught | it" + small + plain, "0 passed, 0 failed"},
		{"a table that leaves all to soak", "soak | caught | it" + small + plain, "0 passed, 0 failed"},
	} {
		t.Run(line.name, func(t *testing.T) {
			table := filepath.Join(t.TempDir(), "runs")
			require.NoError(t, os.WriteFile(table, []byte(line.table+"\n"), 0o644))
			scratch := t.TempDir()
			run := exec.Command("bash", "model.sh", "test", table)
			run.Env = append(os.Environ(), "TMPDIR="+scratch)
			out, err := run.CombinedOutput()
			require.Contains(t, string(out), line.says)
			var exit *exec.ExitError
			if line.says == "1 passed, 0 failed" {
				require.NoError(t, err)
			} else {
				require.True(t, errors.As(err, &exit) && exit.ExitCode() == 1, "%v\n%s", err, out)
			}
			left, err := os.ReadDir(scratch)
			require.NoError(t, err)
			require.Empty(t, left, "what the runner left behind")
		})
	}
}

func needs(t *testing.T, tools ...string) {
	t.Helper()
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("%s is not installed, and CI skips nothing", tool)
			}
			t.Skipf("%s is not installed", tool)
		}
	}
}
