package score

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"bogops/validator/journal"
	"bogops/validator/verdict"
)

// level is what is scored by itself of a brick: all of it, or for the REST API
// one level of the contract.
type level struct {
	name   string // empty: all of the brick
	points float64
}

// levels splits the REST API's points: bronze 60 %, silver 30 %, gold 10 %.
func levels(b journal.Brick) []level {
	if b.ID != "api" {
		return []level{{"", b.Points}}
	}
	return []level{{"bronze", 0.6 * b.Points}, {"silver", 0.3 * b.Points}, {"gold", 0.1 * b.Points}}
}

// levelOf is the level that a check is scored in.
func levelOf(c journal.Check) string {
	if c.Brick != "api" {
		return ""
	}
	return cmp.Or(c.Level, "bronze")
}

// recent is how many counted ticks prove a brick.
const recent = 10

// brick scores one brick, or one level of it, with W points:
//
//	W · (0.5 proven + 0.2 early + 0.3 · Σ_{t ≥ green_at} s(t) / N)
//
// and bonus checks on top, at most 10 % of W and never above W. Samples count
// from the start to the first load.
func (f *Fold) brick(team int, b journal.Brick, l level) tally {
	t := tally{brick: true, node: Node{Label: b.Title, Possible: l.points, InPlay: true}}
	if l.name != "" {
		t.node.Label += ", " + l.name
	}
	required, bonus := f.bricks[group{b.ID, l.name, true}], f.bricks[group{b.ID, l.name, false}]
	if !b.InPlay || l.points <= 0 || len(required) == 0 {
		t.state, t.node.InPlay, t.brick = gone, false, false
		t.node.Detail = "not in play"
		if b.Hint != "" && !b.InPlay {
			t.node.Detail += ": " + b.Hint
		}
		return t
	}
	m := f.morning(team, required)
	t.counted, t.all, t.green = m.counted, m.all, m.greenAt
	if m.n == 0 {
		t.node.Detail = "not checked yet"
		if f.closed || len(f.campaigns) > 0 {
			t.state, t.node.Detail = gone, "every sample is the judge's own fault"
		}
		return t
	}
	t.state = known
	proven, checks := f.proven(team, required, m.ticks)
	extra, bonuses := f.proven(team, bonus, m.ticks)
	early := m.early()
	held := m.held / float64(m.n)
	w := l.points
	t.node.Children = []Node{
		{Label: "proven", Earned: 0.5 * w * proven, Possible: 0.5 * w, InPlay: true, Children: scale(checks, 0.5*w),
			Detail: fmt.Sprintf("0.5 · %s: weighted share of OK in each check's last %d counted ticks", num(proven), recent)},
		{Label: "early", Earned: 0.2 * w * early, Possible: 0.2 * w, InPlay: true, Events: m.run, Detail: "0.2 · " + num(early) + ": " + m.greenText()},
		{Label: "held", Earned: 0.3 * w * held, Possible: 0.3 * w, InPlay: true, Events: m.losses,
			Detail: fmt.Sprintf("0.3 · %s: shares of the ticks since green add up to %s of %d counted ticks", num(held), num(m.held), m.n)},
	}
	if len(bonus) > 0 {
		t.node.Children = append(t.node.Children, Node{Label: "bonus", Earned: 0.1 * w * extra, InPlay: true, Children: scale(bonuses, 0.1*w),
			Detail: fmt.Sprintf("0.1 · %s on top, up to the brick's points", num(extra))})
	}
	t.node.Earned = min(w, w*(0.5*proven+0.2*early+0.3*held)+0.1*w*extra)
	t.node.Detail = fmt.Sprintf("%s · (0.5 · %s proven + 0.2 · %s early + 0.3 · %s held)", num(w), num(proven), num(early), num(held))
	return t
}

// until is when the bricks' samples end: the first load, planned or begun.
func (f *Fold) until() time.Time {
	switch {
	case len(f.campaigns) > 0:
		return f.campaigns[0].At
	case f.opened.FirstLoad != nil:
		return *f.opened.FirstLoad
	}
	return f.opened.End
}

// ticks returns the ticks that bricks are judged by.
func (f *Fold) ticks() []int {
	var ticks []int
	end := f.until()
	for i, at := range f.tickAt {
		if !at.IsZero() && at.Before(end) {
			ticks = append(ticks, i+1)
		}
	}
	return ticks
}

// morning is the time up to the first load, as one brick of one team spent it.
type morning struct {
	start, end   time.Time
	ticks        []int
	n            int     // counted ticks
	held         float64 // Σ s(t) from green on
	counted, all float64 // samples
	greenAt      time.Time
	run          []uint64 // the lines that made it green
	losses       []uint64 // the lines since then that cost something
}

func (m morning) early() float64 {
	if m.greenAt.IsZero() || !m.end.After(m.start) {
		return 0
	}
	return clamp(m.end.Sub(m.greenAt).Seconds() / m.end.Sub(m.start).Seconds())
}

