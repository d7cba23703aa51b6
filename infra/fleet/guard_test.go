package fleet

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// childOf names the test that a copy of this test's binary is to play a part of.
const childOf = "BOGOPS_FLEET_CHILD"

func TestNothingOutlivesAGroupThatWasKilled(t *testing.T) {
	if mark := os.Getenv(childOf); mark != "" {
		o := options(t, t.TempDir())
		s := open(t, o)
		files := contents("r1")
		// It does not exec, and what it starts ignores the kernel's signal.
		files["start.sh"] = "#!/bin/sh\n./app \"$@\"\ntrue\n"
		s.upload("one", pack(t, files), nil)
		s.take(600)
		s.launch(Release{"one", "r1-" + mark})
		s.settles("r1-" + mark)
		_, _ = os.Stdout.WriteString("\nit runs\n")
		select {}
	}
	t.Parallel()
	mark := filepath.Base(filepath.Dir(t.TempDir()))
	program, err := os.Executable()
	require.NoError(t, err)
	group := exec.Command(program, "-test.run", "^"+t.Name()+"$")
	group.Env = append(os.Environ(), childOf+"="+mark, "TMPDIR="+t.TempDir())
	output, err := group.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, group.Start())
	t.Cleanup(func() { _ = group.Process.Kill(); _ = group.Wait() })
	for lines := bufio.NewScanner(output); lines.Scan(); {
		if strings.Contains(lines.Text(), "it runs") {
			break
		}
	}
	require.Len(t, processes(t, "r1-"+mark), 2, "the script and the server")
	require.NoError(t, group.Process.Kill())
	require.Eventually(t, func() bool { return len(processes(t, "r1-"+mark)) == 0 }, time.Minute, 20*time.Millisecond)
}
