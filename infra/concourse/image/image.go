// Package image makes root file systems for tasks out of the Debian packages
// that are installed on this machine, without any network, and turns them into
// images in a registry. The work is done by build.sh, which comes with the
// package.
package image

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

//go:embed build.sh cacheprog/main.go cacheprog/cache.go
var scripts embed.FS

// Environment is what a container of the builder runs with: the go command asks
// no network and finds what was compiled before, wherever the tree lies.
func Environment() []string {
	return []string{
		"PATH=/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root",
		"GOFLAGS=-trimpath", "GOPROXY=off", "GOSUMDB=off", "GOTOOLCHAIN=local", "GOMODCACHE=/go/mod", "GOCACHE=/go/cache",
	}
}

// Options say what to make.
type Options struct {
	// Name of the image: "tiny" has a shell, git, jq, curl, make; "builder" has
	// a C compiler and Go on top, with the modules and a warm build cache of Tree.
	Name string
	// Tree is the Go module that the builder is warm for.
	Tree string
	// Build are its programs; none are ./app and ./validator.
	Build []string
	// Test are packages of Tree whose tests compile warm too ("./app/api"), with
	// the flags TestFlags ("-race").
	Test, TestFlags []string
	// Log gets what the script says on its way; nil is nowhere.
	Log io.Writer
}

// Build makes the image's tar file at out, or links it there from the cache.
// Where the inputs are known it takes well under a second; tiny takes seconds,
// builder the time of compiling Tree where this machine has not done so yet.
func Build(ctx context.Context, o Options, out string) error {
	dir, err := os.MkdirTemp("", "image-")
	if err != nil {
		return fmt.Errorf("image: %w", err)
	}
	defer os.RemoveAll(dir)
	if err := os.CopyFS(dir, scripts); err != nil {
		return fmt.Errorf("image: %w", err)
	}
	command := exec.CommandContext(ctx, "bash", filepath.Join(dir, "build.sh"), o.Name, out)
	command.Env = append(os.Environ(), "TREE="+o.Tree, "BUILD="+strings.Join(o.Build, " "),
		"TEST="+strings.Join(o.Test, " "), "TESTFLAGS="+strings.Join(o.TestFlags, " "))
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGTERM) }
	command.WaitDelay = 10 * time.Second
	var said bytes.Buffer
	command.Stderr = &said
	if o.Log != nil {
		command.Stderr = io.MultiWriter(&said, o.Log)
	}
	if err := command.Run(); err != nil {
		return fmt.Errorf("image: build %s: %w: %s", o.Name, err, bytes.TrimSpace(said.Bytes()))
	}
	return nil
}
