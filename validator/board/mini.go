package board

import (
	"bogops/validator/journal"
	"bogops/validator/verdict"
)

// minis are a team's tiles while the load is on, with the worst of them in
// words.
type minis struct {
	ID, Label, Pos string
	Tiles          []face
	Worst          worst
}

// worst is the one sentence that matters most about a team.
type worst struct {
	Class, Brick               string
	Sentence, Got, Want, Holds string
}

func (s speech) minis(v *View, team *side, pos string) minis {
	m := minis{ID: "minis-" + team.ID, Label: s.t("bricks.of", team.Name), Pos: pos}
	good, inPlay, rank := 0, 0, lookOf(verdict.OK).rank
	for _, t := range team.tiles {
		f := s.face(team, t, pos, v.length())
		f.ID = "mini-" + team.ID + "-" + t.brick.ID
		if f.Since != "" {
			f.Since = s.hm(t.lamp.since) // all that there is room for
		}
		m.Tiles = append(m.Tiles, f)
		if !t.brick.InPlay {
			continue
		}
		inPlay++
		if t.lamp.shown == verdict.OK {
			good++
		} else if r := lookOf(t.lamp.shown).rank; r > rank || m.Worst.Class == "" {
			rank = r
			m.Worst = worst{Class: f.Class, Brick: f.Brick, Sentence: f.Sentence, Got: f.Got, Want: f.Want, Holds: f.Holds}
		}
	}
	if good == inPlay {
		m.Worst = worst{Class: "ok", Sentence: s.t("all.hold")}
	}
	if found, first := v.found(team.ID); found > 0 {
		m.Worst = worst{Class: "cor", Brick: s.t("audit.name"), Sentence: s.wrong(found), Got: first.Got, Want: first.Want}
	}
	return m
}

// wrong says how many objects an audit found lost or wrong.
func (s speech) wrong(n int) string {
	if n == 1 {
		return s.t("audit.wrong.one")
	}
	return s.t("audit.wrong", n)
}

// found is how many acknowledged objects the audits found wrong, and the first.
func (v *View) found(team string) (n int, first journal.Finding) {
	for _, c := range v.campaigns {
		l := c.lanes[team]
		if l == nil {
			continue
		}
		n += l.wrong()
		if l.audit != nil && len(l.audit.Findings) > 0 && first.Key == "" {
			first = l.audit.Findings[0]
		}
	}
	return n, first
}

// witnessTile is how the witness does in one brick, small.
type witnessTile struct{ Class, Word, Brick string }

func (s speech) witness(v *View) []witnessTile {
	var tiles []witnessTile
	if v.witness == nil {
		return nil
	}
	for _, t := range v.witness.tiles {
		class := lookOf(t.lamp.shown).class
		tiles = append(tiles, witnessTile{class, s.t(class), t.brick.Title})
	}
	return tiles
}
