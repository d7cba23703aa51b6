package score

import (
	"fmt"
	"math"

	"bogops/validator/journal"
)

// campaignPart is k · g · (180 GP + 80 cl((log10(1/u) − 1)/1.7) + 40 L) of 300
// for each campaign, and the mean of several. While a campaign runs its points
// come with the share of it that is over.
func (f *Fold) campaignPart(team int, points float64) tally {
	t := tally{}
	var scored []Node
	for _, c := range f.campaigns {
		track := c.tracks[team]
		b := track.baseline()
		t.counted += b.offered
		t.all += b.offered + b.unsent
		if b.offered == 0 {
			continue
		}
		k := f.kappa(team, c)
		t.provisional = t.provisional || k.provisional
		scored = append(scored, f.load(track, b, k, points))
	}
	return f.mean(t, scored, "no load yet")
}

func (f *Fold) load(t *track, b baseline, k kappa, points float64) Node {
	g, integrity := gate(t.audited)
	gp := b.good / b.offered
	up := availability(b.up, b.slots)
	share, p99s := t.latencyShare()
	served := math.Min(1, gp/0.5)
	ran, running := 1.0, ""
	if !f.over(t) {
		ran = clamp(float64(len(t.seconds)) / float64(t.campaign.Duration))
		running = fmt.Sprintf(", · %s, the share of the campaign that is over", num(ran))
	}
	factor := ran * k.factor() * g * points / 300
	part := func(label string, of, x float64, detail string, events []uint64) Node {
		return Node{Label: label, Earned: factor * of * x, Possible: points / 300 * of, InPlay: true, Detail: num(of) + " · " + detail, Events: events}
	}
	n := Node{Label: "campaign " + t.campaign.ID, Possible: points, InPlay: true, Events: events(t.campaign.line, t.auditLine, k.line)}
	n.Children = []Node{
		part("goodput", 180, gp, fmt.Sprintf("%s: %.0f right and in time of %.0f offered", num(gp), b.good, b.offered), b.losses),
		part("availability", 80, up, fmt.Sprintf("%s: %d of %d slots had half of their answers right", num(up), b.up, b.slots), b.down),
		part("latency", 40, share*served, fmt.Sprintf("%s · %s%s", num(share), num(served), p99s), nil),
	}
	n.Earned = factor * (180*gp + 80*up + 40*share*served)
	n.Detail = fmt.Sprintf("k %s (%s) · g %s (%s)%s", num(k.factor()), k.text, num(g), integrity, running)
	return n
}

// mean closes a part that is the mean of its campaigns.
func (f *Fold) mean(t tally, scored []Node, waiting string) tally {
	if len(scored) == 0 {
		t.node.Detail = waiting
		if f.closed {
			t.state, t.node.Detail = gone, "no sample that counts: the judge's own fault"
		}
		return t
	}
	t.state = known
	n := float64(len(scored))
	for _, s := range scored {
		t.node.Earned += s.Earned / n
	}
	t.node.Children = scale(scored, 1/n)
	for i := range scored {
		scale(scored[i].Children, 1/n)
	}
	if len(scored) == 1 {
		t.node.Detail, t.node.Events, t.node.Children = scored[0].Detail, scored[0].Events, scored[0].Children
	} else {
		t.node.Detail = fmt.Sprintf("the mean of %d campaigns", len(scored))
	}
	return t
}

// gate is g = max(0, 1 − 200 (lost + stale + corrupt)/acknowledged), 1 where
// nothing was acknowledged. What never came back in all tries is lost; what
// the judge itself failed to read leaves.
func gate(a journal.Audit) (g float64, text string) {
	acknowledged := a.Acknowledged - a.Inconclusive
	if acknowledged <= 0 {
		return 1, "nothing audited yet"
	}
	g = math.Max(0, 1-200*float64(missing(a))/float64(acknowledged))
	return g, fmt.Sprintf("%d lost, %d stale, %d corrupt of %d acknowledged", a.Lost, a.Stale, a.Corrupt, acknowledged)
}

// missing counts the acknowledged objects that did not come back as they were
// put.
func missing(a journal.Audit) int { return a.Lost + a.Stale + a.Corrupt }

// kappa is the share of acknowledged objects whose bytes were read in Ceph.
type kappa struct {
	share       float64
	provisional bool
	line        uint64
	text        string
}

// factor is k = 0.4 + 0.6 κ.
func (k kappa) factor() float64 { return 0.4 + 0.6*k.share }

// kappa is 1 where Ceph is not in play and 0 where nothing was acknowledged.
// Where the judge read nothing in this campaign, the share of the last one that
// it did read stands; before any, the points are provisional.
func (f *Fold) kappa(team int, of *campaign) kappa {
	if !f.cephInPlay() {
		return kappa{share: 1, text: "Ceph is not in play"}
	}
	k := kappa{share: 1, provisional: true, text: "not read in Ceph yet"}
	for _, c := range f.campaigns {
		t := c.tracks[team]
		if t.readLine != 0 && t.read.Sampled > t.read.Void {
			read := t.read.Sampled - t.read.Void
			k = kappa{share: clamp(float64(t.read.Proven) / float64(read)), line: t.readLine}
			k.text = fmt.Sprintf("%d of %d sampled objects read in Ceph", t.read.Proven, read)
		}
		if c == of {
			if f.over(t) && acknowledged(t) == 0 {
				return kappa{text: "nothing was acknowledged"}
			}
			break
		}
	}
	return k
}

func (f *Fold) cephInPlay() bool {
	for _, b := range f.opened.Rules.Bricks {
		if b.ID == "ceph" {
			return b.InPlay && b.Points > 0
		}
	}
	return false
}

func acknowledged(t *track) int {
	sum := 0
	for _, s := range t.seconds {
		sum += s.acked
	}
	return sum
}
