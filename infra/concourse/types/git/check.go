package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// check lists the commits of the branch from the known one on, along the first
// parents: a merge counts once. Where the known one is not in the branch any
// more, only the newest is of interest.
func check(ctx context.Context, log io.Writer, s source, from *version) ([]version, error) {
	git, err := mirror(ctx, newCommand("", s, log), s)
	if err != nil {
		return nil, err
	}
	if from != nil {
		_, err := git.get(ctx, "merge-base", "--is-ancestor", from.Ref, tip)
		if err == nil {
			versions, err := commits(ctx, git, s, from.Ref+".."+tip)
			return append([]version{*from}, versions...), err
		}
	}
	return commits(ctx, git, s, "--max-count=1", tip)
}

// tip is where the mirror keeps the newest commit of the branch.
const tip = "refs/heads/tip"

// mirror is a bare clone of the branch, which stays for as long as Concourse
// keeps the container: each check fetches what is new.
func mirror(ctx context.Context, git command, s source) (command, error) {
	sum := sha256.Sum256([]byte(s.URI + "\n" + s.Branch))
	dir := filepath.Join(os.TempDir(), "git-mirror-"+hex.EncodeToString(sum[:8]))
	if _, err := os.Stat(filepath.Join(dir, "HEAD")); errors.Is(err, fs.ErrNotExist) {
		if err := git.run(ctx, "init", "--quiet", "--bare", dir); err != nil {
			return git, err
		}
	}
	git = git.at(dir)
	wanted := "HEAD"
	if s.Branch != "" {
		wanted = "refs/heads/" + s.Branch
	}
	// Forced: a branch may have been written anew.
	err := git.run(ctx, "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--", s.URI, "+"+wanted+":"+tip)
	if err != nil {
		return git, fmt.Errorf("%s: %w", s.URI, err)
	}
	return git, nil
}

// commits are those that the source wants, oldest first.
func commits(ctx context.Context, git command, s source, which ...string) ([]version, error) {
	args := append([]string{"rev-list", "--first-parent"}, which...)
	if !s.DisableCISkip {
		args = append(args, "--invert-grep", "--fixed-strings", "--regexp-ignore-case", "--grep=[ci skip]", "--grep=[skip ci]")
	}
	args = append(args, "--")
	args = append(args, s.Paths...)
	if len(s.Paths) == 0 && len(s.IgnorePaths) > 0 {
		args = append(args, ".")
	}
	for _, path := range s.IgnorePaths {
		args = append(args, ":!"+path)
	}
	listed, err := git.get(ctx, args...)
	if err != nil {
		return nil, err
	}
	var versions []version
	for _, ref := range strings.Fields(listed) {
		versions = append(versions, version{Ref: ref})
	}
	slices.Reverse(versions)
	return versions, nil
}
