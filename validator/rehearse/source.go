package rehearse

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// A team's repository is the kit as it is committed, in a history of its own:
// one that was cloned without its past, or holds more than teams need, does too.

// copyTree writes the committed files of the git checkout at source to dir, and
// makes dir a repository with one commit.
func copyTree(ctx context.Context, source, dir string, log io.Writer) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	archive := dir + ".tar"
	defer os.Remove(archive)
	for _, step := range [][]string{
		{"git", "-c", "safe.directory=*", "-C", source, "archive", "--format=tar", "--output", archive, "HEAD"},
		{"tar", "-x", "-f", archive, "-C", dir},
		{"git", "-C", dir, "init", "-q", "-b", "main"},
		{"git", "-C", dir, "add", "-A", "-f"},
		{"git", "-C", dir, "commit", "-q", "-m", "Bog'Ops, as it was forked"},
	} {
		if err := run(ctx, log, nil, step...); err != nil {
			return fmt.Errorf("a repository of %s: %w", source, err)
		}
	}
	return nil
}

// push sends what is committed in dir to a repository's branch main. The
// password goes by the environment: what is on the command line everybody sees.
func push(ctx context.Context, dir, url, authorization string, log io.Writer) error {
	return run(ctx, log, []string{
		"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=http.extraHeader", "GIT_CONFIG_VALUE_0=Authorization: " + authorization,
	}, "git", "-C", dir, "push", "-q", url, "HEAD:refs/heads/main")
}

// run runs a program that is told nothing of the user's own configuration.
func run(ctx context.Context, log io.Writer, env []string, words ...string) error {
	command := exec.CommandContext(ctx, words[0], words[1:]...)
	command.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null", "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=team", "GIT_AUTHOR_EMAIL=team@example.net", "GIT_COMMITTER_NAME=team", "GIT_COMMITTER_EMAIL=team@example.net")
	command.Env = append(command.Env, env...)
	out, err := command.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(words[:2], " "), err, lastLine(out))
	}
	_, err = log.Write(out)
	return err
}

// lastLine is what a program said last: why it failed.
func lastLine(out []byte) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return lines[len(lines)-1]
}
