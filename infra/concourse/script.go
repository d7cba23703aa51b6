package concourse

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

//go:embed ci.sh
var outsideScript []byte

//go:embed inside.sh
var insideScript []byte

//go:embed rbac.yml
var roles []byte

// unpack puts the scripts into Concourse's own directory, so that a program
// needs no source tree to run one, and a person finds them beside it.
func unpack(dir string) error {
	bin := filepath.Join(dir, "bin")
	if err := os.MkdirAll(bin, 0o711); err != nil {
		return err
	}
	for name, text := range map[string][]byte{"ci.sh": outsideScript, "inside.sh": insideScript, "rbac.yml": roles} {
		if err := place(filepath.Join(bin, name), text); err != nil {
			return err
		}
	}
	return nil
}

// place writes a file that another process may be executing: by a rename, and
// only where the text is another one.
func place(path string, text []byte) error {
	if there, err := os.ReadFile(path); err == nil && bytes.Equal(there, text) {
		return nil
	}
	temporary, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	_, err = temporary.Write(text)
	if closed := temporary.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Chmod(temporary.Name(), 0o700)
	}
	if err == nil {
		err = os.Rename(temporary.Name(), path)
	}
	if err != nil {
		os.Remove(temporary.Name())
	}
	return err
}

// script is one call of ci.sh in a group of processes of its own, which dies as
// a whole when ctx ends. The services that it starts leave the group. The file
// is bash's to read and not the kernel's to execute: another goroutine that
// starts a process just then may have taken its descriptor along, and a file
// that somebody could write is busy.
func (s *Server) script(ctx context.Context, args ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, "bash", append([]string{filepath.Join(s.dir, "bin", "ci.sh"), s.dir}, args...)...)
	command.Env = append(os.Environ(), s.environment...)
	inGroup(command)
	return command
}

func inGroup(command *exec.Cmd) {
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGKILL) }
	command.WaitDelay = 5 * time.Second
}

// run calls ci.sh with input and returns what it printed, also with an error,
// which ends with the last words of the script.
func (s *Server) run(ctx context.Context, input string, args ...string) ([]byte, error) {
	var out, said bytes.Buffer
	command := s.script(ctx, args...)
	command.Stdin, command.Stdout, command.Stderr = strings.NewReader(input), &out, io.MultiWriter(&said, s.log)
	if err := command.Run(); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return out.Bytes(), fmt.Errorf("concourse: %s in %s: %w: %s", args[0], s.dir, err, lastLine(said.String()))
	}
	return out.Bytes(), nil
}

func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return text[strings.LastIndexByte(text, '\n')+1:]
}
