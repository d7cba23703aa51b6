// Command rollout deploys to a fleet, takes a deployment back, and shows and
// changes how many instances are wanted.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"bogops/infra/rollout"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// The exit codes.
const (
	exitDone    = 0
	exitFailed  = 1 // the fleet runs what it ran before
	exitNotBack = 2 // or that is not known
	exitUsage   = 64
)

// usageError is a mistake of whoever called.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// world is what the verbs share.
type world struct {
	ctx    context.Context
	getenv func(string) string
	stdout io.Writer // progress and results: the log of a build
}

// teller prints lines with the time since the beginning.
func (w *world) teller() func(string) {
	began := time.Now()
	return func(line string) { fmt.Fprintf(w.stdout, "%5.1fs  %s\n", time.Since(began).Seconds(), line) }
}

// commands is the command line.
type commands struct {
	Deploy   deployCmd   `cmd:"" help:"Roll a package out, one instance at a time; go back by itself when it does not get ready."`
	Rollback rollbackCmd `cmd:"" help:"Roll the release before out again."`
	Status   statusCmd   `cmd:"" help:"Show what is wanted and what runs."`
	Plan     planCmd     `cmd:"" help:"Show what apply would change."`
	Apply    applyCmd    `cmd:"" help:"Bring the fleet to what a group file asks for."`
}

// run parses args, runs one verb and returns the exit code.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	exited := -1
	parser, err := kong.New(&commands{},
		kong.Name("rollout"), kong.Description("Rolls releases out to a fleet without an interruption."),
		kong.Writers(stdout, stderr), kong.Exit(func(code int) { exited = code }),
		kong.Bind(&world{ctx: ctx, getenv: getenv, stdout: stdout}),
	)
	if err != nil {
		panic("the command line is described wrongly: " + err.Error())
	}
	parsed, err := parser.Parse(args)
	if exited >= 0 {
		return exited // help was asked for
	}
	if err != nil {
		fmt.Fprintf(stderr, "rollout: %v (see rollout --help)\n", err)
		return exitUsage
	}
	if err := parsed.Run(); err != nil {
		fmt.Fprintf(stderr, "rollout: %v\n", err)
		return exitCode(err)
	}
	return exitDone
}

func exitCode(err error) int {
	var usage usageError
	switch {
	case errors.As(err, &usage):
		return exitUsage
	case errors.Is(err, rollout.ErrNotBack):
		return exitNotBack
	}
	return exitFailed
}
