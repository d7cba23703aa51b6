package score

import (
	"fmt"
	"math"
	"slices"
	"time"

	"bogops/validator/journal"
)

// outcome is what one planned fault or redeployment earned one team.
type outcome struct {
	w, x   float64 // weight; share earned
	k      float64 // factor of the store
	state  state   // gone: it leaves
	detail string
	events []uint64
}

// bounds are the seconds [from, to) that w touches.
func bounds(w journal.Window) (from, to int) {
	return int(math.Floor(float64(w.From))), int(math.Ceil(float64(w.From + w.Length)))
}

// chaosPart is 150 · k · Σ w x / Σ w over the faults that were verified to have
// taken: x = 0.5 cl(1 − LGS/60 s) + 0.3 cl(1 − TTR/180 s) + 0.2 healed_alone.
func (f *Fold) chaosPart(team int, points float64) tally {
	return f.windows(team, points, "fault", "no fault yet", func(t *track, w journal.Window) outcome {
		k := f.kappa(team, t.campaign)
		o := f.fault(t, w)
		o.k = k.factor()
		if o.state == known && k.share < 1 {
			o.detail += fmt.Sprintf(", all · k %s (%s)", num(o.k), k.text)
			o.events = events(append(o.events, k.line)...)
		}
		return o
	})
}

// redeployPart is 100 · Σ w x / Σ w.
func (f *Fold) redeployPart(team int, points float64) tally {
	return f.windows(team, points, "redeploy", "no redeployment yet", f.deployment)
}

// windows adds up the outcomes of all windows of a kind. Those still to come
// count in Σ w, so that points are earned one by one.
func (f *Fold) windows(team int, points float64, kind, waiting string, judge func(*track, journal.Window) outcome) tally {
	t := tally{node: Node{Detail: waiting}}
	var outcomes []outcome
	weight, void := 0.0, 0.0
	for _, c := range f.campaigns {
		for _, w := range c.Windows {
			if w.Kind != kind || w.Weight <= 0 {
				continue
			}
			o := judge(c.tracks[team], w)
			o.w = w.Weight
			switch o.state {
			case known:
				t.counted += w.Weight
				weight += w.Weight
			case pending:
				weight += w.Weight
			case gone:
				void += w.Weight
			}
			t.node.Children = append(t.node.Children, Node{Label: w.Title + " at " + clock(w.From), Detail: o.detail, Events: o.events})
			outcomes = append(outcomes, o)
		}
		t.provisional = t.provisional || kind == "fault" && t.counted > 0 && f.kappa(team, c).provisional
	}
	t.all = t.counted + void
	if weight == 0 {
		if len(outcomes) > 0 || f.closed {
			t.state, t.node.Detail = gone, "none took place: the judge's own fault"
		}
		return t
	}
	if t.counted > 0 {
		t.state = known
	}
	for i, o := range outcomes {
		if o.state == gone {
			continue
		}
		n := &t.node.Children[i]
		n.InPlay, n.Possible, n.Earned = true, points*o.w/weight, points*o.w/weight*o.k*o.x
		t.node.Earned += n.Earned
	}
	t.node.Detail = fmt.Sprintf("weights %s judged, of %s", num(t.counted), num(weight))
	return t
}

// fault judges one fault.
func (f *Fold) fault(t *track, w journal.Window) outcome {
	d := t.faults[w.ID]
	o := outcome{detail: "to come"}
	if d != nil {
		o.events = slices.Clone(d.lines)
	}
	from, to := bounds(w)
	switch {
	case d.is("refused"):
		o.state, o.detail = known, "0: the platform refused what the contract obliges it to allow"
		return o
	case d.is("verified") && !f.passed(t, to):
		o.detail = "under way"
		return o
	case d.is("verified"):
	case f.passed(t, to):
		o.state, o.detail = gone, "leaves: it was not seen to take"
		if d != nil && d.detail != "" {
			o.detail += " (" + d.detail + ")"
		}
		return o
	default:
		return o
	}
	lgs, limit := t.lost(from, to), f.scaled(60)
	ttr, threshold, recovered := f.recovery(t, w)
	alone := recovered && !d.by("rolled-back", t.campaign.At.Add(time.Duration((float64(w.From)+ttr)*float64(time.Second))))
	o.state = known
	o.x = 0.5*clamp(1-lgs/limit) + 0.2*bit(alone)
	back := fmt.Sprintf("never back at %s good", num(threshold))
	if recovered {
		o.x += 0.3 * clamp(1-ttr/f.scaled(180))
		back = fmt.Sprintf("back at %s good after %.0f s of %s s", num(threshold), ttr, num(f.scaled(180)))
	}
	healed := "not by itself"
	if alone {
		healed = "by itself"
	}
	o.detail = fmt.Sprintf("%s = 0.5 · cl(1 − %s/%s) lost good-seconds + 0.3 · %s + 0.2 · %s", num(o.x), num(lgs), num(limit), back, healed)
	return o
}

