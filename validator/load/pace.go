package load

import (
	"fmt"
	"math"
	"time"

	"bogops/validator/contest"
	"bogops/validator/journal"
)

// ramp is a rate that changes linearly from stage to stage.
//
// Within a stage that goes from rate a to b in d seconds, the arrivals due by
// the time t are its integral, A(t) = a·t + (b-a)·t²/2d. Arrival n is due where
// A(t) = n. Of the quadratic's solutions the form 2n/(a + √(a² + 2n(b-a)/d)) is
// taken: it holds for a = b too, and subtracts no two numbers that are near.
type ramp struct {
	stages []stage
	total  float64 // arrivals
	length float64 // seconds
}

// stage is one linear part; start and before are what came before it.
type stage struct {
	from, to, seconds float64
	start, before     float64
}

func newRamp(c contest.Campaign) (ramp, error) {
	var r ramp
	rate := 0.0
	for i, s := range c.Ramp {
		if s.For <= 0 || s.To < 0 || math.IsNaN(s.To) || math.IsInf(s.To, 0) {
			return ramp{}, fmt.Errorf("stage %d goes to %g requests a second in %v, want a rate of at least 0 and a time over 0", i+1, s.To, s.For)
		}
		next := stage{from: rate, to: s.To, seconds: s.For.Seconds(), start: r.length, before: r.total}
		r.stages = append(r.stages, next)
		r.total += (next.from + next.to) / 2 * next.seconds
		r.length += next.seconds
		rate = s.To
	}
	if d := c.Duration.Seconds(); d > 0 && math.Abs(d-r.length) > 0.001 {
		return ramp{}, fmt.Errorf("the ramp lasts %gs, want the campaign's duration of %v", r.length, c.Duration)
	}
	if r.total < 1 {
		return ramp{}, fmt.Errorf("the ramp offers %g requests, want at least 1", r.total)
	}
	return r, nil
}

// due is when n arrivals have been offered, in seconds.
func (r ramp) due(n float64) float64 {
	for i, s := range r.stages {
		if m := n - s.before; m <= s.arrivals() || i == len(r.stages)-1 {
			return s.start + s.inverse(m)
		}
	}
	return r.length
}

func (s stage) arrivals() float64 { return (s.from + s.to) / 2 * s.seconds }

func (s stage) inverse(n float64) float64 {
	root := math.Sqrt(max(0, s.from*s.from+2*n*(s.to-s.from)/s.seconds))
	if s.from+root == 0 {
		return 0
	}
	return min(s.seconds, 2*n/(s.from+root))
}

// offered is how many arrivals are due by t seconds.
func (r ramp) offered(t float64) float64 {
	s, u, ok := r.at(t)
	if !ok {
		return r.total
	}
	return s.before + u*s.from + (s.to-s.from)*u*u/(2*s.seconds)
}

// rate is how many requests a second are offered at t seconds.
func (r ramp) rate(t float64) float64 {
	s, u, ok := r.at(t)
	if !ok {
		return 0
	}
	return s.from + (s.to-s.from)*u/s.seconds
}

// at is the stage at t seconds, and how far into it that is.
func (r ramp) at(t float64) (s stage, u float64, ok bool) {
	for _, s := range r.stages {
		if u := max(0, t-s.start); u < s.seconds {
			return s, u, true
		}
	}
	return stage{}, 0, false
}

func (r ramp) peak() float64 {
	peak := 0.0
	for _, s := range r.stages {
		peak = max(peak, s.from, s.to)
	}
	return peak
}

func (r ramp) journal() []journal.Stage {
	var stages []journal.Stage
	for _, s := range r.stages {
		stages = append(stages, journal.Stage{From: s.from, To: s.to, Seconds: journal.Seconds(s.seconds)})
	}
	return stages
}

// Due is when arrival n is due, after T0.
func (p *Plan) Due(n int) time.Duration {
	return time.Duration(p.ramp.due(float64(n)) * float64(time.Second))
}

// firstAt is the first arrival that is due at t or later. The formula gives it
// but for the rounding of Due, which the two loops undo.
func (p *Plan) firstAt(t time.Duration) int {
	n := int(math.Ceil(p.ramp.offered(t.Seconds())))
	n = max(0, min(n, p.length))
	for n > 0 && p.Due(n-1) >= t {
		n--
	}
	for n < p.length && p.Due(n) < t {
		n++
	}
	return n
}
