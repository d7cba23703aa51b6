package board

import (
	"time"
	"unicode/utf8"

	"bogops/validator/verdict"
)

// face is how a tile looks.
type face struct {
	ID, Team, Pos, Colour      string
	Brick                      string
	Class, Icon, Word          string
	Since                      string
	Chips                      []string
	Strip                      strip
	Sentence, Got, Want, Holds string
	Evidence                   string // hash
	Command                    string // that puts the brick in play
}

// Long says that the tile's words need more than its two lines: they are then
// set smaller, two lines for the sentence and one for got and want.
func (f face) Long() bool {
	return utf8.RuneCountInString(f.Sentence) > sentenceFits || utf8.RuneCountInString(f.Got+f.Want+f.Holds) > gotWantFits
}

// What one line of a tile holds at 1920 pixels, in characters.
const (
	sentenceFits = 60
	gotWantFits  = 48
)

// face draws one tile. length is that of the contest, which says how precise
// times need to be.
func (s speech) face(team *side, t *tile, pos string, length time.Duration) face {
	shown := t.lamp.shown
	class := lookOf(shown).class
	f := face{
		ID: "tile-" + team.ID + "-" + t.brick.ID, Team: team.Name, Pos: pos, Colour: team.Colour, Brick: t.brick.Title,
		Class: class, Icon: "s-" + class, Word: s.t(class), Strip: s.strip(t.strip()),
	}
	if !t.brick.InPlay {
		f.Strip = strip{Label: s.t("npl"), Paths: []strokes{{"npl", "M1 26h297"}}}
		f.Sentence = s.t("not.in.play")
		f.Command = t.brick.Hint
		return f
	}
	if !t.lamp.since.IsZero() && shown != verdict.NotChecked {
		f.Since = s.at(t.lamp.since, length)
	}
	s.tell(&f, t)
	return f
}

// tell writes the tile's two lines: the sentence, then got and want, or how
// many checks hold.
func (s speech) tell(f *face, t *tile) {
	v, held, total, found := t.telling()
	if !found {
		f.Sentence, f.Holds = s.t("nothing"), s.t("first")
		return
	}
	f.Sentence, f.Got, f.Want, f.Evidence = v.Message, v.Got, v.Want, v.Evidence
	newest, _ := t.newest()
	now := t.status(newest)
	switch {
	case t.lamp.shown == verdict.Recovering && now == verdict.OK:
		f.Sentence = s.t("back")
		f.Got, f.Want = s.t("good.ticks", t.lamp.good), s.t("ticks.running", t.lamp.greenAfter)
	case t.lamp.shown == verdict.NotChecked && now == verdict.OK:
		f.Sentence = s.t("holds")
		f.Got, f.Want = s.t("good.ticks", t.lamp.good), s.t("ticks.running", t.lamp.greenAfter)
	case now == verdict.OK:
		f.Got, f.Want, f.Holds = "", "", s.t("hold", held, total)
	case t.lamp.shown == verdict.OK:
		f.Chips = append(f.Chips, s.t("bad.tick", max(1, t.lamp.bad)))
	}
	if now != t.worst(newest) {
		f.Chips = append(f.Chips, s.t("bronze"))
	}
	if t.retried() {
		f.Chips = append(f.Chips, s.t("retry"))
	}
}
