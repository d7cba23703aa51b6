package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"bogops/validator/ceph"
	"bogops/validator/contest"
	"bogops/validator/nonce"
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
	URLs bool   `name:"urls" help:"Print each team's address of its nonce repository: tell it to that team alone."`
}

func (c validateCmd) Run(env *environment) error {
	checked, err := contest.Load(c.File, env.getenv)
	if err != nil {
		return usage(err)
	}
	if c.JSON {
		return writeJSON(env, checked)
	}
	if c.URLs {
		return c.addresses(env, checked)
	}
	fmt.Fprintf(env.stdout, "%s: contest %s, %d teams, %d campaigns: valid\n", c.File, checked.ID, len(checked.Teams), len(checked.Campaigns))
	if without := unchecked(checked, inPlay(checked)); len(without) > 0 {
		fmt.Fprintf(env.stdout, "in play and not checked by this judge, so without points: %s\n", strings.Join(without, ", "))
	}
	for _, why := range []string{blind(checked, ceph.Built), undeployable(checked)} {
		if why != "" {
			fmt.Fprintln(env.stdout, why)
		}
	}
	return nil
}

// addresses prints where each team's Concourse finds what the judge commits. Who
// knows an address knows each nonce before it is live.
func (c validateCmd) addresses(env *environment, checked *contest.Contest) error {
	if checked.Judge.URL == "" {
		return usage(fmt.Errorf("%s has no judge.url: want where the teams' Concourse reaches this judge", c.File))
	}
	for _, team := range checked.Teams {
		fmt.Fprintf(env.stdout, "%s %s%s\n", team.ID, checked.Judge.URL, nonce.PathOf(string(checked.Seed), team.ID))
	}
	return nil
}

// writeJSON prints v, indented, on standard output.
func writeJSON(env *environment, v any) error {
	encoder := json.NewEncoder(env.stdout)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}