// by tells whether a state was reached at that moment or before.
func (d *disturbance) by(state string, at time.Time) bool {
	when, ok := d.states[state]
	return ok && !when.After(at)
}

// passed tells whether the seconds up to n are told, or will never be.
func (f *Fold) passed(t *track, n int) bool { return len(t.seconds) >= n || f.over(t) }

// recovery is TTR: the time to the start of the first 30 s at or above
// max(99 % of the level before, 0.9). The level before is that of the 30 s
// before the window. It may run past the window, to the end of the load.
func (f *Fold) recovery(t *track, w journal.Window) (ttr, threshold float64, ok bool) {
	span := max(1, int(math.Round(f.scaled(30))))
	from, _ := bounds(w)
	level := 1.0
	if before, any := t.level(from-span, from); any {
		level = before
	}
	threshold = math.Max(0.99*level, 0.9)
	for n := from; n+span <= len(t.seconds); n++ {
		if now, any := t.level(n, n+span); any && now >= threshold {
			return math.Max(0, float64(n)-float64(w.From)), threshold, true
		}
	}
	return 0, threshold, false
}

// level is good/offered over the seconds [from, to).
func (t *track) level(from, to int) (level float64, any bool) {
	offered, good := 0, 0
	for n := max(0, from); n < min(to, len(t.seconds)); n++ {
		if s := t.seconds[n]; s.line != 0 && !s.inconclusive {
			offered += s.offered
			good += s.good
		}
	}
	if offered == 0 {
		return 0, false
	}
	return float64(good) / float64(offered), true
}

// deployment judges one redeployment: x = ok · (0.3 + 0.5 cl(1 − LGS/20 s) +
// 0.2 cl((900 − T)/(900 − 180))).
func (f *Fold) deployment(t *track, w journal.Window) outcome {
	d := t.redeploys[w.ID]
	o := outcome{k: 1, detail: "to come"}
	if d != nil {
		o.events = slices.Clone(d.lines)
	}
	from, to := bounds(w)
	switch {
	case d.is("failed"):
		o.state, o.detail = known, "0: the build failed or its nonce never came alive"
		if d.detail != "" {
			o.detail += " (" + d.detail + ")"
		}
		return o
	case d.is("live") && f.passed(t, to):
	case f.passed(t, to) && (f.closed || d == nil || d.is("refused")):
		o.state, o.detail = gone, "leaves: the judge did not see it through"
		return o
	case d != nil:
		o.detail = "under way"
		return o
	default:
		return o
	}
	lgs, limit := t.lost(from, to), f.scaled(20)
	slowest, fastest := f.scaled(900), f.scaled(180)
	quick := clamp((slowest - float64(d.took)) / (slowest - fastest))
	o.state = known
	o.x = 0.3 + 0.5*clamp(1-lgs/limit) + 0.2*quick
	o.detail = fmt.Sprintf("%s = 0.3 live + 0.5 · cl(1 − %s/%s) lost good-seconds + 0.2 · %s for %.1f s (perfect at %s s, nothing at %s s)",
		num(o.x), num(lgs), num(limit), num(quick), float64(d.took), num(fastest), num(slowest))
	return o
}

func bit(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// clock writes an offset in a campaign as minutes and seconds.
func clock(s journal.Seconds) string {
	return fmt.Sprintf("%d:%02d", int(s)/60, int(s)%60)
}
