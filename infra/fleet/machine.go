package fleet

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// machine is one instance: a process, and all that it started.
type machine struct {
	id       string
	release  Release
	started  time.Time
	process  *exec.Cmd
	listens  chan struct{} // closed once at is known
	gone     chan struct{} // closed once the process has ended and been reaped
	draining bool          // out of the balancer for good; guarded by Group.mu
	wasReady bool          // once, at least; guarded by Group.mu

	mu  sync.Mutex
	at  backend
	log tail
	why string // it was killed, or how it ended
}

// launch starts a process and returns at once. What does not listen within a
// time is killed.
func launch(command *exec.Cmd, id string, release Release, within time.Duration, g *guard, log io.Writer) (*machine, error) {
	output, input, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer input.Close() // the process has its own
	command.Stdout, command.Stderr = input, input
	command.SysProcAttr = diesWithParent()
	if err := command.Start(); err != nil {
		output.Close()
		return nil, fmt.Errorf("start %s: %w", id, err)
	}
	m := &machine{
		id: id, release: release, started: time.Now(), process: command,
		listens: make(chan struct{}), gone: make(chan struct{}),
	}
	g.watch(command.Process.Pid)
	go m.attend(output, within, g, log)
	return m, nil
}

// attend follows the machine to its end.
func (m *machine) attend(output *os.File, within time.Duration, g *guard, log io.Writer) {
	defer close(m.gone)
	var followed sync.WaitGroup
	followed.Go(func() { m.follow(output, log) })
	late := time.AfterFunc(within, func() {
		if !isClosed(m.listens) {
			m.endBecause(fmt.Sprintf("did not listen within %s", within))
			m.signal(syscall.SIGKILL)
		}
	})
	ended := m.process.Wait()
	late.Stop()
	// A start script that did not exec leaves the server behind it.
	m.signal(syscall.SIGKILL)
	g.forget(m.process.Process.Pid)
	// Whoever left the process group may hold the pipe open for ever.
	_ = output.SetReadDeadline(time.Now().Add(time.Second))
	followed.Wait()
	output.Close()
	m.endBecause(how(ended))
}

// how says in words how a process ended.
func how(err error) string {
	if err == nil {
		return "ended by itself with exit status 0"
	}
	return "ended: " + err.Error()
}

// endBecause remembers why the machine ended; the first reason stays.
func (m *machine) endBecause(why string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.why == "" {
		m.why = why
	}
}

// follow copies the log and learns the addresses from its listening line.
func (m *machine) follow(output io.Reader, log io.Writer) {
	lines := bufio.NewReaderSize(output, 64<<10)
	for {
		line, err := lines.ReadSlice('\n')
		if len(line) > 0 {
			_, _ = log.Write(line)
			m.heard(line)
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return
		}
	}
}

func (m *machine) heard(line []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.log.add(line)
	if isClosed(m.listens) {
		return // a busy server's log is long
	}
	var said struct{ Msg, Addr, HTTP string }
	if json.Unmarshal(line, &said) == nil && said.Msg == "listening" && said.Addr != "" {
		m.at = backend{id: m.id, tls: said.Addr, http: said.HTTP}
		close(m.listens)
	}
}

// address is where the machine listens, once it does.
func (m *machine) address() (backend, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.at, isClosed(m.listens)
}

// said returns the last lines of the log, and why the machine ended.
func (m *machine) said() (lines []string, why string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.log.lines(), m.why
}

// awaitListening waits until the machine listens or has ended.
func (m *machine) awaitListening(ctx context.Context) error {
	select {
	case <-m.listens:
		return nil
	case <-m.gone:
		_, why := m.said()
		return fmt.Errorf("instance %s %s: see its log", m.id, why)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// alive says whether the process still runs.
func (m *machine) alive() bool { return !isClosed(m.gone) }

// kill ends the process and its children at once, as a machine that loses its
// power, and waits.
func (m *machine) kill() {
	m.endBecause("was killed")
	m.signal(syscall.SIGKILL)
	<-m.gone
}

// retire lets the process drain, and kills it when that takes longer than
// within, or when ctx ends.
func (m *machine) retire(ctx context.Context, within time.Duration) error {
	m.endBecause("was retired")
	m.signal(syscall.SIGTERM)
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case <-m.gone:
		return nil
	case <-ctx.Done():
	case <-timer.C:
	}
	m.kill()
	return fmt.Errorf("instance %s was still draining after %s and was killed", m.id, within)
}

// signal reaches the process and all that it started: they share a group.
func (m *machine) signal(s syscall.Signal) { _ = syscall.Kill(-m.process.Process.Pid, s) }

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
