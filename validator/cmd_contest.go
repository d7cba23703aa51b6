package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"bogops/validator/ceph"
	"bogops/validator/contest"
)

// initCmd writes the example contest file.
type initCmd struct {
	File   string `arg:"" optional:"" default:"contest.yml" help:"Where to write it."`
	Schema bool   `help:"Print the JSON Schema for editors instead."`
}

func (c initCmd) Run(env *environment) error {
	if c.Schema {
		_, err := env.stdout.Write(contest.Schema())
		return err
	}
	file, err := os.OpenFile(c.File, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, os.ErrExist) {
		return usage(fmt.Errorf("init %s: the file is there already; name another one", c.File))
	}
	if err != nil {
		return fmt.Errorf("init: %w", err)
	}
	_, err = file.Write(contest.Example())
	if err := errors.Join(err, file.Close()); err != nil {
		_ = os.Remove(c.File) // half an example would be in the way of the next one
		return fmt.Errorf("init: %w", err)
	}
	fmt.Fprintf(env.stderr, "%s written. Fill it in, then: validator validate %s\n", c.File, c.File)
	return nil
}

// validateCmd checks a contest file and says what it found.
type validateCmd struct {
	File string `arg:"" help:"The contest file."`
	JSON bool   `help:"Print the checked contest as JSON, secrets hidden."`
}

func (c validateCmd) Run(env *environment) error {
	checked, err := contest.Load(c.File, env.getenv)
	if err != nil {
		return usage(err)
	}
	if c.JSON {
		return writeJSON(env, checked)
	}
	fmt.Fprintf(env.stdout, "%s: contest %s, %d teams, %d campaigns: valid\n", c.File, checked.ID, len(checked.Teams), len(checked.Campaigns))
	if without := unchecked(checked, inPlay(checked)); len(without) > 0 {
		fmt.Fprintf(env.stdout, "in play and not checked by this judge, so without points: %s\n", strings.Join(without, ", "))
	}
	if why := blind(checked, ceph.Built); why != "" {
		fmt.Fprintln(env.stdout, why)
	}
	return nil
}

// writeJSON prints v, indented, on standard output.
func writeJSON(env *environment, v any) error {
	encoder := json.NewEncoder(env.stdout)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}
