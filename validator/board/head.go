package board

import (
	"fmt"
	"strings"
	"time"

	"bogops/validator/verdict"
)

// head is a team's head: who they are, how many points, what moved last.
type head struct {
	ID, Name, Full, Pos   string
	Colour, Shape, Mascot string
	Mood                  string // m-s asleep, m-a awake, m-c with sunglasses
	Score                 string
	Percent               float64 // of 1,000 points
	Delta, Reason         string
	Up                    bool
	Wallet                []string // a class per brick: on, half, out or none
	Proven, InPlay        int
	Coverage              string
	Provisional, Frozen   bool
	Rank                  int // from 1; equal totals share it
}

func (s speech) head(v *View, team *side, pos string, standings []Standing) head {
	st := v.standing(team.ID, standings)
	h := head{
		ID: team.ID, Name: team.Name, Full: team.Full, Pos: pos, Colour: colourOf(team.Colour), Shape: shapeOf(team.Shape), Mascot: mascotOf(team.Mascot),
		Score: s.num(whole(st.Total)), Percent: min(100, max(0, st.Total/10)), Coverage: s.percent(st.Coverage), Provisional: st.Provisional, Frozen: v.frozen != nil, Rank: st.Rank,
	}
	h.purse(team)
	if c, changed := v.history.changes[team.ID]; changed {
		h.Up = c.delta > 0
		h.Delta = fmt.Sprintf("+%d", c.delta)
		if !h.Up {
			h.Delta = s.num(c.delta)
		}
		h.Reason = s.partTitle(c.part) + ", " + s.hm(c.at)
	}
	return h
}

// purse fills the wallet of proven bricks and sets the mascot's mood by it.
func (h *head) purse(team *side) {
	once := false
	for _, t := range team.tiles {
		if !t.brick.InPlay {
			h.Wallet = append(h.Wallet, "out")
			continue
		}
		h.InPlay++
		once = once || t.lamp.provenOnce
		share, _ := t.lamp.shown.Share()
		switch {
		case t.lamp.shown == verdict.OK:
			h.Proven++
			h.Wallet = append(h.Wallet, "on")
		case share > 0:
			h.Wallet = append(h.Wallet, "half")
		default:
			h.Wallet = append(h.Wallet, "none")
		}
	}
	switch {
	case h.Proven > 0 && h.Proven == h.InPlay:
		h.Mood = "m-c"
	case once:
		h.Mood = "m-a"
	default:
		h.Mood = "m-s"
	}
}

// gain is what turning green has just brought: said for a few ticks, while it
// is still the last thing that moved the score.
func (s speech) gain(v *View, team *side, t *tile) string {
	c, changed := v.history.changes[team.ID]
	recent := 4 * v.opened.Rules.Tick.Duration()
	if !changed || t.lamp.shown != verdict.OK || v.head.At.Sub(t.lamp.since) > recent || c.delta <= 0 || c.at.Before(t.lamp.since) {
		return ""
	}
	if c.part != t.brick.Title && !strings.HasPrefix(c.part, t.brick.Title+",") {
		return ""
	}
	return s.t("gain", fmt.Sprintf("+%d", c.delta))
}

// partTitle is a part's name in the wall's language, where it has one there.
func (s speech) partTitle(title string) string {
	if title == "" {
		return s.t("score")
	}
	if key := strings.ToLower(title); words[s.Lang][key] != "" && key != "score" {
		return s.t(key)
	}
	return title
}

// length is how long the contest is planned to last.
func (v *View) length() time.Duration { return v.opened.End.Sub(v.opened.Start) }

// Colours, shapes and mascots end up in class names and symbol references, so
// only those that the wall has a drawing of get through.
func colourOf(name string) string {
	switch name {
	case "blue", "orange":
		return name
	}
	return "grey"
}

func shapeOf(name string) string {
	switch name {
	case "circle", "diamond":
		return name
	}
	return "square"
}

func mascotOf(name string) string {
	switch name {
	case "otter", "panda":
		return name
	}
	return "lighthouse"
}
