package rehearse

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// machine is one running instance of the reference platform: a process.
type machine struct {
	backend
	version string
	process *exec.Cmd
	gone    chan struct{} // closed once the process has ended and been reaped
}

// bootWithin bounds the time from starting a process to its first log line.
const bootWithin = 15 * time.Second

// boot starts the app and waits until it listens. Its log goes to log.
func boot(ctx context.Context, app, id, version string, args, env []string, log io.Writer) (*machine, error) {
	process := exec.Command(app, append(args, "--instance", id, "--app-version", version)...)
	process.Env = append(os.Environ(), env...)
	process.SysProcAttr = diesWithParent()
	output, err := process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	process.Stderr = process.Stdout
	if err := process.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", id, err)
	}
	m := &machine{backend: backend{id: id}, version: version, process: process, gone: make(chan struct{})}
	listening := make(chan backend, 1)
	go func() {
		defer close(m.gone)
		follow(output, log, listening)
		_ = process.Wait() // how it ended is in its log
	}()
	select {
	case at := <-listening:
		m.tls, m.http = at.tls, at.http
		return m, nil
	case <-m.gone:
		return nil, fmt.Errorf("instance %s ended before it listened: see its log", id)
	case <-time.After(bootWithin):
		m.kill()
		return nil, fmt.Errorf("instance %s did not listen within %s: see its log", id, bootWithin)
	case <-ctx.Done():
		m.kill()
		return nil, ctx.Err()
	}
}

// follow copies the log and reports the addresses of its listening line.
func follow(output io.Reader, log io.Writer, listening chan<- backend) {
	lines := bufio.NewReader(output)
	for {
		line, err := lines.ReadBytes('\n')
		_, _ = log.Write(line)
		var said struct{ Msg, Addr, HTTP string }
		if json.Unmarshal(line, &said) == nil && said.Msg == "listening" {
			select {
			case listening <- backend{tls: said.Addr, http: said.HTTP}:
			default:
			}
		}
		if err != nil {
			return
		}
	}
}

// alive says whether the process still runs.
func (m *machine) alive() bool {
	select {
	case <-m.gone:
		return false
	default:
		return true
	}
}

// kill ends the process at once, as a machine that loses its power, and waits.
func (m *machine) kill() {
	_ = m.process.Process.Kill()
	<-m.gone
}

// retire lets the process drain, and kills it when that takes longer than
// within.
func (m *machine) retire(within time.Duration) error {
	if err := m.process.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("instance %s: %w", m.id, err)
	}
	select {
	case <-m.gone:
		return nil
	case <-time.After(within):
		m.kill()
		return fmt.Errorf("instance %s was still draining after %s and was killed", m.id, within)
	}
}
