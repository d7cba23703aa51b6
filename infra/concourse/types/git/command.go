package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// command is the git program for one resource: where it works, and what it
// needs to log in.
type command struct {
	dir string
	env []string
	log io.Writer
}

// answer is a credential helper (gitcredentials(7)): git asks it on standard
// input, and the two variables are in the environment of git alone. So neither
// is ever in an argument, a URL, a remote's configuration or a file.
const answer = `!f() { [ "$1" != get ] || printf 'username=%s\npassword=%s\n' "$BOGOPS_GIT_USERNAME" "$BOGOPS_GIT_PASSWORD"; }; f`

func newCommand(dir string, s source, log io.Writer) command {
	settings := [][2]string{
		{"safe.directory", "*"}, // volumes may belong to another user
		{"advice.detachedHead", "false"},
		{"credential.helper", ""}, // none but ours
		{"user.name", "concourse"},
		{"user.email", "concourse@localhost"},
	}
	env := append(os.Environ(), "GIT_TERMINAL_PROMPT=0", "GIT_ASKPASS=true", "GIT_CONFIG_NOSYSTEM=1", "LC_ALL=C")
	if at, err := url.Parse(s.URI); err == nil && s.Password != "" {
		// For this host only: where it sends us elsewhere, the password stays.
		settings = append(settings, [2]string{"credential." + at.Scheme + "://" + at.Host + ".helper", answer})
		env = append(env, "BOGOPS_GIT_USERNAME="+s.Username, "BOGOPS_GIT_PASSWORD="+s.Password)
	}
	env = append(env, "GIT_CONFIG_COUNT="+strconv.Itoa(len(settings)))
	for i, pair := range settings {
		env = append(env, fmt.Sprintf("GIT_CONFIG_KEY_%d=%s", i, pair[0]), fmt.Sprintf("GIT_CONFIG_VALUE_%d=%s", i, pair[1]))
	}
	return command{dir, env, log}
}

// at is the same command in another directory.
func (c command) at(dir string) command {
	c.dir = dir
	return c
}

// run lets git say what it does in the build's log.
func (c command) run(ctx context.Context, args ...string) error {
	_, err := c.ask(ctx, c.log, args...)
	return err
}

// get returns what git prints, without the space around it. What it complains
// about is in the error alone.
func (c command) get(ctx context.Context, args ...string) (string, error) {
	return c.ask(ctx, io.Discard, args...)
}

func (c command) ask(ctx context.Context, log io.Writer, args ...string) (string, error) {
	git := exec.CommandContext(ctx, "git", args...)
	git.Dir, git.Env = c.dir, c.env
	var printed, said bytes.Buffer
	git.Stdout, git.Stderr = &printed, io.MultiWriter(&said, log)
	git.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // it has children of its own
	git.Cancel = func() error { return syscall.Kill(-git.Process.Pid, syscall.SIGTERM) }
	git.WaitDelay = 5 * time.Second
	if err := git.Run(); err != nil {
		return "", fmt.Errorf("git %s: %w: %s", args[0], err, lastLine(said.String()))
	}
	return strings.TrimSpace(printed.String()), nil
}

func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return strings.TrimSpace(text[strings.LastIndexAny(text, "\r\n")+1:])
}
