package fallback

import "time"

// Clock is the time that an instance lives by.
type Clock interface {
	// Now is the time since some moment that stays the same while the process
	// lives. It never jumps, and it goes on while the machine is suspended:
	// leases are counted on it.
	Now() time.Duration

	// Wall is the time of day, for people to read: nothing is decided by it.
	Wall() time.Time

	// Timer returns a channel that is closed, or yields, once d has passed, and
	// a function that gives the timer up.
	Timer(d time.Duration) (<-chan time.Time, func())
}

// SystemClock is the machine's own.
type SystemClock struct{}

// Now implements Clock.
func (SystemClock) Now() time.Duration { return sinceBoot() }

// Wall implements Clock.
func (SystemClock) Wall() time.Time { return time.Now().Add(wallOff()).UTC() }

// Timer implements Clock. It stands still while the machine is suspended, so it
// may be late, never early.
func (SystemClock) Timer(d time.Duration) (<-chan time.Time, func()) {
	timer := time.NewTimer(d)
	return timer.C, func() { timer.Stop() }
}
