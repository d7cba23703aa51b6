package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"

	"bogops/infra/concourse/types/resource"
)

// getParams: Depth is how many commits a shallow clone has, 0 is all of them.
// It needs smart HTTP. Submodules are not fetched: "none" says that this is known.
type getParams struct {
	Depth      int    `json:"depth"`
	Submodules string `json:"submodules"`
}

// hash is a commit's name, which alone is safe as an argument of git.
var hash = regexp.MustCompile(`^[0-9a-f]{40,64}$`)

func in(ctx context.Context, log io.Writer, s source, v version, params getParams, dir string) (resource.Result[version], error) {
	result := resource.Result[version]{Version: v}
	if !hash.MatchString(v.Ref) {
		return result, fmt.Errorf("version.ref is %q, wanted a whole commit hash", v.Ref)
	}
	if params.Depth < 0 {
		return result, fmt.Errorf("params.depth is %d, wanted 0 for everything, or how many commits", params.Depth)
	}
	if params.Submodules != "" && params.Submodules != "none" {
		return result, fmt.Errorf("params.submodules is %q, wanted none: this type fetches no submodules", params.Submodules)
	}
	git := newCommand("", s, log)
	if err := clone(ctx, git, s, params.Depth, dir); err != nil {
		return result, fmt.Errorf("%s: %w", s.URI, err)
	}
	git = git.at(dir)
	if err := reach(ctx, git, v.Ref); err != nil {
		return result, fmt.Errorf("%s: %w", s.URI, err)
	}
	if err := git.run(ctx, "checkout", "--quiet", v.Ref); err != nil {
		return result, err
	}
	_, err := os.Stat(filepath.Join(dir, ".gitmodules"))
	if err == nil && params.Submodules != "none" {
		return result, fmt.Errorf("%s has submodules, which this type does not fetch: say params.submodules: none", s.URI)
	}
	result.Metadata, err = describe(ctx, git, s, dir)
	return result, err
}

func clone(ctx context.Context, git command, s source, depth int, dir string) error {
	args := []string{"clone", "--quiet", "--single-branch", "--no-tags"}
	if s.Branch != "" {
		args = append(args, "--branch", s.Branch)
	}
	if depth > 0 {
		args = append(args, fmt.Sprintf("--depth=%d", depth))
	}
	return git.run(ctx, append(args, "--", s.URI, dir)...)
}

// reach fetches deeper until the commit is there: a branch that went on since
// the check leaves it below a shallow clone.
func reach(ctx context.Context, git command, ref string) error {
	for deeper := 16; ; deeper *= 4 {
		_, missing := git.get(ctx, "cat-file", "-e", ref+"^{commit}")
		if missing == nil {
			return nil
		}
		shallow, err := git.get(ctx, "rev-parse", "--is-shallow-repository")
		if err != nil {
			return err
		}
		if shallow != "true" {
			return fmt.Errorf("commit %s is not in the branch (any more)", ref)
		}
		if err := git.run(ctx, "fetch", "--quiet", "--no-tags", fmt.Sprintf("--deepen=%d", deeper)); err != nil {
			return err
		}
	}
}

// describe writes the files into .git that tasks read, and returns what a build
// shows.
func describe(ctx context.Context, git command, s source, dir string) ([]resource.Metadata, error) {
	facts := []struct{ name, format, file string }{
		{"commit", "%H", "ref"},
		{"", "%h", "short_ref"},
		{"author", "%an", ""},
		{"author_date", "%ai", ""},
		{"committer", "%cn", ""},
		{"", "%ce", "committer"},
		{"", "%ct", "commit_timestamp"},
		{"message", "%B", "commit_message"},
	}
	var shown []resource.Metadata
	for _, f := range facts {
		value, err := git.get(ctx, "log", "-1", "--format="+f.format)
		if err != nil {
			return nil, err
		}
		if f.file != "" {
			if err := os.WriteFile(filepath.Join(dir, ".git", f.file), []byte(value+"\n"), 0o644); err != nil {
				return nil, err
			}
		}
		if f.name != "" {
			shown = append(shown, resource.Metadata{Name: f.name, Value: value})
		}
	}
	if s.Branch == "" {
		return shown, nil
	}
	shown = append(shown, resource.Metadata{Name: "branch", Value: s.Branch})
	return shown, os.WriteFile(filepath.Join(dir, ".git", "branch"), []byte(s.Branch+"\n"), 0o644)
}
