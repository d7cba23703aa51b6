package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// asApp in the environment makes the test binary be the server: tests that
// kill need a real process, and this one is built with the same flags.
const asApp = "BOGOPS_TEST_AS_APP"

func TestMain(m *testing.M) {
	if os.Getenv(asApp) != "" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

const (
	judge  = "judge-5ecret-token"
	writer = "writer-5ecret-token"
	reader = "reader-5ecret-token"
)

// instance is a running server: a real process or run in this one.
type instance struct {
	t    *testing.T
	url  string // "" where it ended before it listened
	http string // the plain port's address
	pid  int    // of the server itself, behind a wrapper too
	out  *output
	done chan error // its end; for a process what Wait says

	cmd *exec.Cmd // nil in this process
}

// output collects all that a server says and finds the listening line.
type output struct {
	mu        sync.Mutex
	text      strings.Builder
	listening chan listeningLine
}

type listeningLine struct {
	Msg, Addr, HTTP string
	TLS             bool
	PID             int
}

func newOutput() *output { return &output{listening: make(chan listeningLine, 1)} }

// follow reads lines until the writing end closes.
func (o *output) follow(r io.Reader) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		o.mu.Lock()
		o.text.WriteString(lines.Text() + "\n")
		o.mu.Unlock()
		var said listeningLine
		if json.Unmarshal(lines.Bytes(), &said) == nil && said.Msg == "listening" {
			o.listening <- said
		}
	}
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// start starts a real process on a free port with the three tokens, by way of
// wrapper (a command to put in front, such as strace). It waits until the
// process listens or ends.
func start(t *testing.T, wrapper []string, args ...string) *instance {
	t.Helper()
	return startProgram(t, append(append(wrapper, os.Args[0], "--listen", "127.0.0.1:0"), args...)...)
}

// startProgram is start for any command that ends as the app's.
func startProgram(t *testing.T, command ...string) *instance {
	t.Helper()
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env = append(os.Environ(), asApp+"=1",
		"BOGOPS_JUDGE_TOKEN="+judge, "BOGOPS_WRITER_TOKEN="+writer, "BOGOPS_READER_TOKEN="+reader)
	// A group of its own: with a wrapper, the server is its grandchild.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	read, write, err := os.Pipe()
	require.NoError(t, err)
	cmd.Stdout, cmd.Stderr = write, write
	require.NoError(t, cmd.Start())
	write.Close()

	i := &instance{t: t, out: newOutput(), cmd: cmd, done: make(chan error, 1)}
	go func() {
		i.out.follow(read)
		read.Close()
		i.done <- cmd.Wait()
	}()
	t.Cleanup(i.kill)
	i.await()
	return i
}

// await waits for the listening line.
func (i *instance) await() {
	i.t.Helper()
	select {
	case said := <-i.out.listening:
		scheme := "http://"
		if said.TLS {
			scheme = "https://"
		}
		i.url, i.http, i.pid = scheme+said.Addr, said.HTTP, said.PID
	case err := <-i.done:
		i.done <- err
	case <-time.After(30 * time.Second):
		require.FailNow(i.t, "the server neither listens nor ends", i.out.String())
	}
}

// kill ends the process and all its children at once, as a power cut would
// but for the page cache, and waits for it.
func (i *instance) kill() {
	select {
	case err := <-i.done:
		i.done <- err
		return // its number may be somebody else's by now
	default:
	}
	_ = syscall.Kill(-i.cmd.Process.Pid, syscall.SIGKILL)
	i.end()
}

// end waits for the server's end and returns it.
func (i *instance) end() error {
	i.t.Helper()
	select {
	case err := <-i.done:
		i.done <- err
		return err
	case <-time.After(30 * time.Second):
		require.FailNow(i.t, "the server does not end", i.out.String())
		return nil
	}
}

// exitCode is how the process ended.
func (i *instance) exitCode() int {
	i.end()
	return i.cmd.ProcessState.ExitCode()
}

// call sends one request with the judge's token and reads the whole answer.
func call(client *http.Client, method, url string, body io.Reader) (int, string, error) {
	return callAs(client, judge, method, url, body)
}

func callAs(client *http.Client, token, method, url string, body io.Reader) (int, string, error) {
	r, err := http.NewRequest(method, url, body)
	if err != nil {
		return 0, "", err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	answer, err := client.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, "", fmt.Errorf("%s %s: %w", method, url, err)
	}
	return answer.StatusCode, string(text), nil
}
