package board

import (
	"strings"
	"time"

	"bogops/validator/journal"
)

// way is one team's redeployment from the commit of its nonce to its end.
type way struct {
	began, ended time.Time // zero: not yet
	steps        []journal.Step
}

// mostSteps is how many steps of one redeployment are drawn: a pipeline may have
// any number of tasks.
const mostSteps = 60

func (b *band) way(team string) *way {
	if b.ways[team] == nil {
		b.ways[team] = &way{}
	}
	return b.ways[team]
}

// step joins the redeployment that it belongs to; without one it is nothing to
// draw.
func (v *View) step(s journal.Step, _ journal.Entry) {
	c := v.campaign(s.Campaign)
	if c == nil {
		return
	}
	for _, b := range c.bands {
		if w := b.ways[s.Team]; b.ID == s.ID && w != nil && len(w.steps) < mostSteps {
			w.steps = append(w.steps, s)
		}
	}
}

// at is when the first step of a name was told; zero: never.
func (w *way) at(name string) time.Time {
	for _, s := range w.steps {
		if s.Name == name {
			return s.At
		}
	}
	return time.Time{}
}

// wayFace draws a way on the axis of its lane: thin while something is waited
// for, thick while the build runs, with a notch where each task begins.
type wayFace struct {
	Waits []stretch
	Build *stretch // nil: no build has started
	Tasks []float64
	End   *endFace // nil: not yet
}

// stretch is a part of the width, in per cent.
type stretch struct {
	Left, Width float64
	Text        string
}

type endFace struct {
	At    float64
	Class string // of the symbol
}

func (s speech) wayFace(a axis, w *way, state string, now time.Duration) wayFace {
	x := func(at time.Time) float64 { return a.x(min(now, at.Sub(a.c.At))) / 10 }
	between := func(from, to time.Time, otherwise float64) stretch {
		right := otherwise
		if !to.IsZero() {
			right = x(to)
		}
		return stretch{Left: x(from), Width: max(0, right-x(from))}
	}
	var f wayFace
	end := a.x(now) / 10
	if !w.ended.IsZero() {
		end = x(w.ended)
		f.End = &endFace{end, map[string]string{"live": "ok", "refused": "jud"}[state]}
		if f.End.Class == "" {
			f.End.Class = "mum"
		}
	}
	started, finished := w.at("started"), w.at("finished")
	if !w.began.IsZero() {
		f.Waits = append(f.Waits, between(w.began, started, end))
	}
	if started.IsZero() {
		return f
	}
	build := between(started, finished, end)
	for _, step := range w.steps {
		switch {
		case step.Name == "triggered" && build.Width > 0.8*float64(2+len(step.Detail)):
			build.Text = "#" + step.Detail
		case step.Name == "task":
			f.Tasks = append(f.Tasks, x(step.At))
		}
	}
	f.Build = &build
	if !finished.IsZero() {
		f.Waits = append(f.Waits, between(finished, time.Time{}, end))
	}
	return f
}

// wayStep is a step in words, with the time since the redeployment began.
type wayStep struct{ After, Text string }

// waySteps leaves out what says no more than the step before it.
func (s speech) waySteps(w *way) []wayStep {
	if w == nil {
		return nil
	}
	var list []wayStep
	for _, step := range w.steps {
		text, word := "", "step."+step.Name
		switch step.Name {
		case "committed", "checked", "started":
			text = s.t(word)
		case "took":
			if strings.Contains(step.Detail, " ") { // not the revision alone
				text = s.t("step.took", step.Detail)
			}
		case "triggered", "pending", "finished", "left", "live":
			text = s.t(word, step.Detail)
		case "task":
			text = step.Detail
		case "task-end":
			if strings.Contains(step.Detail, " exited with ") {
				text = step.Detail
			}
		}
		if text != "" {
			list = append(list, wayStep{"+" + span(step.At.Sub(w.began)), text})
		}
	}
	return list
}

// pipeline shows the redeployments of all teams, a row for each.
type pipeline struct {
	Title, Label string
	Rows         []pipelineRow
}

type pipelineRow struct {
	Colour, Shape string
	Ways          []wayFace
	Took          string // from the trigger to live, of the last one
}

func (s speech) pipeline(v *View, a axis, now time.Duration) *pipeline {
	p := &pipeline{Title: s.t("pipeline")}
	p.Label = p.Title
	any := false
	for _, team := range v.teams {
		row := pipelineRow{Colour: colourOf(team.Colour), Shape: shapeOf(team.Shape), Took: "–"}
		p.Label += ". " + team.Name
		for _, b := range a.c.bands {
			w := b.ways[team.ID]
			if w == nil {
				continue
			}
			any = true
			row.Ways = append(row.Ways, s.wayFace(a, w, b.teams[team.ID], now))
			if took := b.took[team.ID]; took > 0 {
				row.Took = span(took)
			}
			for _, step := range s.waySteps(w) {
				p.Label += ", " + step.After + " " + step.Text
			}
		}
		p.Rows = append(p.Rows, row)
	}
	if !any {
		return nil
	}
	return p
}
