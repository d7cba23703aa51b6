package board

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// chart is a campaign on one time axis: a lane for each team, then latency and
// instances of all, with the faults across.
type chart struct {
	Label     string
	Bands     []bandFace
	Running   bool
	Now       float64 // per cent of the width, as all positions here
	Lanes     []laneFace
	Pipeline  *pipeline // nil: nothing has been redeployed yet
	P99       pane
	Instances pane
	Times     []mark
	Ours      bool // some seconds are the judge's own fault
}

// bandFace is a fault or a redeployment, from when it began until now or its
// window's end.
type bandFace struct {
	Kind, Icon, Title, Time string
	Left, Width             float64
}

// mark is a label at a place of an axis.
type mark struct {
	At   float64
	Text string
}

// laneFace is one team's load.
type laneFace struct {
	Team, Colour, Shape, Label            string
	Grid, Bite, Good, Offered, Plan, Ours string
	Notes                                 []noteFace
	GoodRate, Rate                        string
	Marks                                 []mark
}

// noteFace says what a fault cost, beside its band.
type noteFace struct {
	Left       float64
	Inside     bool // right-aligned, within a band that is wide enough
	Lost, Back string
}

// pane is a plot that has a line for each team.
type pane struct {
	Label, Title, Hint string
	Grid, Target       string
	Lines              []lineFace
	Marks              []mark
}

type lineFace struct {
	Colour, Shape, D, Text string
	Second                 bool // dashed, so that lines differ without colour
	Top                    float64
}

func (s speech) chart(v *View, c *campaign) chart {
	if c == nil {
		return chart{}
	}
	a, now := newAxis(c), c.now(v.teams)
	ch := chart{Label: s.t("axis", c.Title), Running: now < c.span(), Now: a.x(now) / 10, Times: s.times(a)}
	for _, b := range c.bands {
		ch.Bands = append(ch.Bands, s.bandFace(a, b, now))
	}
	for _, team := range v.teams {
		l := c.lane(team.ID)
		face := s.laneFace(v, a, team, l, now)
		ch.Ours = ch.Ours || face.Ours != ""
		ch.Lanes = append(ch.Lanes, face)
	}
	ch.Pipeline = s.pipeline(v, a, now)
	ch.P99, ch.Instances = s.p99Pane(v, a), s.instancesPane(v, a)
	return ch
}

func (s speech) bandFace(a axis, b *band, now time.Duration) bandFace {
	f := bandFace{Kind: "kill", Icon: "i-kill", Title: b.Title, Time: s.at(b.at, 6*a.c.span())}
	if b.Kind == "redeploy" {
		f.Kind, f.Icon = "redo", "i-redo"
	}
	from, to := b.From.Duration(), min((b.From+b.Length).Duration(), now)
	f.Left, f.Width = a.x(from)/10, max(0, a.x(to)-a.x(from))/10
	return f
}

func (s speech) laneFace(v *View, a axis, team *side, l *lane, now time.Duration) laneFace {
	var offered, plan pen
	a.planned(&offered, 0, now)
	if now < a.c.span() {
		a.planned(&plan, now, a.c.span())
	}
	f := laneFace{
		Team: team.Name, Colour: colourOf(team.Colour), Shape: shapeOf(team.Shape), Ours: a.ours(l),
		Bite: a.bite(l.told(now)), Good: a.good(l, l.told(now)), Offered: offered.String(), Plan: plan.String(),
	}
	step := niceStep(a.top / 3)
	for rate := step; rate < a.top*0.98; rate += step {
		y := a.y(rate)
		f.Grid += "M0 " + short1(y) + "H1000"
		f.Marks = append(f.Marks, mark{y, s.decimal(rate, 1)})
	}
	good, rate := l.rate(3)
	f.GoodRate, f.Rate = s.decimal(good, 0), s.t("of", s.decimal(rate, 0))
	f.Label = s.t("lane", team.Name, s.decimal(rate, 0), f.GoodRate)
	if now >= a.c.span() {
		// The load is over: what stays is how much of all of it was good.
		all, _ := l.level(0, len(l.seconds))
		f.GoodRate, f.Rate = strings.ReplaceAll(s.percent(all), "\u00a0", "\u202f"), s.t("good")
		f.Label = team.Name + ": " + f.GoodRate + " " + f.Rate + "."
	}
	for _, b := range a.c.bands {
		n := s.noteFace(v, a, b, team, l)
		f.Label += " " + b.Title + ": " + n.Lost + n.Back + "."
		f.Notes = append(f.Notes, n)
	}
	return f
}

