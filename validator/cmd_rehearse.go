package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"bogops/validator/day"
	"bogops/validator/rehearse"
)

// rehearseCmd plays a day on this machine.
type rehearseCmd struct {
	Demo   bool   `help:"End by itself after the podium; exit 0 when the day went as it must."`
	Ceph   bool   `name:"with-ceph" help:"Put Ceph in play: a real cluster for each platform, on this machine."`
	Forge  bool   `name:"with-concourse" help:"Put Concourse in play too: a real one, whose pipelines test, package and deploy what the teams push. Wants --with-ceph and root."`
	Source string `default:"." help:"Git checkout of the kit that the teams push, with --with-concourse."`
	Listen string `default:"127.0.0.1:0" help:"Address of the wall; port 0 takes a free one, which is printed."`
	Out    string `default:"rehearsal" help:"Directory that keeps the record: journal, report, evidence, logs."`
	App    string `help:"The reference server's binary; by default app beside the validator."`
	Locale string `default:"en" enum:"en,fr" help:"Language of the wall."`
}

func (c rehearseCmd) Run(env *environment) error {
	if c.App == "" {
		self, err := os.Executable()
		if err != nil {
			return fmt.Errorf("rehearse: %w", err)
		}
		c.App = filepath.Join(filepath.Dir(self), "app")
	}
	err := rehearse.Run(env.ctx, rehearse.Options{
		App: c.App, Out: c.Out, Listen: c.Listen, Locale: c.Locale, Demo: c.Demo, Ceph: c.Ceph, Forge: c.Forge, Source: c.Source, Version: version, Self: os.Args[0],
		Stderr: env.stderr,
	})
	switch {
	case err == nil:
		return nil
	case errors.Is(err, rehearse.ErrUsage):
		return usage(err)
	case errors.Is(err, rehearse.ErrInterrupted):
		return exitError{exitInconclusive, fmt.Errorf("rehearse: %w", err)}
	case errors.Is(err, day.ErrMeasure):
		return exitError{exitJudge, fmt.Errorf("rehearse: %w", err)}
	}
	return fmt.Errorf("rehearse: %w", err)
}
