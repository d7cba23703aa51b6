// Package probe checks each promise of the contract once, and says what it got
// and what it wanted.
package probe

import (
	"context"
	"slices"
	"time"

	"bogops/validator/journal"
)

// The levels of the contract.
const (
	Bronze = "bronze"
	Silver = "silver"
	Gold   = "gold"
)

// Probe is one check. Run returns a sentence for when the promise holds, or an
// error: a *verdict.Error where the platform is wrong, what Session returned
// where a request failed, and anything else where the judge is.
type Probe struct {
	Check   journal.Check
	Timeout time.Duration // of the whole check, its one retry included
	Run     func(ctx context.Context, s *Session) (note string, err error)
}

// Levels are those that have checks of their own so far.
func Levels() []string { return []string{Bronze, Silver} }

// All returns the checks up to level, in the order of the wall: those of
// Ceph, of the API, of TLS and of Concourse. A level without checks of its own (see Levels) adds
// nothing to the ones below it; an unknown level has none at all.
func All(level string) []Probe {
	switch level {
	case Bronze:
		return slices.Concat(cephProbes(), apiProbes(), tlsProbes(), concourseProbes())
	case Silver, Gold:
		return slices.Concat(cephProbes(), apiProbes(), silverProbes(), tlsProbes(), concourseProbes())
	}
	return nil
}

// Select keeps the checks of these bricks; without bricks, all of them.
func Select(all []Probe, bricks ...string) []Probe {
	if len(bricks) == 0 {
		return all
	}
	var chosen []Probe
	for _, p := range all {
		if slices.Contains(bricks, p.Check.Brick) {
			chosen = append(chosen, p)
		}
	}
	return chosen
}

// api is a required bronze check of the API brick.
func api(id, promise string, run func(context.Context, *Session) (string, error)) Probe {
	return Probe{
		Check:   journal.Check{ID: "api/" + id, Brick: "api", Level: Bronze, Promise: promise, Required: true, Weight: 1},
		Timeout: 15 * time.Second,
		Run:     run,
	}
}

// silver is a check of the API brick that silver requires.
func silver(id, promise string, run func(context.Context, *Session) (string, error)) Probe {
	p := api(id, promise, run)
	p.Check.Level = Silver
	return p
}

func (p Probe) weighing(weight float64) Probe {
	p.Check.Weight = weight
	return p
}

func (p Probe) within(timeout time.Duration) Probe {
	p.Timeout = timeout
	return p
}
