package score

import (
	"fmt"
	"slices"
	"time"

	"bogops/validator/verdict"
)

// firstLoad is when the first campaign begins, begun or planned; the end where
// there is none.
func (f *Fold) firstLoad() time.Time {
	switch {
	case len(f.campaigns) > 0:
		return f.campaigns[0].At
	case f.opened.FirstLoad != nil:
		return *f.opened.FirstLoad
	}
	return f.opened.End
}

// ticks returns the ticks of the day, before and after the first load.
func (f *Fold) ticks() []int {
	var ticks []int
	for i, at := range f.tickAt {
		if !at.IsZero() && at.Before(f.opened.End) {
			ticks = append(ticks, i+1)
		}
	}
	return ticks
}

// watch is the day, as one brick of one team spent it.
type watch struct {
	start, load, end time.Time // of the contest and, in between, of its first load
	ticks            []int
	n                int     // N: counted ticks before the first load
	held             float64 // Σ s(t) from green on, before the first load
	counted, all     float64 // samples of the day
	greenAt          time.Time
	run              []uint64 // the lines that made it green
	losses           []uint64 // the lines that held lacks something for, since then
}

func (w watch) early() float64 {
	if w.greenAt.IsZero() || !w.end.After(w.start) {
		return 0
	}
	return clamp(w.end.Sub(w.greenAt).Seconds() / w.end.Sub(w.start).Seconds())
}

func (w watch) greenText() string {
	if w.greenAt.IsZero() {
		return "never green"
	}
	return fmt.Sprintf("green at %s, %.0f s before the end of the contest's %.0f s", utc(w.greenAt),
		w.end.Sub(w.greenAt).Seconds(), w.end.Sub(w.start).Seconds())
}

// utc writes the time of a day.
func utc(at time.Time) string { return at.UTC().Format(time.TimeOnly) + " UTC" }

// watch walks the ticks once. The first load ends what is held, and nothing else:
// a run that makes the brick green may begin before it or after. A tick counts when at least one required check
// does; it can be part of the green run when all of them do, except those that
// the judge never managed to check: they are nobody's loss.
func (f *Fold) watch(team int, required []int) watch {
	w := watch{start: f.opened.Start, load: f.firstLoad(), end: f.opened.End, ticks: f.ticks()}
	ever := f.ever(team, required, w.ticks)
	var run []uint64
	var runAt time.Time
	var runLength int
	var runHeld float64
	for _, tick := range w.ticks {
		s := f.tick(team, required, tick)
		w.counted += float64(s.counted)
		w.all += float64(s.taken)
		if s.counted == 0 {
			continue
		}
		held := 0.0
		if f.tickAt[tick-1].Before(w.load) {
			w.n++
			held = s.share / s.weight
			if !w.greenAt.IsZero() {
				w.losses = append(w.losses, s.bad...)
			}
		}
		switch {
		case !w.greenAt.IsZero():
			w.held += held
		case len(s.bad) > 0:
			run, runLength, runHeld = nil, 0, 0
		case s.counted < ever:
			runHeld += held
		default:
			if runLength == 0 {
				runAt, runHeld = f.tickAt[tick-1], 0
			}
			runLength++
			runHeld += held
			run = append(run, s.lines...)
			if runLength >= max(1, f.opened.Rules.GreenAfter) {
				w.greenAt, w.run, w.held = runAt, run, runHeld
			}
		}
	}
	slices.Sort(w.run)
	slices.Sort(w.losses)
	return w
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
		weight := f.weight(c)
		sum.counted++
		sum.share += weight * share
		sum.weight += weight
		sum.lines = append(sum.lines, s.line)
		if s.status != verdict.OK {
			sum.bad = append(sum.bad, s.line)
		}
	}
	return sum
}
