package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// revision is what is checked out.
type revision struct {
	hash    string // its first twelve hex digits: what the platform describes before the plus sign
	commits int    // how many it stands on, itself included
	at      time.Time
	dirty   bool
}

// described is what programs built from it say of themselves.
func (r revision) described() string {
	if r.dirty {
		return r.hash + "-dirty"
	}
	return r.hash
}

// version orders packages as the s3 resource does: number by number, a dash
// begins what counts only between equal numbers. The number of commits grows
// with every one of them, and unlike a time does not depend on whose clock it
// was. A dirty tree's version is not in the form that pipelines look for.
func (r revision) version() string {
	return fmt.Sprintf("0.0.%d-%s", r.commits, r.described())
}

// readRevision asks git. A shallow clone is refused: it cannot be counted.
func readRevision(ctx context.Context, repo string) (revision, error) {
	var r revision
	shallow, err := git(ctx, repo, "rev-parse", "--is-shallow-repository")
	if err != nil {
		return r, err
	}
	if shallow != "false" {
		return r, errors.New("the clone is shallow: want the whole history, whose commits are counted into the version")
	}
	if r.hash, err = git(ctx, repo, "rev-parse", "HEAD"); err != nil {
		return r, err
	}
	r.hash = r.hash[:12]
	count, err := git(ctx, repo, "rev-list", "--count", "HEAD")
	if err != nil {
		return r, err
	}
	if r.commits, err = strconv.Atoi(count); err != nil {
		return r, fmt.Errorf("count commits: %w", err)
	}
	seconds, err := git(ctx, repo, "log", "-1", "--format=%ct")
	if err != nil {
		return r, err
	}
	when, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return r, fmt.Errorf("read the time of %s: %w", r.hash, err)
	}
	r.at = time.Unix(when, 0).UTC()
	changed, err := git(ctx, repo, "status", "--porcelain", "--untracked-files=no")
	r.dirty = changed != ""
	return r, err
}

func git(ctx context.Context, repo string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = repo
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = fmt.Errorf("%w: %s", err, strings.TrimSpace(string(exit.Stderr)))
		}
		return "", fmt.Errorf("git %s: %w", args[0], err)
	}
	return strings.TrimSpace(string(out)), nil
}
