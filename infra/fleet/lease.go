package fleet

import (
	"crypto/rand"
	"crypto/subtle"
	"time"
)

// lease is the right of one roll-out to change what runs. While it is held the
// group itself replaces nothing.
type lease struct {
	id     string // secret between the group and the holder
	holder string
	since  time.Time
	until  time.Time
}

// take gives the lease to holder, unless another roll-out has it: then that one
// is returned, and ok is false.
func (g *Group) take(holder string, lasts time.Duration) (l lease, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	g.endLease(now)
	if g.lease != nil {
		return *g.lease, false
	}
	g.lease = &lease{id: rand.Text(), holder: holder, since: now, until: now.Add(lasts)}
	g.logf("roll-out by %s begins", holder)
	return *g.lease, true
}

// held says whether id is the lease in force. The caller holds g.mu.
func (g *Group) held(id string) bool {
	g.endLease(time.Now())
	return g.lease != nil && subtle.ConstantTimeCompare([]byte(g.lease.id), []byte(id)) == 1
}

// endLease ends a lease that was not renewed in time, by a clock that cannot be
// set. The caller holds g.mu.
func (g *Group) endLease(now time.Time) {
	if g.lease != nil && now.After(g.lease.until) {
		g.logf("the roll-out by %s has not been heard of in time: the group returns to its release", g.lease.holder)
		g.lease = nil
	}
}
