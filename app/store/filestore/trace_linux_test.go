package filestore

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// A killed process loses nothing that the page cache holds, so that this is
// the test that sees a missing sync: it watches the system calls themselves.
func TestEveryWriteIsSyncedBeforeItIsNamedAndBeforeItIsAnswered(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		leftOut(t, "strace is not installed")
	}
	const writes = 12
	for mode, syncs := range map[string]int{"nameless": 24, "named": 24} { // 2 a put, 1 a delete, 1 for each of 4 shards
		t.Run(mode, func(t *testing.T) {
			dir := t.TempDir()
			out := filepath.Join(dir, "trace")
			cmd := command(t.Context(), fmt.Sprintf("trace %d %s %s", writes, mode, filepath.Join(dir, "store")),
				strace, "-f", "-y", "-s", "16", "-o", out,
				"-e", "trace=write,writev,pwrite64,pwritev,ftruncate,fdatasync,fsync,linkat,renameat,renameat2,unlinkat,mkdirat,fchmod")
			require.NoError(t, cmd.Run())
			text, err := os.ReadFile(out)
			require.NoError(t, err)
			calls := parseTrace(string(text))
			seen, err := checkOrder(calls)
			require.NoError(t, err)
			require.Equal(t, writes, seen)
			requireEverySyncNeeded(t, calls, syncs)
		})
	}
}
