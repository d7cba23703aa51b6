package board

import (
	"fmt"
	"slices"

	"bogops/validator/journal"
)

// podium is the end of the day: who stands where, why, and how to check it.
type podium struct {
	Steps []step
}

// step is a team's place on the podium.
type step struct {
	Name, Full            string
	Colour, Shape, Mascot string
	Mood                  string
	Rank                  int
	Place                 string
	Score, Lost           string
	First                 bool
	Height                float64 // of the plinth, as a share of the highest
	Provisional           bool
}

func (s speech) podium(v *View, standings []Standing) podium {
	var p podium
	for i, team := range v.teams {
		h := s.head(v, team, position(i), standings)
		st := v.standing(team.ID, standings)
		step := step{
			Name: h.Name, Full: h.Full, Colour: h.Colour, Shape: h.Shape, Mascot: h.Mascot, Rank: h.Rank, Place: s.place(h.Rank),
			Score: s.decimal(st.Total, 1), Lost: s.t("lost.under.load", s.decimal(st.LostSeconds, lostDecimals(st.LostSeconds))),
			First: h.Rank == 1, Mood: "m-a", Provisional: h.Provisional, Height: max(0.55, 1-0.2*float64(h.Rank-1)),
		}
		if step.First {
			step.Mood = "m-c"
		}
		p.Steps = append(p.Steps, step)
	}
	return p
}

// sums stand beside the podium: where the points are, what the audit found,
// and what it takes to check both.
type sums struct {
	Teams    []figureHead
	Rows     []sumRow
	Findings []findingFace
	More     int
	Audited  bool
	Closed   bool
	Seed     string
	SeedHash string
	Head     string
}

// sumRow is one part of the score of all teams.
type sumRow struct {
	Title, Points string
	Cells         []figureCell
}

// findingFace is one object that the audit found wrong.
type findingFace struct {
	Team, Colour, Shape string
	Class, Key          string
	Got, Want           string
	Evidence            string
}

func (s speech) sums(v *View, standings []Standing) sums {
	r := sums{SeedHash: v.opened.SeedHash, Head: v.head.Hash, Audited: v.audited(), Closed: v.closed != nil}
	if v.closed != nil {
		r.Seed = v.closed.Seed
	}
	for i, team := range v.teams {
		r.Teams = append(r.Teams, figureHead{team.Name, colourOf(team.Colour), shapeOf(team.Shape), position(i)})
	}
	if len(v.teams) > 0 {
		for _, part := range v.standing(v.teams[0].ID, standings).Parts {
			if part.Points > 0 {
				r.Rows = append(r.Rows, s.sumRow(v, standings, part))
			}
		}
	}
	r.Findings, r.More = s.findings(v, 4)
	return r
}

// sumRow is one part; its points differ between teams only where the judge's
// own fault took it out of play for one of them.
func (s speech) sumRow(v *View, standings []Standing, part Part) sumRow {
	row := sumRow{Title: s.partTitle(part.Title), Points: s.t("notip")}
	for i, team := range v.teams {
		cell := figureCell{Team: team.Name, Colour: colourOf(team.Colour), Pos: position(i), Text: "–"}
		for _, p := range v.standing(team.ID, standings).Parts {
			if p.ID == part.ID && p.InPlay {
				row.Points = s.t("out.of", s.decimal(part.Points, 0))
				cell.Text = s.decimal(p.Earned, 1)
				cell.Width = 100 * max(0, min(1, p.Earned/max(p.Points, 1)))
			}
		}
		row.Cells = append(row.Cells, cell)
	}
	return row
}

// findings lists what the audits found, the worst teams first come in the
// contest's order; more is how many did not fit.
func (s speech) findings(v *View, most int) (faces []findingFace, more int) {
	for _, team := range v.teams {
		total := 0
		var listed []journal.Finding
		for _, c := range v.campaigns {
			if l := c.lanes[team.ID]; l != nil && l.audit != nil {
				total += l.wrong()
				listed = append(listed, l.audit.Findings...)
			}
		}
		room := max(0, min(len(listed), most-len(faces)))
		for _, f := range listed[:room] {
			faces = append(faces, findingFace{team.Name, colourOf(team.Colour), shapeOf(team.Shape), s.findingClass(f.Class), f.Key, f.Got, f.Want, f.Evidence})
		}
		more += max(0, total-room)
	}
	return faces, more
}

func (s speech) findingClass(class string) string {
	if key := class + ".class"; words[s.Lang][key] != "" {
		return s.t(key)
	}
	return class
}

// audited tells whether every campaign's audit is done for every team.
func (v *View) audited() bool {
	for _, c := range v.campaigns {
		if slices.ContainsFunc(v.teams, func(team *side) bool {
			l := c.lanes[team.ID]
			return l == nil || l.audit == nil || !l.audit.Done
		}) {
			return false
		}
	}
	return len(v.campaigns) > 0
}

// place spells a rank.
func (s speech) place(rank int) string {
	switch {
	case s.Lang == "fr" && rank == 1:
		return "1er"
	case s.Lang == "fr":
		return fmt.Sprintf("%de", rank)
	case rank%100/10 != 1 && rank%10 >= 1 && rank%10 <= 3:
		return fmt.Sprintf("%d%s", rank, []string{"st", "nd", "rd"}[rank%10-1])
	}
	return fmt.Sprintf("%dth", rank)
}
