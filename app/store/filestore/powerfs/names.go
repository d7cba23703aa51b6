package powerfs

import (
	"math/rand/v2"
)

// names is what a directory holds, and what is sure of it.
type names struct {
	now     map[string]uint64
	kept    map[string]entry
	changes []*change // that kept has not, in their order
}

// entry is what a name stands for since a change; number 0: for nothing.
type entry struct{ number, order uint64 }

// change is what one call did to one directory, all or nothing.
type change struct {
	in    *names
	order uint64
	to    map[string]uint64 // 0: the name went away
	after *change           // never there without this one
	sure  bool
}

func (n *names) init() {
	n.now = map[string]uint64{}
	n.kept = map[string]entry{}
}

// change gives names to nodes, or takes them away with 0. It is sure only when
// after is, too.
func (d *Disk) change(n *names, to map[string]uint64, after *change) *change {
	d.order++
	c := &change{in: n, order: d.order, to: to, after: after}
	n.changes = append(n.changes, c)
	for name, number := range to {
		if number == 0 {
			delete(n.now, name)
		} else {
			n.now[name] = number
		}
	}
	return c
}

// keep makes sure of the change.
func (c *change) keep() {
	if c.sure {
		return
	}
	c.sure = true
	if c.after != nil {
		c.after.keep()
	}
	for name, number := range c.to {
		if c.in.kept[name].order < c.order {
			c.in.kept[name] = entry{number, c.order}
		}
	}
}

// keep makes sure of all changes up to that of order.
func (n *names) keep(order uint64) {
	for len(n.changes) > 0 && n.changes[0].order <= order {
		n.changes[0].keep()
		n.changes = n.changes[1:]
	}
}

// cut makes sure of those changes that a cut happens to spare.
func (n *names) cut(draw *rand.Rand) {
	how := draw.IntN(4)
	first := draw.IntN(len(n.changes) + 1)
	for i, c := range n.changes {
		var spared bool
		switch how {
		case 0: // none
		case 1:
			spared = true
		case 2:
			spared = i < first
		default:
			spared = draw.IntN(2) == 0
		}
		if spared {
			c.keep()
		}
	}
	n.changes = nil
}