func (s speech) noteFace(v *View, a axis, b *band, team *side, l *lane) noteFace {
	end := a.x((b.From + b.Length).Duration()) / 10
	n := noteFace{Left: end + 0.4}
	if wide := end - a.x(b.From.Duration())/10; wide > 16 || end > 80 {
		n.Left, n.Inside = end-0.4, true
	}
	switch state := b.teams[team.ID]; state {
	case "refused":
		n.Lost = s.t("refused")
		if b.Kind == "redeploy" { // there it is the judge's own fault
			n.Lost = s.t("ours")
		}
		return n
	case "unverified", "failed":
		n.Lost = s.t(state)
		return n
	}
	lost := a.c.loss(l, b, v.scale())
	n.Lost = s.t("lost", s.decimal(lost.seconds, lostDecimals(lost.seconds)))
	switch {
	case lost.recovered:
		n.Back = ", " + s.t("back.in", span(lost.back))
	case lost.over:
		n.Back = ", " + s.t("never.back")
	default:
		n.Back = ", " + s.t("not.back")
	}
	return n
}

// lostDecimals spells small losses finer: 0.4 s lost is not nothing.
func lostDecimals(seconds float64) int {
	if seconds < 9.95 {
		return 1
	}
	return 0
}

// rate is the mean of the last seconds that count, in requests a second.
func (l *lane) rate(last int) (good, offered float64) {
	n := 0
	for _, s := range slices.Backward(l.seconds) {
		if !s.counts() {
			continue
		}
		good, offered, n = good+float64(s.good), offered+float64(s.offered), n+1
		if n == last {
			break
		}
	}
	if n == 0 {
		return 0, 0
	}
	return good / float64(n), offered / float64(n)
}

func (s speech) p99Pane(v *View, a axis) pane {
	p := pane{Title: s.t("p99"), Hint: s.t("from.due"), Grid: "M0 0H1000M0 33.3H1000M0 66.7H1000M0 100H1000",
		Marks: []mark{{2, s.latency(10 * time.Second)}, {33.3, s.latency(time.Second)}, {66.7, s.latency(100 * time.Millisecond)}, {97, s.latency(10 * time.Millisecond)}}}
	var target time.Duration
	for _, slo := range a.c.SLO {
		if t := slo.Target.Duration(); t > 0 && (target == 0 || t < target) {
			target = t
		}
	}
	if target > 0 {
		p.Target = "M0 " + short1(logY(target)) + "H1000"
		p.Hint += ", " + s.t("target", s.latency(target))
	}
	p.Label = p.Title + " " + p.Hint
	for i, team := range v.teams {
		l := a.c.lane(team.ID)
		last := l.last()
		text := s.latency(last.p99)
		p.Lines = append(p.Lines, lineFace{Colour: colourOf(team.Colour), Shape: shapeOf(team.Shape), D: a.p99(l), Text: text, Second: i%2 == 1, Top: logY(last.p99)})
		p.Label += ". " + team.Name + " " + text
	}
	apart(p.Lines, 26)
	return p
}

func (s speech) instancesPane(v *View, a axis) pane {
	most := 3
	for _, team := range v.teams {
		for _, second := range a.c.lane(team.ID).seconds {
			most = max(most, second.instances+1)
		}
	}
	p := pane{Title: s.t("instances"), Grid: "M0 100H1000", Marks: []mark{{stepY(most-1, most), strconv.Itoa(most - 1)}, {97, "0"}}}
	p.Grid += "M0 " + short1(stepY(most-1, most)) + "H1000"
	p.Label = p.Title
	for i, team := range v.teams {
		l := a.c.lane(team.ID)
		n := l.last().instances
		p.Lines = append(p.Lines, lineFace{Colour: colourOf(team.Colour), Shape: shapeOf(team.Shape), D: a.instances(l, most), Text: strconv.Itoa(n), Second: i%2 == 1, Top: stepY(n, most)})
		p.Label += ", " + team.Name + " " + strconv.Itoa(n)
	}
	apart(p.Lines, 40)
	return p
}

// last is the newest second that is known.
func (l *lane) last() second {
	for _, s := range slices.Backward(l.seconds) {
		if s.known {
			return s
		}
	}
	return second{}
}

// apart moves the labels of lines that end close together, so that none covers
// another.
func apart(lines []lineFace, gap float64) {
	order := make([]int, len(lines))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(lines[i].Top, lines[j].Top) })
	for n := 1; n < len(order); n++ {
		above, below := &lines[order[n-1]], &lines[order[n]]
		if miss := gap - (below.Top - above.Top); miss > 0 {
			above.Top -= miss / 2
			below.Top += miss / 2
		}
	}
}

// times labels the axis at round moments of the day.
func (s speech) times(a axis) []mark {
	span := a.c.span()
	step := time.Hour
	for _, round := range []time.Duration{1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800} {
		if step = round * time.Second; 6*step >= span {
			break
		}
	}
	var marks []mark
	for at := time.Duration(0); at < span-step/3; at += step {
		marks = append(marks, mark{a.x(at) / 10, s.at(a.c.At.Add(at), 6*span)})
	}
	return marks
}

// niceStep is the least of 1, 2, 5, 10, 20, … that is at least x.
func niceStep(x float64) float64 {
	for base := 1.0; ; base *= 10 {
		for _, n := range []float64{1, 2, 5} {
			if n*base >= x {
				return n * base
			}
		}
	}
}
