package pipelines_test

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// orderly is a tool that takes its time to end, and says so.
const orderly = `#!/usr/bin/env bash
trap 'sleep 0.3; echo "in good order"; rm "$1"; exit 2' TERM
echo begun
for ((i = 0; i < 600; i++)); do sleep 0.1; done
`

// A roll-out that a person or a pipeline aborts is taken back by the tool, for
// which it has to hear of it, and its end has to be waited for.
func TestASignalEndsTheToolInGoodOrderAndItsShellAfterIt(t *testing.T) {
	t.Parallel()
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			scratch, runs := filepath.Join(dir, "scratch"), filepath.Join(dir, "runs")
			require.NoError(t, os.Mkdir(scratch, 0o700))
			require.NoError(t, os.WriteFile(runs, nil, 0o600))
			require.NoError(t, os.WriteFile(filepath.Join(dir, "orderly"), []byte(orderly), 0o755))
			// Stands for the compiler: go build -o FILE PACKAGE.
			require.NoError(t, os.WriteFile(filepath.Join(dir, "go"), []byte("#!/bin/sh\nexec cp "+dir+"/orderly \"$3\"\n"), 0o755))
			tool := exec.CommandContext(t.Context(), "./tool.sh", "rollout", runs)
			tool.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "TMPDIR="+scratch, "TOOLS=")
			tool.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			tool.Stderr = os.Stderr
			out, err := tool.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, tool.Start())
			t.Cleanup(func() { _ = syscall.Kill(-tool.Process.Pid, syscall.SIGKILL) })
			said := bufio.NewReader(out)
			line, err := said.ReadString('\n')
			require.NoError(t, err)
			require.Equal(t, "begun\n", line)

			require.NoError(t, tool.Process.Signal(signal)) // to the shell alone
			state, err := tool.Process.Wait()
			require.NoError(t, err)
			require.NoFileExists(t, runs, "the tool outlives its shell")
			require.Equal(t, 2, state.ExitCode())
			rest, err := io.ReadAll(said)
			require.NoError(t, err)
			require.Equal(t, "in good order\n", string(rest))
			left, err := os.ReadDir(scratch)
			require.NoError(t, err)
			require.Empty(t, left)
		})
	}
}
