// Package score turns a journal into points. It is a pure function of the
// journal's lines: no clock, no network, no randomness, and every sum is taken
// in a fixed order, so that replaying a journal gives the same last digit on
// every machine. The formulas are those of CHALLENGE.md; the comment at each
// says which.
//
// A sample that is the judge's own fault leaves numerator and denominator
// alike; how much was left is the coverage. Where all samples of a part are
// gone for every team, the part leaves the sum; where they are gone for some
// teams only, it leaves the sum of those.
package score

import (
	"errors"
	"time"

	"bogops/validator/journal"
)

// Result is the score of all teams at one moment of the journal.
type Result struct {
	Contest   string    `json:"contest"`
	Title     string    `json:"title"`
	Rehearsal bool      `json:"rehearsal"`
	RulesHash string    `json:"rules_hash"`
	Head      string    `json:"head"`  // hash of the last line that was added
	Lines     uint64    `json:"lines"` // its number
	At        time.Time `json:"at"`    // its time
	Final     bool      `json:"final"` // the journal was closed
	Teams     []Team    `json:"teams"` // in the order of the contest, the witness among them
}

// Team is the score of one team.
type Team struct {
	ID          string    `json:"id"`
	Name        string    `json:"name"`
	Witness     bool      `json:"witness"`      // unranked
	Rank        int       `json:"rank"`         // from 1, equal on a tie; 0 for the witness
	Total       float64   `json:"total"`        // of 1,000
	Points      float64   `json:"points"`       // earned in the parts in play
	InPlay      float64   `json:"in_play"`      // what those parts are worth
	Coverage    float64   `json:"coverage"`     // share of the samples that count, 0 to 1
	Provisional bool      `json:"provisional"`  // coverage below 0.9, or the store's share not known yet
	LostSeconds float64   `json:"lost_seconds"` // good-seconds lost under load: the first tie-break
	LastGreen   time.Time `json:"last_green"`   // when the last brick turned green; zero: not all did
	Parts       []Node    `json:"parts"`
}

// Node is a number of points and what it consists of.
type Node struct {
	Label    string   `json:"label"`
	Earned   float64  `json:"earned"`
	Possible float64  `json:"possible"`
	InPlay   bool     `json:"in_play"`
	Detail   string   `json:"detail,omitempty"` // the formula with its numbers, in words
	Events   []uint64 `json:"events,omitempty"` // lines of the journal, ascending
	Children []Node   `json:"children,omitempty"`
}

// Of scores a whole journal. Where lines of it say what cannot be, the error
// names them all, and the result is that of the other lines.
func Of(entries []journal.Entry) (Result, error) {
	f := NewFold()
	var wrong []error
	for _, e := range entries {
		if err := f.Add(e); err != nil {
			wrong = append(wrong, err)
		}
	}
	return f.Result(), errors.Join(wrong...)
}

// enough is the coverage below which a score is provisional.
const enough = 0.9

// Result is the score of what was added so far. Its cost grows with the ticks
// and seconds judged, not with lines; it shares nothing with the fold.
func (f *Fold) Result() Result {
	r := Result{
		Contest: f.opened.Contest, Title: f.opened.Title, Rehearsal: f.opened.Rehearsal, RulesHash: f.opened.RulesHash,
		Head: f.head, Lines: f.lines, At: f.at, Final: f.closed,
	}
	parts := f.parts()
	tallies := make([][]tally, len(f.opened.Teams)) // by team, by part
	for team := range f.opened.Teams {
		for _, p := range parts {
			tallies[team] = append(tallies[team], p.of(team))
		}
	}
	f.leave(parts, tallies)
	for team := range f.opened.Teams {
		r.Teams = append(r.Teams, f.sum(team, parts, tallies[team]))
	}
	rank(r.Teams)
	return r
}

// leave takes a part out of play for everybody where nobody has a sample of it
// left, and else for those teams alone that have none.
func (f *Fold) leave(parts []part, tallies [][]tally) {
	for p := range parts {
		void := true
		for team, t := range f.opened.Teams {
			if !t.Witness && tallies[team][p].state != gone {
				void = false
			}
		}
		for team := range tallies {
			t := &tallies[team][p]
			if void || t.state == gone {
				t.node.InPlay, t.node.Earned = false, 0
			}
		}
	}
}

// sum adds up one team: 1,000 · Σ earned / Σ points of the parts in play.
func (f *Fold) sum(team int, parts []part, tallies []tally) Team {
	who := f.opened.Teams[team]
	t := Team{ID: who.ID, Name: who.Name, Witness: who.Witness}
	known, all := 0.0, 0.0
	groups := map[string]int{}
	for i, p := range parts {
		tally := tallies[i]
		if tally.node.InPlay {
			t.Points += tally.node.Earned
			t.InPlay += tally.node.Possible
		}
		if tally.all > 0 {
			known += p.points * tally.counted / tally.all
			all += p.points
		}
		t.Provisional = t.Provisional || tally.provisional
		if p.group == "" {
			t.Parts = append(t.Parts, tally.node)
			continue
		}
		at, ok := groups[p.group]
		if !ok {
			at, groups[p.group] = len(t.Parts), len(t.Parts)
			t.Parts = append(t.Parts, Node{Label: p.group})
		}
		t.Parts[at].take(tally.node)
	}
	t.Coverage = 1
	if all > 0 {
		t.Coverage = known / all
	}
	t.Provisional = t.Provisional || t.Coverage < enough
	if t.InPlay > 0 {
		t.Total = 1000 * t.Points / t.InPlay
	}
	t.LostSeconds, t.LastGreen = f.lostSeconds(team), lastGreen(tallies)
	return t
}

// take adds child below n and to n's sums.
func (n *Node) take(child Node) {
	n.Children = append(n.Children, child)
	if child.InPlay {
		n.InPlay = true
		n.Earned += child.Earned
		n.Possible += child.Possible
	}
}
