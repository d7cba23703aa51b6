package concourse

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// echo starts a process that repeats what it is told.
func echo(t *testing.T, attributes syscall.SysProcAttr) (pid string, answers func() error) {
	t.Helper()
	attributes.Pdeathsig = syscall.SIGKILL
	command := exec.Command("cat")
	command.SysProcAttr = &attributes
	in, err := command.StdinPipe()
	require.NoError(t, err)
	out, err := command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	t.Cleanup(func() {
		in.Close()
		_ = command.Wait() // killed, where the test has failed
	})
	lines := bufio.NewReader(out)
	return strconv.Itoa(command.Process.Pid), func() error {
		if _, err := io.WriteString(in, "there\n"); err != nil {
			return err
		}
		_, err := lines.ReadString('\n')
		return err
	}
}

// Each round leaves one more process behind, and those of the rounds before have
// been killed by the next one if leaving a network kills at all.
func TestLeavingANetworkEndsNoProcessAndKeepsNoThread(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root may enter a network")
	}
	there, _ := echo(t, syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET})
	inside, err := os.Readlink("/proc/" + there + "/ns/net")
	require.NoError(t, err)
	var all []func() error
	for range 20 {
		n, err := enter(there)
		require.NoError(t, err)
		var seen string
		require.NoError(t, n.do(t.Context(), func() {
			seen, err = os.Readlink("/proc/thread-self/ns/net")
			_, answers := echo(t, syscall.SysProcAttr{})
			all = append(all, answers)
		}))
		require.NoError(t, err)
		require.Equal(t, inside, seen)
		n.leave()
	}
	for round, answers := range all {
		require.NoError(t, answers(), "the process of round %d", round)
	}
	threads, err := filepath.Glob("/proc/self/task/*/ns/net")
	require.NoError(t, err)
	require.NotEmpty(t, threads)
	for _, thread := range threads {
		is, err := os.Readlink(thread)
		if err == nil { // it has not ended meanwhile
			require.NotEqual(t, inside, is, thread)
		}
	}
	_, err = enter("0")
	require.ErrorContains(t, err, "enter the network of process 0")
}
