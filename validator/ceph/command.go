package ceph

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// maxAnswer bounds what a command may print for the monitors' answers, and
// maxNotes what is kept of its standard error.
const (
	maxAnswer = 16 << 20
	maxNotes  = 2 << 10
)

// commands is the access by programs of the organiser, as over ssh to a monitor
// host. They get nothing on standard input; what they say on standard error is
// for the evidence.
//
// Exit 0 means that all was printed, 110 that the judge's side is at fault, 255
// (ssh's own) that nobody answered, and everything else that there is nothing to
// read.
type commands struct {
	read   []string // called with POOL NAMESPACE NAME OFFSET LENGTH
	status []string // called with the words of a `ceph` command; empty: none
}

func (c commands) Read(ctx context.Context, o Object, at, length int64) ([]byte, error) {
	if len(c.read) == 0 {
		return nil, ErrNoWay
	}
	return run(ctx, length, c.read, o.Pool, o.Namespace, o.Name, fmt.Sprint(at), fmt.Sprint(length))
}

func (c commands) Ask(ctx context.Context, q Query) ([]byte, error) {
	if len(c.status) == 0 {
		return nil, ErrNoWay
	}
	words := strings.Fields(q.Prefix)
	for _, arg := range q.Args {
		words = append(words, arg.Value)
	}
	return run(ctx, maxAnswer, c.status, append(words, "--format=json")...)
}

func (commands) Close() error { return nil }

// run returns what the program prints, at most limit bytes of it.
func run(ctx context.Context, limit int64, program []string, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*patience)
	defer cancel()
	command := exec.CommandContext(ctx, program[0], append(program[1:len(program):len(program)], args...)...)
	out, notes := &bounded{limit: limit}, &bounded{limit: maxNotes}
	command.Stdout, command.Stderr = out, notes
	// A group of its own, so that what the program started ends with it.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGKILL) }
	command.WaitDelay = time.Second
	err := command.Run()
	if ctx.Err() != nil {
		return nil, late(ctx, program[0])
	}
	said := strings.TrimSpace(strings.ToValidUTF8(notes.kept.String(), "?"))
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		return nil, fmt.Errorf("%s: %w (exit %d: %s)", program[0], exitClass(exit.ExitCode()), exit.ExitCode(), said)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", program[0], err)
	case out.over:
		return nil, fmt.Errorf("%s: %w: it prints more than the %d bytes that were asked for", program[0], ErrFailed, limit)
	}
	return out.kept.Bytes(), nil
}

var errOurs = errors.New("the organiser's command says that the judge's side is at fault")

func exitClass(code int) error {
	switch code {
	case 110:
		return errOurs
	case 255:
		return ErrUnreachable
	}
	return ErrFailed
}

// bounded keeps the first limit bytes that are written to it. The buffer is no
// embedded one: its ReadFrom would pass by the limit.
type bounded struct {
	kept  bytes.Buffer
	limit int64
	over  bool
}

func (b *bounded) Write(p []byte) (int, error) {
	room := b.limit - int64(b.kept.Len())
	if int64(len(p)) > room {
		b.over = true
		b.kept.Write(p[:max(0, room)])
		return len(p), nil
	}
	return b.kept.Write(p)
}
