package board

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// A plot is 1000 wide and 100 high, stretched over its pane; y runs down.
const (
	plotWidth  = 1000
	plotHeight = 100
)

// pen writes a path.
type pen struct {
	d    strings.Builder
	down bool
}

// to draws on to a point, or begins there.
func (p *pen) to(x, y float64) {
	op := "M"
	if p.down {
		op = "L"
	}
	fmt.Fprintf(&p.d, "%s%s %s", op, short1(x), short1(y))
	p.down = true
}

// lift ends a line: the next point begins another.
func (p *pen) lift() { p.down = false }

func (p *pen) String() string { return p.d.String() }

// short1 spells a coordinate with one decimal at most.
func short1(x float64) string {
	return strings.TrimSuffix(fmt.Sprintf("%.1f", x), ".0")
}

// axis maps the time of a campaign to the width of the plot, and its rates to
// the height.
type axis struct {
	c      *campaign
	top    float64 // rate at the top edge
	bucket int     // seconds to a point
}

// points is how many points a line has at most.
const points = 240

func newAxis(c *campaign) axis {
	seconds := c.span().Seconds()
	return axis{c: c, top: 1.08 * c.peak(), bucket: max(1, int(math.Ceil(seconds/points)))}
}

func (a axis) x(at time.Duration) float64 {
	return plotWidth * min(1, max(0, at.Seconds()/a.c.span().Seconds()))
}

func (a axis) y(rate float64) float64 { return plotHeight * (1 - rate/a.top) }

// logY is where a latency stands between 10 ms below and 10 s above.
func logY(d time.Duration) float64 {
	decades := math.Log10(max(d.Seconds(), 0.001)) // -2 to 1
	return plotHeight * min(1.02, max(-0.02, (1-decades)/3))
}

// planned draws the planned rate between two offsets.
func (a axis) planned(p *pen, from, to time.Duration) {
	p.to(a.x(from), a.y(a.c.rate(from)))
	at := time.Duration(0)
	for _, s := range a.c.Stages {
		at += s.Seconds.Duration()
		if at > from && at < to {
			p.to(a.x(at), a.y(a.c.rate(at)))
		}
	}
	p.to(a.x(to), a.y(a.c.rate(to)))
}

// good draws the planned rate times the share of it that was good: so the
// white between the two lines is what was missed, and not how the arrivals
// happened to fall into seconds. Where nothing counts it stays at the share
// before: what is not known is not drawn as missed.
func (a axis) good(l *lane, until time.Duration) string {
	var p pen
	p.to(0, plotHeight)
	share := 1.0
	for n := 0; n < len(l.seconds); n += a.bucket {
		if known, any := l.level(n, n+a.bucket); any {
			share = known
		}
		from, to := time.Duration(n)*time.Second, min(until, time.Duration(n+a.bucket)*time.Second)
		mid := from + (to-from)/2
		if n == 0 {
			p.to(0, a.y(a.c.rate(0)*share))
		}
		p.to(a.x(mid), a.y(a.c.rate(mid)*share))
		if n+a.bucket >= len(l.seconds) {
			p.to(a.x(to), a.y(a.c.rate(to)*share))
		}
	}
	p.to(a.x(until), plotHeight)
	return p.String()
}

// told is how far a lane's seconds are known at now. A second is told once all
// of its answers are in, for one team sooner than for the other: what is not
// told yet is drawn neither as good nor as missed.
func (l *lane) told(now time.Duration) time.Duration {
	return min(now, time.Duration(len(l.seconds))*time.Second)
}

// bite is all that was offered; the good area covers its part.
func (a axis) bite(until time.Duration) string {
	var p pen
	p.to(0, plotHeight)
	a.planned(&p, 0, until)
	p.to(a.x(until), plotHeight)
	return p.String() + "Z"
}

// ours marks the seconds that the judge itself spoiled.
func (a axis) ours(l *lane) string {
	var d strings.Builder
	for n, s := range l.seconds {
		if s.known && s.inconclusive {
			at := time.Duration(n) * time.Second
			fmt.Fprintf(&d, "M%s 0V100H%sV0Z", short1(a.x(at)), short1(a.x(at+time.Second)))
		}
	}
	return d.String()
}

// p99 draws the worst second of each bucket.
func (a axis) p99(l *lane) string {
	var p pen
	for n := 0; n < len(l.seconds); n += a.bucket {
		var worst time.Duration
		for _, s := range l.seconds[n:min(n+a.bucket, len(l.seconds))] {
			if s.known && !s.inconclusive {
				worst = max(worst, s.p99)
			}
		}
		if worst == 0 {
			p.lift()
			continue
		}
		p.to(a.x(time.Duration(n)*time.Second+time.Duration(a.bucket)*time.Second/2), logY(worst))
	}
	return p.String()
}

// instances draws how many instances answered, as steps.
func (a axis) instances(l *lane, most int) string {
	var d strings.Builder
	last := -1
	for n, s := range l.seconds {
		if !s.known || s.instances == last {
			continue
		}
		x, y := short1(a.x(time.Duration(n)*time.Second)), short1(stepY(s.instances, most))
		if last < 0 {
			fmt.Fprintf(&d, "M%s %s", x, y)
		} else {
			fmt.Fprintf(&d, "H%sV%s", x, y)
		}
		last = s.instances
	}
	if last >= 0 {
		fmt.Fprintf(&d, "H%s", short1(a.x(time.Duration(len(l.seconds))*time.Second)))
	}
	return d.String()
}

func stepY(n, most int) float64 { return plotHeight * (1 - float64(n)/float64(most)) }