func (m morning) greenText() string {
	if m.greenAt.IsZero() {
		return "never green"
	}
	return fmt.Sprintf("green at %s, %.0f s before the end of %.0f s", m.greenAt.UTC().Format(time.TimeOnly)+" UTC",
		m.end.Sub(m.greenAt).Seconds(), m.end.Sub(m.start).Seconds())
}

// morning walks the ticks once. A tick counts when at least one required check
// does; it can be part of the green run when all of them do, except those that
// the judge never managed to check: they are nobody's loss.
func (f *Fold) morning(team int, required []int) morning {
	m := morning{start: f.opened.Start, end: f.until(), ticks: f.ticks()}
	ever := f.ever(team, required, m.ticks)
	var run []uint64
	var runAt time.Time
	var runLength int
	var runHeld float64
	for _, tick := range m.ticks {
		s := f.tick(team, required, tick)
		m.counted += float64(s.counted)
		m.all += float64(s.taken)
		if s.counted == 0 {
			continue
		}
		m.n++
		share := s.share / s.weight
		if !m.greenAt.IsZero() {
			m.held += share
			m.losses = append(m.losses, s.bad...)
			continue
		}
		switch {
		case len(s.bad) > 0:
			run, runLength, runHeld = nil, 0, 0
		case s.counted < ever:
			runHeld += share
		default:
			if runLength == 0 {
				runAt, runHeld = f.tickAt[tick-1], 0
			}
			runLength++
			runHeld += share
			run = append(run, s.lines...)
			if runLength >= max(1, f.opened.Rules.GreenAfter) {
				m.greenAt, m.run, m.held = runAt, run, runHeld
			}
		}
	}
	slices.Sort(m.run)
	slices.Sort(m.losses)
	return m
}

// ever counts the checks that have at least one sample that counts.
func (f *Fold) ever(team int, checks []int, ticks []int) int {
	count := 0
	for _, c := range checks {
		if slices.ContainsFunc(ticks, func(tick int) bool { _, counts := f.sample(team, c, tick).share(); return counts }) {
			count++
		}
	}
	return count
}

// tickSum is one tick over a brick's required checks.
type tickSum struct {
	share, weight  float64 // Σ w · share, Σ w
	counted, taken int
	lines, bad     []uint64 // that count; that are not OK
}

func (f *Fold) tick(team int, checks []int, tick int) tickSum {
	var sum tickSum
	for _, c := range checks {
		s := f.sample(team, c, tick)
		if s.taken() {
			sum.taken++
		}
		share, counts := s.share()
		if !counts {
			continue
		}
		w := f.weight(c)
		sum.counted++
		sum.share += w * share
		sum.weight += w
		sum.lines = append(sum.lines, s.line)
		if s.status != verdict.OK {
			sum.bad = append(sum.bad, s.line)
		}
	}
	return sum
}

// weight is a check's weight; a check without one weighs 1.
func (f *Fold) weight(check int) float64 {
	if w := f.opened.Checks[check].Weight; w > 0 {
		return w
	}
	return 1
}

// proven is the weighted mean over checks of the share of OK in the last ten
// ticks in which each counted, and a node of weight 1 for each.
func (f *Fold) proven(team int, checks []int, ticks []int) (float64, []Node) {
	var sum, weight float64
	var nodes []Node
	for _, c := range checks {
		node := Node{Label: f.opened.Checks[c].ID, Detail: "never checked: leaves the mean"}
		ok, n := 0, 0
		for i := len(ticks) - 1; i >= 0 && n < recent; i-- {
			s := f.sample(team, c, ticks[i])
			if _, counts := s.share(); !counts {
				continue
			}
			n++
			if s.status == verdict.OK {
				ok++
			}
			node.Events = append(node.Events, s.line)
		}
		if n > 0 {
			w := f.weight(c)
			sum += w * float64(ok) / float64(n)
			weight += w
			node.Earned, node.Possible, node.InPlay = w*float64(ok)/float64(n), w, true
			node.Detail = fmt.Sprintf("%d OK of the last %d: %s", ok, n, f.opened.Checks[c].Promise)
		}
		slices.Sort(node.Events)
		nodes = append(nodes, node)
	}
	if weight == 0 {
		return 0, nodes
	}
	return sum / weight, scale(nodes, 1/weight)
}

// scale multiplies the points of nodes.
func scale(nodes []Node, by float64) []Node {
	for i := range nodes {
		nodes[i].Earned *= by
		nodes[i].Possible *= by
	}
	return nodes
}

// lastGreen is when the last brick in play turned green, zero where one did not.
func lastGreen(tallies []tally) time.Time {
	var last time.Time
	for _, t := range tallies {
		if !t.brick || !t.node.InPlay {
			continue
		}
		if t.green.IsZero() {
			return time.Time{}
		}
		if t.green.After(last) {
			last = t.green
		}
	}
	return last
}
