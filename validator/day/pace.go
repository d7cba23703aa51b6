package day

import (
	"sync"
	"time"

	"bogops/validator/journal"
)

// pace is what the campaign tells the ticks while it runs.
type pace struct {
	mu      sync.Mutex
	t0      time.Time
	windows []journal.Window
	lags    map[string]time.Duration // the judge's own, by team
}

// open begins a campaign at t0.
func (p *pace) open(t0 time.Time, windows []journal.Window) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.t0, p.windows, p.lags = t0, windows, map[string]time.Duration{}
}

// inWindow says whether at lies in the window of a fault or a redeployment.
func (p *pace) inWindow(at time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	after := journal.Of(at.Sub(p.t0))
	for _, w := range p.windows {
		if after >= w.From && after < w.From+w.Length {
			return true
		}
	}
	return false
}

// measured notes the judge's own lag in a second of load on team.
func (p *pace) measured(team string, lag time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lags[team] = lag
}

// lag is the worst of the last measured ones.
func (p *pace) lag() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	worst := time.Duration(0)
	for _, lag := range p.lags {
		worst = max(worst, lag)
	}
	return worst
}
