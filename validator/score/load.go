package score

import (
	"fmt"
	"math"
	"slices"
)

// baseline is what a team did outside the windows.
type baseline struct {
	offered, good float64
	unsent        float64 // and what was offered in inconclusive seconds
	slots, up     int
	losses        []uint64 // lines of seconds in which something was not good
	down          []uint64 // lines of the slots that were not up
}

// baseline sums up the seconds that belong to no window. Inconclusive ones and
// arrivals that the judge could not send leave.
func (t *track) baseline() baseline {
	var b baseline
	slot := float64(Slot(t.campaign.Duration))
	current, offered, right := -1, 0, 0
	var lines []uint64
	settle := func() {
		if offered > 0 {
			b.slots++
			if 2*right >= offered {
				b.up++
			} else {
				b.down = append(b.down, lines...)
			}
		}
		offered, right, lines = 0, 0, nil
	}
	for n, s := range t.seconds {
		if s.line == 0 || t.campaign.window(n) != nil {
			continue
		}
		b.unsent += float64(s.unsent)
		if s.inconclusive {
			b.unsent += float64(s.offered)
			continue
		}
		if in := int(float64(n) / slot); in != current {
			settle()
			current = in
		}
		offered += s.offered
		right += s.right
		lines = append(lines, s.line)
		b.offered += float64(s.offered)
		b.good += float64(s.good)
		if s.good < s.offered {
			b.losses = append(b.losses, s.line)
		}
	}
	settle()
	slices.Sort(b.losses)
	slices.Sort(b.down)
	return b
}

// p99 is the 99th percentile, in seconds, of all that was offered of op outside
// the windows, from when each was due; what was wrong or unserved counts as the
// SLO's max. ok is false where nothing was offered.
func (t *track) p99(op string) (p99 float64, ok bool) {
	h, worst := t.latency[op], t.worst[op]
	right := int64(0)
	if h != nil {
		right = h.TotalCount()
	}
	if right+worst == 0 {
		return 0, false
	}
	ceiling := float64(t.campaign.SLO[op].Max)
	rank := (99*(right+worst) + 99) / 100 // ⌈0.99 n⌉, in whole numbers
	if rank > right {
		return ceiling, true
	}
	micros := h.ValueAtPercentile(100 * float64(rank) / float64(right))
	return math.Min(ceiling, float64(micros)/1e6), true
}

// operations are what the latency term is the mean of.
var operations = []string{"put", "get"}

// latencyShare is the mean over PUT and GET of cl((max − p99)/(max − target)).
func (t *track) latencyShare() (share float64, detail string) {
	n := 0
	for _, op := range operations {
		p99, ok := t.p99(op)
		slo := t.campaign.SLO[op]
		if !ok || slo.Max <= slo.Target {
			continue
		}
		n++
		share += clamp((float64(slo.Max) - p99) / float64(slo.Max-slo.Target))
		detail += fmt.Sprintf("; p99 of %s %.3f s, perfect at %.3f s, nothing at %.3f s", op, p99, float64(slo.Target), float64(slo.Max))
	}
	return share / math.Max(1, float64(n)), detail
}

// availability is cl((log10(1/u) − 1)/1.7) with u = max(1 − A, 10⁻⁹).
func availability(up, slots int) float64 {
	a := float64(up) / math.Max(1, float64(slots))
	return clamp((math.Log10(1/math.Max(1-a, 1e-9)) - 1) / 1.7)
}

// lostSeconds is how many good-seconds a team lost under all load.
func (f *Fold) lostSeconds(team int) float64 {
	lost := 0.0
	for _, c := range f.campaigns {
		lost += c.tracks[team].lost(0, len(c.tracks[team].seconds))
	}
	return lost
}

// lost is LGS: Σ (1 − good/offered) over the seconds [from, to), in seconds.
func (t *track) lost(from, to int) float64 {
	lost := 0.0
	for n := max(0, from); n < min(to, len(t.seconds)); n++ {
		if s := t.seconds[n]; s.line != 0 && !s.inconclusive && s.offered > 0 {
			lost += 1 - float64(s.good)/float64(s.offered)
		}
	}
	return lost
}
