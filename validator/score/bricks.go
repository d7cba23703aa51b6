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
// and bonus checks on top, at most 10 % of W and never above W. A brick may turn
// green at any time of the day and is proven by its end; only the last term ends
// at the first load, and so does N.
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
	day := f.watch(team, required)
	t.counted, t.all, t.green = day.counted, day.all, day.greenAt
	if day.counted == 0 {
		t.node.Detail = "not checked yet"
		if f.closed {
			t.state, t.node.Detail = gone, "every sample is the judge's own fault"
		}
		return t
	}
	t.state = known
	proven, checks := f.proven(team, required, day.ticks)
	extra, bonuses := f.proven(team, bonus, day.ticks)
	early := day.early()
	held := day.held / float64(max(1, day.n))
	w := l.points
	t.node.Children = []Node{
		{Label: "proven", Earned: 0.5 * w * proven, Possible: 0.5 * w, InPlay: true, Children: scale(checks, 0.5*w),
			Detail: fmt.Sprintf("0.5 · %s: weighted share of OK in each check's last %d counted ticks of the day", num(proven), recent)},
		{Label: "early", Earned: 0.2 * w * early, Possible: 0.2 * w, InPlay: true, Events: day.run, Detail: "0.2 · " + num(early) + ": " + day.greenText()},
		{Label: "held", Earned: 0.3 * w * held, Possible: 0.3 * w, InPlay: true, Events: day.losses,
			Detail: fmt.Sprintf("0.3 · %s: shares of the ticks since green add up to %s of %d counted ticks before %s", num(held), num(day.held), day.n, utc(day.load))},
	}
	if len(bonus) > 0 {
		t.node.Children = append(t.node.Children, Node{Label: "bonus", Earned: 0.1 * w * extra, InPlay: true, Children: scale(bonuses, 0.1*w),
			Detail: fmt.Sprintf("0.1 · %s on top, up to the brick's points", num(extra))})
	}
	t.node.Earned = min(w, w*(0.5*proven+0.2*early+0.3*held)+0.1*w*extra)
	t.node.Detail = fmt.Sprintf("%s · (0.5 · %s proven + 0.2 · %s early + 0.3 · %s held)", num(w), num(proven), num(early), num(held))
	return t
}

// weight is a check's weight; a check without one weighs 1.
func (f *Fold) weight(check int) float64 {
	if w := f.opened.Checks[check].Weight; w > 0 {
		return w
	}
	return 1
}

// proven is the weighted mean over checks of the share of OK in the last ten
// ticks of the day in which each counted, and a node of weight 1 for each.
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
