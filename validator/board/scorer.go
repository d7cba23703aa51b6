package board

import (
	"strings"

	"bogops/validator/journal"
	"bogops/validator/score"
)

// official scores by the contest's rules.
type official struct{ fold *score.Fold }

// newScorer returns the scorer of every real wall.
func newScorer() Scorer { return official{score.NewFold()} }

func (o official) Add(e journal.Entry) error { return o.fold.Add(e) }

func (o official) Standings() []Standing {
	var standings []Standing
	for _, t := range o.fold.Result().Teams {
		standings = append(standings, standingOf(t))
	}
	return standings
}

func standingOf(t score.Team) Standing {
	return Standing{
		Team: t.ID, Rank: t.Rank, Total: t.Total, Points: t.Points, InPlay: t.InPlay,
		Coverage: t.Coverage, Provisional: t.Provisional, LostSeconds: t.LostSeconds, Parts: partsOf(t.Parts),
	}
}

// partsOf lists the parts at the top. A part's id is its label in lower case,
// which is also the key of its name in the wall's words.
func partsOf(nodes []score.Node) []Part {
	var parts []Part
	for _, n := range nodes {
		p := Part{ID: strings.ToLower(n.Label), Title: n.Label, Earned: n.Earned, Points: n.Possible, InPlay: n.InPlay}
		if p.ID == "bricks" {
			p.Parts = partsOf(n.Children)
		}
		parts = append(parts, p)
	}
	return parts
}
