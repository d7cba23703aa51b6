package board

import (
	"strings"
	"time"

	"bogops/validator/journal"
	"bogops/validator/verdict"
)

// kept is how many happenings the view remembers; the wall shows the newest.
const kept = 60

// happening is one line of the ticker. Its words are chosen when it is drawn,
// in the contest's language; text is a sentence out of the journal.
type happening struct {
	at    time.Time
	icon  string // id of a symbol
	class string
	teams []string // ids; empty: it concerns all, or the judge
	judge bool
	id    string         // of a fault or a redeployment: one line for all teams
	brick string         // turned: which tile
	to    verdict.Status // turned: to what
	audit *journal.Audit // audited: what was found
	text  string
}

func (v *View) happened(h happening) {
	v.events = append([]happening{h}, v.events[:min(len(v.events), kept-1)]...)
}

// turned notes that a tile changed. That everything is red at the start is no
// news.
func (v *View) turned(s *side, t *tile, before verdict.Status, at time.Time) {
	if s.Witness || before == verdict.NotChecked && t.lamp.shown != verdict.OK {
		return
	}
	class := lookOf(t.lamp.shown).class
	v.happened(happening{at: at, icon: "s-" + class, class: class, teams: []string{s.ID}, brick: t.brick.Title, to: t.lamp.shown})
}

// struck notes a step of a fault or a redeployment; the same step of another
// team joins the line that is there.
func (v *View) struck(id, team, icon, text string, at time.Time) {
	if s := v.side(team); s == nil || s.Witness {
		return
	}
	for i := range v.events {
		if v.events[i].id == id && v.events[i].text == text {
			v.events[i].teams = append(v.events[i].teams, team)
			return
		}
	}
	v.happened(happening{at: at, icon: icon, class: "non", teams: []string{team}, id: id, text: text})
}

func (v *View) note(n journal.Note, e journal.Entry) {
	h := happening{at: e.At, text: n.Text}
	h.icon, h.class = iconOf(n.Icon)
	if n.Team != "" {
		h.teams = []string{n.Team}
	}
	v.happened(h)
}

func (v *View) resume(r journal.Resumed, e journal.Entry) {
	v.happened(happening{at: e.At, icon: "s-jud", class: "jud", judge: true, text: r.Text})
}

// iconOf is the symbol that a Note names; one that nobody knows is a flag.
func iconOf(name string) (icon, class string) {
	switch name {
	case "kill":
		return "i-kill", "non"
	case "redo":
		return "i-redo", "non"
	case "flag", "":
		return "i-flag", "non"
	}
	class = lookOf(verdict.Status(strings.ToUpper(name))).class
	if class == "non" && !strings.EqualFold(name, string(verdict.NotChecked)) {
		return "i-flag", "non"
	}
	return "s-" + class, class
}
