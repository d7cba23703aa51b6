package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"bogops/infra/concourse/types/resource"
)

// putParams: Repository is the directory to push. Rebase puts its commits on top
// of what others pushed in between; Force pushes over it.
type putParams struct {
	Repository string `json:"repository"`
	Branch     string `json:"branch"` // instead of the source's
	Rebase     bool   `json:"rebase"`
	Force      bool   `json:"force"`
}

// attempts bounds the race with others who push: each time one of them was
// quicker, so there was progress.
const attempts = 10

func out(ctx context.Context, log io.Writer, s source, params putParams, dir string) (resource.Result[version], error) {
	var result resource.Result[version]
	if params.Repository == "" {
		return result, errors.New("params.repository is missing, wanted the directory of a clone")
	}
	branch := params.Branch
	if branch == "" {
		branch = s.Branch
	}
	if branch == "" {
		return result, errors.New("source.branch is missing, wanted the branch to push to")
	}
	if params.Rebase && params.Force {
		return result, errors.New("params has rebase and force, wanted one of them")
	}
	// In a copy: an input may be mounted for others too, and a rebase moves HEAD.
	work, err := os.MkdirTemp("", "git-out-")
	if err != nil {
		return result, err
	}
	defer os.RemoveAll(work)
	git := newCommand("", s, log)
	if err := git.run(ctx, "clone", "--quiet", "--no-hardlinks", "--", filepath.Join(dir, params.Repository), work); err != nil {
		return result, fmt.Errorf("params.repository is %q: %w", params.Repository, err)
	}
	git = git.at(work)
	if err := push(ctx, git, s.URI, branch, params); err != nil {
		return result, fmt.Errorf("%s: %w", s.URI, err)
	}
	if result.Version.Ref, err = git.get(ctx, "rev-parse", "HEAD"); err != nil {
		return result, err
	}
	result.Metadata, err = describe(ctx, git, s, work)
	return result, err
}

func push(ctx context.Context, git command, uri, branch string, params putParams) error {
	args := []string{"push", "--quiet", "--", uri, "HEAD:refs/heads/" + branch}
	if params.Force {
		args[4] = "+" + args[4]
	}
	for turn := 1; ; turn++ {
		if params.Rebase {
			if err := rebase(ctx, git, uri, branch); err != nil {
				return err
			}
		}
		err := git.run(ctx, args...)
		if err == nil || !params.Rebase || turn == attempts || !moved(ctx, git, uri, branch) {
			return err
		}
		fmt.Fprintf(git.log, "git: somebody else pushed first, try %d of %d\n", turn+1, attempts)
	}
}

func rebase(ctx context.Context, git command, uri, branch string) error {
	if err := git.run(ctx, "fetch", "--quiet", "--no-tags", "--", uri, "+refs/heads/"+branch+":refs/remotes/theirs"); err != nil {
		return err
	}
	return git.run(ctx, "rebase", "--quiet", "refs/remotes/theirs")
}

// moved tells a push that came too late from one that is not wanted.
func moved(ctx context.Context, git command, uri, branch string) bool {
	listed, err := git.get(ctx, "ls-remote", "--", uri, "refs/heads/"+branch)
	if err != nil {
		return false
	}
	known, err := git.get(ctx, "rev-parse", "refs/remotes/theirs")
	return err == nil && len(listed) >= len(known) && listed[:len(known)] != known
}
