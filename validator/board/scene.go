package board

import (
	"html/template"
	"strings"

	"bogops/validator/verdict"
)

// The scenes of the wall. Auto is whichever fits the phase of the day.
const (
	sceneAuto     = ""
	sceneWall     = "wall"
	sceneCampaign = "campaign"
	scenePodium   = "podium"
	sceneTable    = "table" // in place of the wall and the campaign, unless two teams play
	sceneWaiting  = "waiting"
)

// part is one element of a scene that changes by itself; its root has its id.
type part struct {
	id       string
	template string
	data     any
}

// layout is a scene's frame: where the parts stand. It changes rarely.
type layout struct {
	Scene     string
	Teams     []string
	Bricks    []string
	Witness   bool
	Rehearsal bool
	City      string
	Clock     string
	drawn     map[string]template.HTML
}

// choose settles which scene is drawn for what was asked.
func (v *View) choose(asked string) string {
	scene := asked
	if asked == sceneAuto {
		scene = sceneWall
		switch v.phase.Name {
		case "campaign", "audit":
			scene = sceneCampaign
		case "podium":
			scene = scenePodium
		}
		if v.closed != nil {
			scene = scenePodium
		}
	}
	switch {
	case v.head.Seq == 0:
		return sceneWaiting
	case (scene == sceneWall || scene == sceneCampaign) && len(v.teams) != 2:
		return sceneTable
	}
	return scene
}

// parts lists what a scene is made of.
func (s speech) parts(v *View, scene string) []part {
	if scene == sceneWaiting {
		return []part{{"phase", "phase", s.phaseFace(v)}, {"say", "say", ""}}
	}
	standings := v.standings()
	parts := []part{
		{"phase", "phase", s.phaseFace(v)},
		{"judge", "judge", s.judgeFace(v)},
		{"count", "count", s.countFace(v)},
		{"foot", "foot", s.ticker(v, 6)},
		{"say", "say", s.say(v, standings)},
	}
	for i, team := range v.teams {
		pos := position(i)
		if scene == sceneTable {
			pos = position(0)
		}
		if scene != scenePodium {
			parts = append(parts, part{"band-" + team.ID, "band", s.head(v, team, pos, standings)})
		}
		if scene == sceneCampaign || scene == sceneTable {
			m := s.minis(v, team, pos)
			parts = append(parts, part{m.ID, "minis", m})
		}
	}
	switch scene {
	case sceneWall:
		parts = append(parts, s.wallParts(v)...)
	case sceneCampaign:
		parts = append(parts, part{"chart", "chart", s.chart(v, v.latest())}, part{"figs", "figs", s.figures(v, v.latest())}, part{"wits", "wits", s.witness(v)})
	case scenePodium:
		parts = append(parts, part{"podium", "podium", s.podium(v, standings)}, part{"sums", "sums", s.sums(v, standings)})
	}
	return parts
}

// wallParts are a tile for each brick of each team, and the spine between.
func (s speech) wallParts(v *View) []part {
	var parts []part
	for i, brick := range v.opened.Rules.Bricks {
		parts = append(parts, part{"spine-" + brick.ID, "spine", s.spine(v, i)})
		for n, team := range v.teams {
			f := s.face(team, team.tiles[i], position(n), v.length())
			if chip := s.gain(v, team, team.tiles[i]); chip != "" {
				f.Chips = append([]string{chip}, f.Chips...)
			}
			parts = append(parts, part{f.ID, "tile", f})
		}
	}
	return parts
}

// spine is the middle of a row: the brick, what it is worth, and how the
// witness does there.
type spine struct{ ID, Title, Points, Class, Word string }

func (s speech) spine(v *View, i int) spine {
	brick := v.opened.Rules.Bricks[i]
	sp := spine{ID: brick.ID, Title: brick.Title, Points: s.t("points", s.decimal(brick.Points, 1))}
	if !brick.InPlay {
		sp.Points = s.t("notip")
	}
	if v.witness != nil {
		shown := v.witness.tiles[i].lamp.shown
		if shown != verdict.NotInPlay {
			sp.Class = lookOf(shown).class
			sp.Word = s.t(sp.Class)
		}
	}
	return sp
}

// position is the class of a team's side of the wall.
func position(i int) string {
	if i%2 == 1 {
		return "rt"
	}
	return "lf"
}

// frame is the layout that goes with parts.
func (s speech) frame(v *View, scene string) layout {
	l := layout{Scene: scene, Witness: v.witness != nil, Rehearsal: v.opened.Rehearsal, City: s.city(v.opened.Start)}
	for _, team := range v.teams {
		l.Teams = append(l.Teams, team.ID)
	}
	for _, brick := range v.opened.Rules.Bricks {
		l.Bricks = append(l.Bricks, brick.ID)
	}
	return l
}

// key tells two layouts apart that need different markup.
func (l layout) key() string {
	return l.Scene + "|" + strings.Join(l.Teams, ",") + "|" + strings.Join(l.Bricks, ",")
}
