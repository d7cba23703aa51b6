package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"

	"bogops/validator/board"
	"bogops/validator/journal"
	"bogops/validator/score"
)

// replayCmd verifies a journal and computes its score.
type replayCmd struct {
	Journal string `arg:"" help:"The journal, a file of JSON lines."`
	Head    string `help:"The hash of the last line, as the wall and the report show it: finds a cut tail."`
	JSON    bool   `help:"Print the score as JSON."`
}

func (c replayCmd) Run(env *environment) error {
	entries, err := readJournal(c.Journal, c.Head)
	if err != nil {
		return err
	}
	result, err := score.Of(entries)
	if err != nil {
		return exitError{exitJudge, fmt.Errorf("%s: %w", c.Journal, err)}
	}
	if torn(c.Journal) {
		fmt.Fprintf(env.stderr, "%s: a last line without its end is left out: the judge was cut off there, or is writing it\n", c.Journal)
	}
	fmt.Fprintf(env.stderr, "%s: %d lines, unbroken, head %s\n", c.Journal, len(entries), entries[len(entries)-1].Hash)
	if c.JSON {
		return writeJSON(env, result)
	}
	return writeTotals(env, result)
}

// torn says whether a file ends in the middle of a line.
func torn(path string) bool {
	file, err := os.Open(path)
	if err != nil {
		return false
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil || info.Size() == 0 {
		return false
	}
	var last [1]byte
	_, err = file.ReadAt(last[:], info.Size()-1)
	return err == nil && last[0] != '\n'
}

// readJournal reads and verifies; a journal that was tampered with is located.
func readJournal(path, head string) ([]journal.Entry, error) {
	entries, err := journal.Read(path)
	if err != nil {
		return nil, err
	}
	err = journal.Verify(entries, head)
	var damage *journal.Damage
	switch {
	case errors.As(err, &damage):
		return nil, fmt.Errorf("%s: %w", path, err)
	case err != nil:
		return nil, usage(fmt.Errorf("--head: %w", err))
	}
	return entries, nil
}

// writeTotals prints a line per team, to the last digit.
func writeTotals(env *environment, result score.Result) error {
	if !result.Final {
		fmt.Fprintln(env.stderr, "the day is not over: these points are those so far")
	}
	for _, team := range result.Teams {
		note := ""
		if team.Witness {
			note = "  witness, unranked"
		}
		if team.Provisional {
			note += "  provisional"
		}
		if _, err := fmt.Fprintf(env.stdout, "%-12s %v of 1000  coverage %v%s\n", team.ID, team.Total, team.Coverage, note); err != nil {
			return err
		}
	}
	return nil
}

// scoreCmd shows a score and where each point of it comes from.
type scoreCmd struct {
	Journal string `arg:"" help:"The journal, a file of JSON lines."`
	Explain string `xor:"form" placeholder:"TEAM" help:"Print every point of this team down to its events."`
	Diff    string `xor:"form" placeholder:"JOURNAL" help:"Print what changed since the score of this journal: an earlier one, or one with other rules."`
	JSON    bool   `xor:"form" help:"Print the score as JSON."`
}

func (c scoreCmd) Run(env *environment) error {
	result, err := scoreOf(c.Journal)
	if err != nil {
		return err
	}
	switch {
	case c.JSON:
		return writeJSON(env, result)
	case c.Explain != "":
		if err := score.Explain(env.stdout, result, c.Explain); err != nil {
			return usage(err)
		}
		return nil
	case c.Diff != "":
		before, err := scoreOf(c.Diff)
		if err != nil {
			return err
		}
		_, err = fmt.Fprint(env.stdout, score.Diff(before, result))
		return err
	}
	return writeTotals(env, result)
}

// scoreOf is the score of a verified journal.
func scoreOf(path string) (score.Result, error) {
	entries, err := readJournal(path, "")
	if err != nil {
		return score.Result{}, err
	}
	result, err := score.Of(entries)
	if err != nil {
		return result, exitError{exitJudge, fmt.Errorf("%s: %w", path, err)}
	}
	return result, nil
}

// reportCmd writes the report of a journal.
type reportCmd struct {
	Journal string `arg:"" help:"The journal, a file of JSON lines."`
	Out     string `short:"o" default:"report.html" help:"Where to write the HTML file."`
	JSON    bool   `help:"Print the score as JSON instead."`
}

func (c reportCmd) Run(env *environment) error {
	if c.JSON {
		result, err := scoreOf(c.Journal)
		if err != nil {
			return err
		}
		return writeJSON(env, result)
	}
	entries, err := readJournal(c.Journal, "")
	if err != nil {
		return err
	}
	// Whole before it is written: a journal that cannot be drawn leaves no half
	// report, and an earlier one as it is.
	var page bytes.Buffer
	if err := board.WriteReport(&page, entries); err != nil {
		return exitError{exitJudge, fmt.Errorf("report of %s: %w", c.Journal, err)}
	}
	if err := os.WriteFile(c.Out, page.Bytes(), 0o644); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	fmt.Fprintf(env.stderr, "%s written\n", c.Out)
	return nil
}
