package board

import (
	"time"

	"bogops/validator/verdict"
)

// lamp is the debounced state of one tile. It turns green after greenAfter
// good ticks running and leaves green after redAfter bad ones; from one bad
// state to another, and to bad from nothing, it goes at once. Ticks that do not
// count break no run: after redAfter of them the lamp shows why it knows
// nothing, and the first tick that counts brings it back.
type lamp struct {
	greenAfter, redAfter int

	shown verdict.Status
	since time.Time

	counted    verdict.Status // what counted ticks led to; empty before the first
	countedAt  time.Time
	good, bad  int // counted ticks running
	uncounted  int // ticks running
	provenOnce bool
}

func newLamp(greenAfter, redAfter int) lamp {
	return lamp{greenAfter: max(greenAfter, 1), redAfter: max(redAfter, 1), shown: verdict.NotChecked}
}

// step takes the next tick.
func (l *lamp) step(raw verdict.Status, at time.Time) {
	if !counts(raw) {
		l.uncounted++
		if raw != verdict.NotChecked && (l.counted == "" || l.uncounted >= l.redAfter) {
			l.show(raw, at)
		}
		return
	}
	l.uncounted = 0
	if raw == verdict.OK {
		l.good, l.bad = l.good+1, 0
	} else {
		l.good, l.bad = 0, l.bad+1
	}
	l.settle(l.next(raw), at)
}

// next is what the counted ticks so far lead to.
func (l *lamp) next(raw verdict.Status) verdict.Status {
	switch {
	case raw == verdict.OK && (l.counted == verdict.OK || l.good >= l.greenAfter):
		return verdict.OK
	case raw == verdict.OK && (l.counted == "" || l.counted == verdict.NotChecked):
		return verdict.NotChecked
	case raw == verdict.OK:
		return verdict.Recovering
	case l.counted == verdict.OK && l.bad < l.redAfter:
		return verdict.OK
	}
	return raw
}

func (l *lamp) settle(s verdict.Status, at time.Time) {
	if l.counted != s {
		l.counted, l.countedAt = s, at
	}
	l.provenOnce = l.provenOnce || s == verdict.OK
	l.show(s, l.countedAt)
}

func (l *lamp) show(s verdict.Status, at time.Time) {
	if l.shown != s || l.since.IsZero() {
		l.shown, l.since = s, at
	}
}
