package main

import (
	"errors"
	"fmt"
	"strings"

	"bogops/validator/load"
	"bogops/validator/rogue"
)

// selftestCmd judges the judge: the measure against known answers, the checks
// against platforms that are wrong in exactly one way.
type selftestCmd struct {
	JSON bool `help:"Print the results as JSON."`
}

// tested is one result of a self-test.
type tested struct {
	Name string `json:"name"`
	OK   bool   `json:"ok"`
	Got  string `json:"got"`
	Want string `json:"want"`
}

func (c selftestCmd) Run(env *environment) error {
	var results []tested
	add := func(r tested) {
		results = append(results, r)
		mark := "ok  "
		if !r.OK {
			mark = "FAIL"
		}
		fmt.Fprintf(env.stderr, "%s %s: got %s, want %s\n", mark, r.Name, r.Got, r.Want)
	}
	for _, r := range load.SelfTest(env.ctx) {
		add(tested{Name: "load: " + r.Name, OK: r.OK, Got: r.Got, Want: r.Want})
	}
	for _, r := range rogue.Gallery() {
		if env.ctx.Err() == nil {
			add(try(env, r))
		}
	}
	if env.ctx.Err() != nil {
		return exitError{exitInconclusive, errors.New("selftest: interrupted")}
	}
	return c.conclude(env, results)
}

// try lets the judge loose on one platform of the gallery.
func try(env *environment, r rogue.Rogue) tested {
	result := tested{Name: "rogue: " + r.Name, Want: "the verdicts it deserves"}
	verdicts, mistakes, err := rogue.Try(env.ctx, r)
	switch {
	case err != nil:
		result.Got = err.Error()
	case len(mistakes) > 0:
		result.Got = strings.Join(mistakes, "; ")
	default:
		result.OK, result.Got = true, fmt.Sprintf("%d verdicts as they should be", len(verdicts))
	}
	return result
}

func (c selftestCmd) conclude(env *environment, results []tested) error {
	if c.JSON {
		if err := writeJSON(env, results); err != nil {
			return err
		}
	}
	failed := 0
	for _, r := range results {
		if !r.OK {
			failed++
		}
	}
	fmt.Fprintf(env.stderr, "%d passed, %d failed\n", len(results)-failed, failed)
	if failed > 0 {
		return exitError{exitJudge, fmt.Errorf("selftest: %d answers are wrong: do not judge with this build", failed)}
	}
	return nil
}
