package ceph

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
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
	read   program // called with POOL NAMESPACE NAME OFFSET LENGTH
	status program // called with the words of a `ceph` command
}

func (c commands) Read(ctx context.Context, o Object, at, length int64) ([]byte, error) {
	if c.read.absent() {
		return nil, ErrNoWay
	}
	return c.read.run(ctx, length, o.Pool, o.Namespace, o.Name, fmt.Sprint(at), fmt.Sprint(length))
}

func (c commands) Ask(ctx context.Context, q Query) ([]byte, error) {
	if c.status.absent() {
		return nil, ErrNoWay
	}
	words := strings.Fields(q.Prefix)
	for _, arg := range q.Args {
		words = append(words, arg.Value)
	}
	return c.status.run(ctx, maxAnswer, append(words, "--format=json")...)
}

func (commands) Close() error { return nil }

// program is one of the organiser's. What it says goes into errors, and from
// there to evidence and pages, so hide takes the secrets out.
type program struct {
	words []string
	hide  func(string) string
}

func (p program) absent() bool { return len(p.words) == 0 }

// run returns what the program prints, at most limit bytes of it.
func (p program) run(ctx context.Context, limit int64, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*patience)
	defer cancel()
	name := p.words[0]
	command := exec.CommandContext(ctx, name, slices.Concat(p.words[1:], args)...)
	out, notes := &bounded{limit: limit}, &bounded{limit: maxNotes}
	command.Stdout, command.Stderr = out, notes
	// A group of its own, so that what the program started ends with it.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGKILL) }
	command.WaitDelay = time.Second
	err := command.Run()
	if ctx.Err() != nil {
		return nil, late(ctx, name)
	}
	said := p.hide(strings.TrimSpace(strings.ToValidUTF8(notes.kept.String(), "?")))
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		return nil, fmt.Errorf("%s: %w (exit %d: %s)", name, exitClass(exit.ExitCode()), exit.ExitCode(), said)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", name, err)
	case out.over:
		return nil, fmt.Errorf("%s: %w: it prints more than the %d bytes that were asked for", name, ErrFailed, limit)
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
