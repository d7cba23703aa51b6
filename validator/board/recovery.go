package board

import (
	"math"
	"time"
)

// loss is what a fault or a redeployment cost one team, by the definitions of
// the score: the wall shows it while the window still runs, when the score has
// not judged it yet. A test holds the two to the same numbers.
type loss struct {
	seconds   float64 // lost good-seconds: Σ (1 − good/offered) over the window
	back      time.Duration
	recovered bool
	over      bool // the load has ended: what is not back never will be
}

// loss reads a band's cost from a lane. scale multiplies the durations of the
// real day.
func (c *campaign) loss(l *lane, b *band, scale float64) loss {
	from, to := int(math.Floor(float64(b.From))), int(math.Ceil(float64(b.From+b.Length)))
	lost := loss{over: len(l.seconds) >= int(c.span().Seconds())}
	for n := max(0, from); n < min(to, len(l.seconds)); n++ {
		if s := l.seconds[n]; s.counts() {
			lost.seconds += 1 - float64(s.good)/float64(s.offered)
		}
	}
	// Back is the start of the first 30 s as good as the 30 s before, or at
	// least 90 % good; it may lie beyond the window.
	span := max(1, int(math.Round(30*scale)))
	level := 1.0
	if before, any := l.level(from-span, from); any {
		level = before
	}
	threshold := math.Max(0.99*level, 0.9)
	for n := from; n+span <= len(l.seconds); n++ {
		if now, any := l.level(n, n+span); any && now >= threshold {
			lost.recovered = true
			lost.back = time.Duration(math.Max(0, float64(n)-float64(b.From)) * float64(time.Second))
			break
		}
	}
	return lost
}

// counts tells whether a second says anything about the team.
func (s second) counts() bool { return s.known && !s.inconclusive && s.offered > 0 }

// level is good/offered over the seconds [from, to).
func (l *lane) level(from, to int) (level float64, any bool) {
	offered, good := 0, 0
	for n := max(0, from); n < min(to, len(l.seconds)); n++ {
		if s := l.seconds[n]; s.counts() {
			offered += s.offered
			good += s.good
		}
	}
	if offered == 0 {
		return 0, false
	}
	return float64(good) / float64(offered), true
}

// scale is the contest's time scale.
func (v *View) scale() float64 {
	if s := v.opened.Rules.TimeScale; s > 0 {
		return s
	}
	return 1
}
