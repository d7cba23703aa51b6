package board

import (
	"slices"
	"time"

	"bogops/validator/journal"
	"bogops/validator/verdict"
)

// stripTicks is how many ticks a tile's strip shows.
const stripTicks = 30

// tile is one brick of one team.
type tile struct {
	brick  journal.Brick
	checks []journal.Check // of this brick
	lamp   lamp
	cells  []cell // ascending; the last may still be open
}

// cell is one tick of a tile.
type cell struct {
	tick     int
	at       time.Time // of its last verdict
	statuses map[string]verdict.Status
	verdicts map[string]journal.Verdict // kept for the newest cells only
	closed   bool
}

// add takes a verdict and tells whether the tile's state changed. A tick is
// judged as a whole, once every check has answered or the next tick began:
// else a tile would be green between its first and its second check.
func (t *tile) add(v journal.Verdict, at time.Time) (changed bool) {
	before := t.lamp.shown
	n := len(t.cells)
	if n == 0 || v.Tick > t.cells[n-1].tick {
		t.close(n - 1)
		t.cells = append(t.cells, cell{tick: v.Tick, statuses: map[string]verdict.Status{}, verdicts: map[string]journal.Verdict{}})
		if n >= 2 {
			t.cells[n-2].verdicts = nil
		}
		n++
	}
	c := t.find(v.Tick)
	if c == nil {
		return false // a tick that was never opened: out of order
	}
	c.statuses[v.Check] = v.Status
	if c.verdicts != nil {
		c.verdicts[v.Check] = v
	}
	if c.closed {
		t.replay()
	} else {
		c.at = at
		if len(c.statuses) >= len(t.checks) {
			t.close(n - 1)
		}
	}
	return t.lamp.shown != before
}

func (t *tile) find(tick int) *cell {
	i, found := slices.BinarySearchFunc(t.cells, tick, func(c cell, tick int) int { return c.tick - tick })
	if !found {
		return nil
	}
	return &t.cells[i]
}

func (t *tile) close(i int) {
	if i < 0 || t.cells[i].closed {
		return
	}
	t.cells[i].closed = true
	t.lamp.step(t.status(t.cells[i]), t.cells[i].at)
}

// void annuls one check of one tick. What the lamp made of it since is worked
// out anew, so a void leaves no trace in the state.
func (t *tile) void(tick int, check string) (changed bool) {
	c := t.find(tick)
	if c == nil {
		return false
	}
	if _, found := c.statuses[check]; !found {
		return false
	}
	before := t.lamp.shown
	c.statuses[check] = verdict.Void
	if v, kept := c.verdicts[check]; kept {
		v.Status = verdict.Void
		c.verdicts[check] = v
	}
	t.replay()
	return t.lamp.shown != before
}

func (t *tile) replay() {
	t.lamp = newLamp(t.lamp.greenAfter, t.lamp.redAfter)
	for _, c := range t.cells {
		if c.closed {
			t.lamp.step(t.status(c), c.at)
		}
	}
}

// status is what the tile shows of c: its worst finding, but DEGRADED where
// only a level above bronze is short of something. Bronze is what a team must
// have to play and is scored by itself: a wall that is red for both would hide
// it. What was acknowledged and is lost stays CORRUPT at any level.
func (t *tile) status(c cell) verdict.Status {
	worst := t.worst(c)
	if (worst == verdict.Mumble || worst == verdict.Down) && t.bronzeHolds(c) {
		return verdict.Degraded
	}
	return worst
}

// worst is what c's required checks make. A brick without a required check is
// judged by all it has.
func (t *tile) worst(c cell) verdict.Status {
	var required, all []verdict.Status
	for _, check := range t.checks {
		s, found := c.statuses[check.ID]
		if !found {
			continue
		}
		all = append(all, s)
		if check.Required {
			required = append(required, s)
		}
	}
	if len(required) == 0 {
		return of(all)
	}
	return of(required)
}

// bronzeHolds tells whether the brick has a level above bronze, and what
// bronze requires is OK as far as it is known.
func (t *tile) bronzeHolds(c cell) bool {
	above, ok := false, false
	for _, check := range t.checks {
		s, found := c.statuses[check.ID]
		switch {
		case !found || !check.Required:
		case check.Level != "" && check.Level != "bronze":
			above = true
		case s == verdict.OK:
			ok = true
		case counts(s):
			return false
		}
	}
	return above && ok
}

// strip returns the raw statuses of the last ticks, oldest first.
func (t *tile) strip() []verdict.Status {
	var s []verdict.Status
	for _, c := range t.cells {
		if c.closed {
			s = append(s, t.status(c))
		}
	}
	return s[max(0, len(s)-stripTicks):]
}

// newest is the newest tick that was judged as a whole.
func (t *tile) newest() (cell, bool) {
	for _, c := range slices.Backward(t.cells) {
		if c.closed {
			return c, true
		}
	}
	return cell{}, false
}

// telling picks the verdict whose sentence the tile shows: of the checks that
// are as bad as the worst finding, a required one before a bonus, then the
// heaviest, then the first in the contest's order. held counts the checks that are OK.
func (t *tile) telling() (v journal.Verdict, held, total int, found bool) {
	c, any := t.newest()
	if !any {
		return v, 0, len(t.checks), false
	}
	status := t.worst(c)
	var best journal.Check
	for _, check := range t.checks {
		s, checked := c.statuses[check.ID]
		if !checked {
			continue
		}
		total++
		if s == verdict.OK {
			held++
		}
		if s == status && (!found || check.Required && !best.Required || check.Required == best.Required && check.Weight > best.Weight) {
			best, found = check, true
			v = c.verdicts[check.ID]
		}
	}
	return v, held, total, found
}

// retried tells whether a check of the newest tick held only on its retry.
func (t *tile) retried() bool {
	c, _ := t.newest()
	for _, v := range c.verdicts {
		if v.Retried && v.Status == verdict.OK {
			return true
		}
	}
	return false
}
