package radosstore

import (
	"fmt"
	"sync"
	"time"

	"bogops/app/store"
)

// slowTrip is from when on a round trip through the pool is worth a word.
const slowTrip = time.Second

// lingering is how long a time-out or a full pool is worth a word.
const lingering = 10 * time.Second

// mood is what the operations say about the pool. An operation that timed out
// means that the pool is down, unless one that began later has succeeded: then
// only a part of it does not answer. Down ends with the first success that
// began after the failure did.
type mood struct {
	mu        sync.Mutex
	down      string    // why; empty: not down
	bad       time.Time // when the latest operation began that timed out
	good      time.Time // when the latest operation began that succeeded
	timedOut  time.Time // when the latest time-out was noticed
	full      time.Time // when the pool latest said that it is full
	roundTrip time.Duration
}

// success notes that an operation that began then was answered.
func (m *mood) success(began time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if began.After(m.good) {
		m.good = began
	}
	if began.After(m.bad) {
		m.down = ""
	}
}

// timeout notes that an operation that began then was not answered in time.
func (m *mood) timeout(began, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.timedOut = now
	if began.After(m.bad) {
		m.bad = began
	}
	if !m.good.After(began) {
		m.down = fmt.Sprintf("The pool has not answered for %v.", now.Sub(began).Round(100*time.Millisecond))
	}
}

// failure notes that the pool cannot be used, since an operation that began
// then.
func (m *mood) failure(began time.Time, why string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if began.After(m.bad) {
		m.bad = began
	}
	m.down = why
}

// refusal notes that the pool was full.
func (m *mood) refusal(now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.full = now
}

// trip notes how long a round trip took.
func (m *mood) trip(took time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.roundTrip = took
}

// refuse returns an error while the pool is down: an operation would only hold
// a place until it times out.
func (m *mood) refuse() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down != "" {
		return fmt.Errorf("%w: %s", store.ErrUnavailable, m.down)
	}
	return nil
}

func (m *mood) health(now time.Time) store.Health {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.down != "":
		return store.Health{State: store.Down, Reason: m.down}
	case !m.timedOut.IsZero() && now.Sub(m.timedOut) < lingering:
		return store.Health{State: store.Degraded, Reason: "Some operations were not answered in time."}
	case !m.full.IsZero() && now.Sub(m.full) < lingering:
		return store.Health{State: store.Degraded, Reason: "The pool is full: what is new is not stored."}
	case m.roundTrip > slowTrip:
		return store.Health{State: store.Degraded, Reason: fmt.Sprintf("A round trip through the pool takes %v.", m.roundTrip.Round(10*time.Millisecond))}
	}
	return store.Health{State: store.Healthy}
}
