package concourse

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// parts are the directories of the programs and of the base resource types,
// built where they are not given, types into a new directory. The scripts that
// build keep what they made in a cache, so this is slow once.
func (o Options) parts(ctx context.Context, fresh string) (bin, types string, err error) {
	bin, types = o.Bin, o.Types
	if bin != "" && types != "" {
		return bin, types, nil
	}
	tree, err := sourceTree()
	if err != nil {
		return "", "", fmt.Errorf("concourse: Options.Bin is %q and Options.Types %q, wanted both: %w", o.Bin, o.Types, err)
	}
	if bin == "" {
		if bin, err = build(ctx, o.Log, filepath.Join(tree, "infra/concourse/build/build.sh")); err != nil {
			return "", "", err
		}
	}
	if types == "" {
		types = fresh
		_, err = build(ctx, o.Log, filepath.Join(tree, "infra/concourse/types/build.sh"), types)
	}
	return bin, types, err
}

// build runs a script in a group of its own, compilers and all, and returns the
// last line that it prints.
func build(ctx context.Context, log io.Writer, script string, args ...string) (string, error) {
	var out, said bytes.Buffer
	command := exec.CommandContext(ctx, script, args...)
	inGroup(command)
	command.Stdout, command.Stderr = &out, &said
	if log != nil {
		command.Stderr = io.MultiWriter(&said, log)
	}
	if err := command.Run(); err != nil {
		return "", fmt.Errorf("concourse: %s: %w: %s", script, err, lastLine(said.String()))
	}
	return lastLine(out.String()), nil
}

// sourceTree is the directory of this module's go.mod, looked for from the
// working directory upwards. What is built needs modules of its own, which a
// program cannot carry along.
func sourceTree() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.HasPrefix(string(text), "module bogops\n") {
			return dir, nil
		}
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return "", err
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("%s does not lie in the source tree of bogops", start)
		}
	}
}
