//go:build ceph

package proof

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// token is the judge's in the platform's own API: it may do everything.
const token = "judge-5ecret-token"

// instance is one process of the program, or the place of one that is dead.
type instance struct {
	name    string
	front   *front // its own way to S3
	command []string
	began   time.Time // of the platform

	mu      sync.Mutex
	process *os.Process
	ended   chan struct{}
	url     string // empty: not listening
	paused  bool
	said    []said
	log     []string // the last lines
}

// said is what an instance told of the common mode.
type said struct {
	at      time.Duration // since the platform began
	serving bool          // false: it has learned of it, or is dead
	mode    string
	epoch   uint64
}

const keptLines = 300

// start runs the process and waits until it listens. The kernel ends it with
// the tests, however these end.
func (i *instance) start(t testing.TB, env ...string) {
	t.Helper()
	cmd := exec.Command(i.command[0], i.command[1:]...)
	cmd.Env = append(append(os.Environ(), "BOGOPS_JUDGE_TOKEN="+token), env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	read, write, err := os.Pipe()
	require.NoError(t, err)
	cmd.Stdout, cmd.Stderr = write, write
	err = cmd.Start()
	write.Close()
	require.NoError(t, err)
	ended := make(chan struct{})
	i.mu.Lock()
	i.process, i.ended, i.url, i.paused = cmd.Process, ended, "", false
	i.mu.Unlock()
	go func() {
		i.follow(read)
		read.Close()
		_ = cmd.Wait() // that it has ended is all we want
		i.mu.Lock()
		i.url = ""
		i.said = append(i.said, said{at: time.Since(i.began)})
		i.mu.Unlock()
		close(ended)
	}()
	waitFor(t, time.Minute, func() bool {
		select {
		case <-ended:
			require.FailNow(t, i.name+" ended before it listened", i.tail())
		default:
		}
		return i.address() != ""
	}, "%s listens", i.name)
}

// follow takes in what the process logs until it is dead.
func (i *instance) follow(r io.Reader) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		at := time.Since(i.began)
		var line struct {
			Msg, Addr, Mode string
			Epoch           uint64
		}
		told := json.Unmarshal(lines.Bytes(), &line) == nil
		i.mu.Lock()
		if !strings.HasPrefix(line.Msg, "request") { // the clients have noted them
			i.log = append(i.log[max(0, len(i.log)-keptLines):], fmt.Sprintf("%8.3f %s", at.Seconds(), lines.Text()))
		}
		switch {
		case !told:
		case line.Msg == "listening":
			i.url = "http://" + line.Addr
		case line.Msg == "fall-back: learned", line.Msg == "fall-back: serving":
			i.said = append(i.said, said{at, line.Msg == "fall-back: serving", line.Mode, line.Epoch})
		}
		i.mu.Unlock()
	}
}

func (i *instance) address() string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.url
}

func (i *instance) isPaused() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.paused
}

// last is what the instance said last.
func (i *instance) last() said {
	i.mu.Lock()
	defer i.mu.Unlock()
	if len(i.said) == 0 {
		return said{}
	}
	return i.said[len(i.said)-1]
}

// modeOf is the mode that the instance served in all of a span of time; empty:
// none, or more than one. What it said may have come some milliseconds late.
func (i *instance) modeOf(from, to time.Duration) string {
	i.mu.Lock()
	defer i.mu.Unlock()
	after, _ := slices.BinarySearchFunc(i.said, from, func(s said, at time.Duration) int { return int(s.at - at) })
	if after == 0 || !i.said[after-1].serving || after < len(i.said) && i.said[after].at < to {
		return ""
	}
	return i.said[after-1].mode
}

func (i *instance) tail() string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return strings.Join(i.log, "\n")
}

// pause stops the process where it stands; resume lets it go on.
func (i *instance) pause(t testing.TB)  { i.signal(t, syscall.SIGSTOP, true) }
func (i *instance) resume(t testing.TB) { i.signal(t, syscall.SIGCONT, false) }

func (i *instance) signal(t testing.TB, s syscall.Signal, paused bool) {
	t.Helper()
	i.mu.Lock()
	defer i.mu.Unlock()
	require.NoError(t, i.process.Signal(s))
	i.paused = paused
}

// kill ends the process at once and waits for it; a dead one stays dead.
func (i *instance) kill() {
	i.mu.Lock()
	process, ended := i.process, i.ended
	i.url = ""
	i.mu.Unlock()
	if process == nil {
		return
	}
	_ = process.Kill() // it may have ended
	<-ended
}

// waitFor waits until something is so. What the parts of a platform do, they do
// in their own time.
func waitFor(t testing.TB, most time.Duration, so func() bool, what string, args ...any) {
	t.Helper()
	for end := time.Now().Add(most); !so(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			require.FailNow(t, "waited "+most.String()+" in vain until "+fmt.Sprintf(what, args...))
		}
	}
}
