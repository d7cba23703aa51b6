package load

import (
	"sync"
	"time"

	"bogops/validator/journal"
)

// The melt rule on the real day: three windows running with less than 80 %
// right, or less than 50 % good, of what was offered. The ramp then stops at
// the last good rate for a minute, to see whether the platform recovers.
const (
	meltWindow  = 10 * time.Second
	meltWindows = 3
	meltRest    = 60 * time.Second
	meltRight   = 0.8
	meltGood    = 0.5
)

// melt watches for a platform that has melted. What is then not sent counts as
// unserved: the plan stays the same for all.
type melt struct {
	window, rest time.Duration
	injectors    float64

	mu       sync.Mutex
	from     int // the second in which the window began
	sum      journal.Load
	bad      int     // windows running
	lastGood float64 // requests a second of this injector, 0: none yet
	until    time.Duration
	times    int
}

func newMelt(c Config) *melt {
	return &melt{window: c.scaled(meltWindow), rest: c.scaled(meltRest), injectors: float64(max(1, c.Injector.Of)), from: c.First}
}

// second takes a complete second into account.
func (m *melt) second(l journal.Load) {
	m.mu.Lock()
	defer m.mu.Unlock()
	end := time.Duration(l.Second+1) * time.Second
	if end <= m.until || l.Inconclusive {
		m.from, m.sum = l.Second+1, journal.Load{} // cut by ourselves, or our own fault
		return
	}
	m.sum.Offered += l.Offered
	m.sum.Right += l.Right
	m.sum.Good += l.Good
	if end-time.Duration(m.from)*time.Second < m.window {
		return
	}
	m.close(end)
	m.from, m.sum = l.Second+1, journal.Load{}
}

func (m *melt) close(end time.Duration) {
	offered := float64(m.sum.Offered)
	switch {
	case offered == 0:
	case float64(m.sum.Right) >= meltRight*offered && float64(m.sum.Good) >= meltGood*offered:
		m.bad = 0
		m.lastGood = offered / (end.Seconds() - float64(m.from))
	default:
		if m.bad++; m.bad == meltWindows {
			m.bad = 0
			m.times++
			m.until = end + m.rest
		}
	}
}

// sends reports whether an arrival is sent: all of them, but at the last good
// rate while the ramp is stopped. The same arrivals are kept for every team.
func (m *melt) sends(p *Plan, a Arrival) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if a.Due >= m.until {
		return true
	}
	return p.share(forThinning, a.N)*p.ramp.rate(a.Due.Seconds()) < m.lastGood*m.injectors
}

func (m *melt) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.times
}
