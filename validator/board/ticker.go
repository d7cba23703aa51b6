package board

import (
	"strings"
	"time"
)

// line is one line of the ticker.
type line struct {
	At, Icon, Class, Who, Text string
}

// ticker draws the newest happenings.
func (s speech) ticker(v *View, most int) []line {
	var lines []line
	for _, h := range v.events[:min(most, len(v.events))] {
		lines = append(lines, s.line(v, h))
	}
	return lines
}

func (s speech) line(v *View, h happening) line {
	l := line{At: s.at(h.at, v.length()), Icon: h.icon, Class: h.class, Who: s.who(v, h), Text: h.text}
	switch {
	case h.brick != "":
		l.Text = s.t("turned", h.brick, s.t(lookOf(h.to).class))
	case h.audit != nil:
		l.Text = s.t("audit.clean", h.audit.Acknowledged)
		if wrong := (&lane{audit: h.audit}).wrong(); wrong > 0 {
			l.Text = s.wrong(wrong)
		}
	}
	return l
}

func (s speech) who(v *View, h happening) string {
	switch {
	case h.judge:
		return s.t("judge")
	case len(h.teams) == 0 || len(h.teams) == len(v.teams) && len(v.teams) > 2:
		return s.t("all")
	case len(h.teams) == 2 && len(v.teams) == 2:
		return s.t("both")
	}
	var names []string
	for _, id := range h.teams {
		if team := v.side(id); team != nil {
			names = append(names, team.Name)
		}
	}
	return strings.Join(names, ", ")
}

// say is what a screen reader hears, once a tick: the score, then what changed
// since the tick began.
func (s speech) say(v *View, standings []Standing) string {
	if v.tick == 0 {
		return ""
	}
	said := []string{s.t("say", v.tick)}
	for _, team := range v.teams {
		h := s.head(v, team, "", standings)
		said = append(said, s.t("say.team", team.Name, whole(v.standing(team.ID, standings).Total), h.Proven, h.InPlay))
	}
	for _, h := range v.events[:min(3, len(v.events))] {
		if v.head.At.Sub(h.at) < max(v.opened.Rules.Tick.Duration(), time.Second) {
			l := s.line(v, h)
			said = append(said, l.Who+" "+l.Text+".")
		}
	}
	return strings.Join(said, " ")
}
