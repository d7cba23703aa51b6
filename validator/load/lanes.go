package load

import (
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// laneCount is how many transports share the requests, so that not all
// connections are renewed at once.
const laneCount = 4

// freshShare is the share of requests on a connection of their own.
const freshShare = 0.05

// lanes spread requests over connections that never grow old: an autoscaled
// platform gets load on its new machines only if somebody connects again.
type lanes struct {
	plan  *Plan
	make  func() *http.Transport
	age   time.Duration
	fresh *http.Transport

	mu      sync.Mutex
	current [laneCount]lane
	retired []*http.Transport
}

type lane struct {
	transport *http.Transport
	until     time.Time
}

func newLanes(c Config) *lanes {
	addresses := newAddresses(c)
	l := &lanes{plan: c.Plan, age: c.scaled(connectionAge)}
	l.make = func() *http.Transport {
		t := c.Target.Transport()
		t.DialContext = addresses.dial
		t.IdleConnTimeout = 30 * time.Second
		t.ResponseHeaderTimeout = 0 // each request has a deadline of its own
		return t
	}
	l.fresh = l.make()
	l.fresh.DisableKeepAlives = true
	return l
}

// pick returns the transport for request n. A lane that has reached its age
// gets a new one; the old one finishes what it has begun.
func (l *lanes) pick(n int, now time.Time) *http.Transport {
	share := l.plan.share(forLane, n)
	if share < freshShare {
		return l.fresh
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	lane := &l.current[int(share*1e6)%laneCount]
	if lane.transport == nil || now.After(lane.until) {
		if lane.transport != nil {
			lane.transport.CloseIdleConnections()
			l.retired = append(l.retired, lane.transport)
		}
		lane.transport = l.make()
		lane.until = now.Add(time.Duration(float64(l.age) * (0.8 + 0.4*rand.Float64())))
	}
	return lane.transport
}

// close closes the connections that are not in use. A request that took its
// transport just before it retired may have left one there, hence all of them.
func (l *lanes) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fresh.CloseIdleConnections()
	for _, t := range l.retired {
		t.CloseIdleConnections()
	}
	for _, lane := range l.current {
		if lane.transport != nil {
			lane.transport.CloseIdleConnections()
		}
	}
}
