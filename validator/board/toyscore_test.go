package board

import (
	"bogops/validator/journal"
	"bogops/validator/verdict"
)

// toyScorer gives a brick its points for the share of its good verdicts.
type toyScorer struct {
	opened    journal.Opened
	good, all map[string]float64 // by team and brick
}

func newToyScorer() *toyScorer {
	return &toyScorer{good: map[string]float64{}, all: map[string]float64{}}
}

func (s *toyScorer) Add(e journal.Entry) error {
	switch e.Kind {
	case journal.KindOpened:
		s.opened, _ = journal.Decode[journal.Opened](e)
	case journal.KindVerdict:
		v, err := journal.Decode[journal.Verdict](e)
		if err != nil {
			return err
		}
		s.all[v.Team+v.Brick]++
		if v.Status == verdict.OK {
			s.good[v.Team+v.Brick]++
		}
	}
	return nil
}

func (s *toyScorer) Standings() []Standing {
	var standings []Standing
	for _, team := range s.opened.Teams {
		st := Standing{Team: team.ID, Coverage: 0.97}
		for _, b := range s.opened.Rules.Bricks {
			p := Part{ID: b.ID, Title: b.Title, Points: b.Points, InPlay: b.InPlay}
			if n := s.all[team.ID+b.ID]; n > 0 {
				p.Earned = b.Points * s.good[team.ID+b.ID] / n
			}
			st.Parts = append(st.Parts, p)
			st.Total += p.Earned
		}
		standings = append(standings, st)
	}
	return standings
}
