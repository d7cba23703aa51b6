// Package ceph runs a real Ceph cluster on this machine for whoever wants one:
// tests, the rehearsal, a reader at a terminal. The work is done by two shell
// scripts, which come with the package; the type Cluster is their face in Go.
package ceph

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

//go:embed cluster.sh
var clusterScript []byte

//go:embed node.sh
var nodeScript []byte

// unpack puts the scripts into the cluster's own directory, so that a program
// needs no source tree to run a cluster, and a person finds them beside it.
func unpack(dir string) error {
	bin := filepath.Join(dir, "bin")
	if err := os.MkdirAll(bin, 0o700); err != nil {
		return err
	}
	for name, text := range map[string][]byte{"cluster.sh": clusterScript, "node.sh": nodeScript} {
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

// script is one call of cluster.sh in a group of processes of its own, which
// dies as a whole when ctx ends. The daemons that it starts leave the group.
func (c *Cluster) script(ctx context.Context, args ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, filepath.Join(c.dir, "bin", "cluster.sh"), append([]string{c.dir}, args...)...)
	command.Env = append(os.Environ(), c.environment...)
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGKILL) }
	command.WaitDelay = 5 * time.Second
	return command
}

// run calls cluster.sh and returns what it printed. An error ends with the last
// words of the script, which are a sentence.
func (c *Cluster) run(ctx context.Context, args ...string) (string, error) {
	var out, said bytes.Buffer
	command := c.script(ctx, args...)
	command.Stdout, command.Stderr = &out, io.MultiWriter(&said, c.log)
	if err := command.Run(); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return "", fmt.Errorf("ceph: %s in %s: %w: %s", args[0], c.dir, err, lastLine(said.String()))
	}
	return out.String(), nil
}

func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return text[strings.LastIndexByte(text, '\n')+1:]
}
