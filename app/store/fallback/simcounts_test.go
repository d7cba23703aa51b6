package fallback

import (
	"fmt"
	"sync/atomic"
)

// counts say that something has happened.
type counts struct {
	primary, fallback, reconciling, moving atomic.Int64 // acknowledged in each mode, or while it moved
	unknown, refused, unavailable, lists   atomic.Int64
	trips, landed, pauses, kills           atomic.Int64
	middle, removals, lost                 atomic.Int64 // stopped in mid-PUT, before a removal; records lost
}

func (c *counts) each() []struct {
	name string
	n    *atomic.Int64
} {
	return []struct {
		name string
		n    *atomic.Int64
	}{
		{"acknowledged in primary", &c.primary}, {"in fallback", &c.fallback}, {"in reconciling", &c.reconciling}, {"as the mode moved", &c.moving},
		{"unknown", &c.unknown}, {"refused", &c.refused}, {"unavailable", &c.unavailable}, {"listings", &c.lists},
		{"trips", &c.trips}, {"ghosts that landed", &c.landed}, {"instances stopped", &c.pauses}, {"of these in mid-PUT", &c.middle},
		{"before a removal", &c.removals}, {"instances killed", &c.kills}, {"records lost", &c.lost},
	}
}

func (c *counts) add(o *counts) {
	for i, one := range o.each() {
		c.each()[i].n.Add(one.n.Load())
	}
}

func (c *counts) acknowledged() int64 {
	return c.primary.Load() + c.fallback.Load() + c.reconciling.Load() + c.moving.Load()
}

func (c *counts) String() string {
	text := ""
	for _, one := range c.each() {
		text += fmt.Sprintf("%s %d, ", one.name, one.n.Load())
	}
	return text[:len(text)-2]
}
