package conformance

import (
	"bufio"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// startServer builds the server and runs it, over files, until the test ends.
func startServer(t *testing.T) remote {
	t.Helper()
	dir := t.TempDir()
	binary := filepath.Join(dir, "app")
	built, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "bogops/app").CombinedOutput()
	require.NoError(t, err, string(built))

	const token = "token-of-the-conformance-tests"
	server := exec.Command(binary, "--listen", "127.0.0.1:0", "--store", "file:"+filepath.Join(dir, "data"))
	server.Env = append(os.Environ(), "BOGOPS_JUDGE_TOKEN="+token)
	server.Stderr = os.Stderr
	said, err := server.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, server.Start())
	listening := make(chan string, 1)
	ended := make(chan error, 1)
	go func() {
		for lines := bufio.NewScanner(said); lines.Scan(); {
			var line struct{ Msg, Addr string }
			if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "listening" {
				listening <- line.Addr
			}
		}
		ended <- server.Wait()
	}()
	client := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(func() {
		client.CloseIdleConnections()
		_ = server.Process.Signal(syscall.SIGTERM)
		select {
		case err := <-ended:
			require.NoError(t, err, "the server's end")
		case <-time.After(30 * time.Second):
			_ = server.Process.Kill()
			<-ended
			require.Fail(t, "the server did not end when it was told to")
		}
	})
	select {
	case address := <-listening:
		return remote{"http://" + address, token, client}
	case err := <-ended:
		ended <- err
		require.FailNow(t, "the server ended before it listened", "%v", err)
	case <-time.After(30 * time.Second):
		require.FailNow(t, "the server does not listen")
	}
	return remote{}
}
