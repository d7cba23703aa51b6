package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// build compiles one command of the repository, without a trace of where, and
// returns it. With the tag ceph it is linked with librados, and else with
// nothing.
func build(ctx context.Context, repo, pkg, tags string, at revision) ([]byte, error) {
	dir, err := os.MkdirTemp("", "bogops-package-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	cgo := "0"
	if strings.Contains(tags, "ceph") {
		cgo = "1"
	}
	program := filepath.Join(dir, "program")
	// The revision is told by -X. What Go would stamp itself depends on whether
	// git lets it look.
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-tags", tags,
		"-ldflags", "-s -w -X main.version="+at.described(), "-o", program, pkg)
	cmd.Dir, cmd.Env = repo, append(os.Environ(), "CGO_ENABLED="+cgo)
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build %s: %w\n%s", pkg, err, strings.TrimSpace(string(out)))
	}
	return os.ReadFile(program)
}
