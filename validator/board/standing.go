package board

import (
	"math"
	"time"

	"bogops/validator/journal"
)

// Scorer turns entries into standings; the board computes no point itself.
type Scorer interface {
	Add(journal.Entry) error
	Standings() []Standing
}

// Standing is one team's score.
type Standing struct {
	Team        string  `json:"team"`
	Rank        int     `json:"rank"`     // from 1, equal on a tie
	Total       float64 `json:"total"`    // 0 to 1000
	Points      float64 `json:"points"`   // earned in the parts in play
	InPlay      float64 `json:"in_play"`  // what those are worth
	Coverage    float64 `json:"coverage"` // share of the samples that count
	Provisional bool    `json:"provisional"`
	LostSeconds float64 `json:"lost_seconds"` // good-seconds lost under load
	Parts       []Part  `json:"parts"`
}

// Part is one part of a score.
type Part struct {
	ID     string  `json:"id"`
	Title  string  `json:"title"`
	Earned float64 `json:"earned"`
	Points float64 `json:"points"`
	InPlay bool    `json:"in_play"`
	Parts  []Part  `json:"parts,omitempty"` // what it consists of
}

// change is the last thing that moved a team's score on the wall.
type change struct {
	delta int    // whole points, as the wall shows them
	part  string // title of the part that moved most
	at    time.Time
}

// ledger of changes: sampled in the journal's own time, so that a replay finds
// the same changes as the day did.
type history struct {
	every   time.Duration // between two samples
	sampled time.Time
	last    map[string]Standing
	changes map[string]change
}

// newHistory samples four times a tick, at most once a second: a part that
// creeps is then one change and not a hundred.
func newHistory(tick time.Duration) history {
	return history{every: max(time.Second, tick/4), last: map[string]Standing{}, changes: map[string]change{}}
}

func (h *history) due(at time.Time) bool { return at.Sub(h.sampled) >= h.every }

func (h *history) sample(standings []Standing, at time.Time) {
	h.sampled = at
	for _, s := range standings {
		before, known := h.last[s.Team]
		h.last[s.Team] = s
		if !known {
			continue
		}
		delta := whole(s.Total) - whole(before.Total)
		if delta == 0 {
			continue
		}
		c := change{delta: delta, part: mover(before, s), at: at}
		if last := h.changes[s.Team]; last.part == c.part && (last.delta > 0) == (delta > 0) && at.Sub(last.at) <= 4*h.every {
			c.delta += last.delta
		}
		h.changes[s.Team] = c
	}
}

// whole is a score as the wall shows it.
func whole(points float64) int { return int(math.Round(points)) }

// mover is the title of the part whose points moved most in the direction of
// the total.
func mover(before, after Standing) string {
	earned := map[string]float64{}
	for _, p := range leaves(before.Parts) {
		earned[p.ID] = p.Earned
	}
	sign := math.Copysign(1, after.Total-before.Total)
	most, title := 0.0, ""
	for _, p := range leaves(after.Parts) {
		if moved := sign * (p.Earned - earned[p.ID]); moved > most {
			most, title = moved, p.Title
		}
	}
	return title
}

// leaves are the parts that consist of no others.
func leaves(parts []Part) []Part {
	var all []Part
	for _, p := range parts {
		if len(p.Parts) == 0 {
			all = append(all, p)
		}
		all = append(all, leaves(p.Parts)...)
	}
	return all
}
