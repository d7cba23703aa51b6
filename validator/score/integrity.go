package score

import (
	"fmt"
	"math"
	"slices"

	"bogops/validator/journal"
)

// integrityPart is 50 · k · [nothing lost, stale or corrupt] ·
// min(1, acknowledged/(0.5 · offered PUTs)) for each audited campaign. Every
// finding of the audit is a node of its own.
func (f *Fold) integrityPart(team int, points float64) tally {
	t := tally{}
	waiting := "no audit yet"
	var scored []Node
	for _, c := range f.campaigns {
		track := c.tracks[team]
		a := track.audited
		if track.auditLine != 0 && !a.Done {
			waiting = fmt.Sprintf("audit under way: %d of %d objects read again", a.Checked, a.Acknowledged)
		}
		if !a.Done {
			continue
		}
		t.counted += float64(a.Acknowledged - unread(a))
		t.all += float64(a.Acknowledged)
		puts, acked := track.puts()
		if puts == 0 || a.Acknowledged > 0 && unread(a) >= a.Acknowledged {
			continue
		}
		k := f.kappa(team, c)
		t.provisional = t.provisional || k.provisional
		scored = append(scored, integrity(track, k, puts, acked, points))
	}
	return f.mean(t, scored, waiting)
}

// unread is how many objects nobody can speak for: the judge was at fault, or
// the witness was as silent as the platform.
func unread(a journal.Audit) int { return a.Inconclusive + a.Unreachable }

func integrity(t *track, k kappa, puts, acked int, points float64) Node {
	whole, verdict := 1.0, "nothing lost, stale or corrupt"
	if n := missing(t.audited); n > 0 {
		whole, verdict = 0, fmt.Sprintf("%d of %d acknowledged objects lost, stale or corrupt", n, t.audited.Acknowledged)
	}
	took := math.Min(1, float64(acked)/(0.5*float64(puts)))
	n := Node{
		Label: "campaign " + t.campaign.ID, Earned: points * k.factor() * whole * took, Possible: points, InPlay: true,
		Detail: fmt.Sprintf("%s · k %s (%s) · %.0f (%s) · %s (%d acknowledged of %d PUTs offered, half is enough)",
			num(points), num(k.factor()), k.text, whole, verdict, num(took), acked, puts),
		Events: events(t.auditLine, k.line),
	}
	for _, found := range t.audited.Findings {
		n.Children = append(n.Children, finding(found, t.auditLine))
	}
	if listed, all := len(n.Children), missing(t.audited); listed > 0 && listed < all {
		n.Children = append(n.Children, Node{Label: fmt.Sprintf("and %d more", all-listed), InPlay: true, Events: events(t.auditLine)})
	}
	return n
}

// finding names the object that was not as it was put.
func finding(found journal.Finding, line uint64) Node {
	return Node{
		Label: found.Class + " " + found.Key, InPlay: true, Events: events(line),
		Detail: fmt.Sprintf("got %s, want %s, after %d tries", found.Got, found.Want, found.Tries),
	}
}

// puts counts the PUTs offered and acknowledged over the whole campaign.
func (t *track) puts() (offered, acked int) {
	for _, s := range t.seconds {
		if s.line != 0 && !s.inconclusive {
			offered += s.puts
			acked += s.acked
		}
	}
	return offered, acked
}

// events sorts line numbers and drops those that are not there.
func events(lines ...uint64) []uint64 {
	lines = slices.DeleteFunc(lines, func(line uint64) bool { return line == 0 })
	slices.Sort(lines)
	return lines
}
