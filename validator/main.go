// The validator is the judge of a challenge day: it probes, loads, breaks,
// audits and scores the teams' platforms, and shows it all on a wall.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// version is set when the binary is linked.
var version = "dev"

func main() {
	// net/http tells the standard logger what a platform sends out of turn: no
	// business of ours, and no text for a terminal.
	log.SetOutput(io.Discard)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// The exit codes of every verb.
const (
	exitPass         = 0
	exitTeamFails    = 1 // also: something of this machine was in the way
	exitInconclusive = 2 // never green
	exitJudge        = 3 // the judge's own fault
	exitUsage        = 64
)

// exitError carries an exit code up to run. A nil error has been told already.
type exitError struct {
	code int
	err  error
}

func (e exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e exitError) Unwrap() error { return e.err }

// usage marks err as a mistake in what was asked for.
func usage(err error) error { return exitError{exitUsage, err} }

// environment is what verbs share: the world outside.
type environment struct {
	ctx    context.Context
	getenv func(string) string
	stdout io.Writer // results
	stderr io.Writer // progress and errors, for people
}

// commands is the command line. Every flag can also be set by the environment.
type commands struct {
	Init     initCmd     `cmd:"" help:"Write an example contest file."`
	Validate validateCmd `cmd:"" help:"Check a contest file."`
	Probe    probeCmd    `cmd:"" help:"Check a platform once, unscored."`
	Serve    serveCmd    `cmd:"" help:"Judge a contest and show the wall."`
	Redeploy redeployCmd `cmd:"" help:"Redeploy one team once through its pipeline, unscored."`
	Rehearse rehearseCmd `cmd:"" help:"Play a whole day on this machine."`
	Replay   replayCmd   `cmd:"" help:"Check a journal and compute its score again."`
	Score    scoreCmd    `cmd:"" help:"Show and explain the score of a journal."`
	Report   reportCmd   `cmd:"" help:"Write a journal's report as one HTML file."`
	Selftest selftestCmd `cmd:"" help:"Judge the judge: known answers and rogue platforms."`

	Version kong.VersionFlag `help:"Print the version."`
}

// run parses args, runs one verb and returns the exit code.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	exited := -1
	parser, err := kong.New(&commands{},
		kong.Name("validator"), kong.Description("The judge of a one-day infrastructure challenge."),
		kong.Vars{"version": version}, kong.DefaultEnvars("BOGOPS"), kong.UsageOnError(),
		kong.Writers(stdout, stderr), kong.Exit(func(code int) { exited = code }),
		kong.Bind(&environment{ctx: ctx, getenv: getenv, stdout: stdout, stderr: stderr}),
	)
	if err != nil {
		panic("the command line is described wrongly: " + err.Error())
	}
	parsed, err := parser.Parse(args)
	if exited >= 0 {
		return exited // help or version was asked for
	}
	if err != nil {
		fmt.Fprintf(stderr, "validator: %v (see validator --help)\n", err)
		return exitUsage
	}
	return exitCode(parsed.Run(), stderr)
}

// exitCode tells err, unless it has been told, and returns what it exits with.
func exitCode(err error, stderr io.Writer) int {
	if err == nil {
		return exitPass
	}
	code := exitTeamFails
	var with exitError
	if errors.As(err, &with) {
		code = with.code
		if with.err == nil {
			return code
		}
	}
	fmt.Fprintf(stderr, "validator: %v\n", err)
	return code
}
