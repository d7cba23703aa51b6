package score

import (
	"math"
	"time"

	"bogops/validator/journal"
)

// part is one term of the sum: a brick, a level of a brick, or a part of the
// afternoon.
type part struct {
	group  string // the node that it is shown under; empty: at the top
	points float64
	of     func(team int) tally
}

// tally is what one team has of one part.
type tally struct {
	node        Node
	state       state
	counted     float64 // samples that count
	all         float64 // samples taken; 0: nothing to cover yet
	provisional bool
	green       time.Time // bricks: when it turned green
	brick       bool
}

// state says whether there is anything to judge by.
type state int

const (
	pending state = iota // nothing yet
	known                // at least one sample counts
	gone                 // its time is over, and the judge has no sample that counts
)

// parts lists the terms in the order of the wall.
func (f *Fold) parts() []part {
	rules := f.opened.Rules
	var list []part
	for _, b := range rules.Bricks {
		for _, level := range levels(b) {
			list = append(list, part{bricksLabel, level.points, func(team int) tally { return f.brick(team, b, level) }})
		}
	}
	afternoon := []struct {
		label  string
		points float64
		of     func(team int, points float64) tally
	}{
		{"Campaign", rules.Campaign, f.campaignPart},
		{"Integrity", rules.Integrity, f.integrityPart},
		{"Chaos", rules.Chaos, f.chaosPart},
		{"Redeploy", rules.Redeploy, f.redeployPart},
		{"Incidents", rules.Incidents, f.incidentsPart},
	}
	for _, a := range afternoon {
		list = append(list, part{"", a.points, func(team int) tally {
			if a.points <= 0 {
				return tally{state: gone, node: Node{Label: a.label, Detail: "not in play in this contest"}}
			}
			t := a.of(team, a.points)
			t.node.Label, t.node.Possible, t.node.InPlay = a.label, a.points, true
			return t
		}})
	}
	return list
}

// incidentsPart is out of play: no experiment takes place in this contest.
func (f *Fold) incidentsPart(int, float64) tally {
	return tally{state: gone, node: Node{Detail: "not in play: no experiment took place"}}
}

const bricksLabel = "Bricks"

// scaled is a duration of the real day in this contest's time, in seconds.
func (f *Fold) scaled(real float64) float64 {
	if f.opened.Rules.TimeScale > 0 {
		return real * f.opened.Rules.TimeScale
	}
	return real
}

// clamp is cl of CHALLENGE.md: x limited to [0, 1].
func clamp(x float64) float64 { return math.Max(0, math.Min(1, x)) }

// Slot is the unit of a campaign's availability: min(5 s, duration/480), and at
// least the second that totals are kept by.
func Slot(duration journal.Seconds) journal.Seconds {
	return max(1, min(5, duration/480))
}
