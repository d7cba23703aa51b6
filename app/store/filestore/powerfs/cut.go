package powerfs

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"syscall"
)

// Cut lets the power go, unless it is gone, and returns the disk as the next
// start finds it. The same calls and the same seed leave the same. The old disk
// answers EIO from here on; it is cut once.
func (d *Disk) Cut(seed uint64) *Disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stop()
	draw := rand.New(rand.NewPCG(seed, 0))
	var numbers []uint64
	for number := range d.nodes {
		numbers = append(numbers, number)
	}
	slices.Sort(numbers)
	for _, number := range numbers {
		d.nodes[number].names.cut(draw)
	}
	left := &Disk{SyncTakes: d.SyncTakes, nodes: map[uint64]*node{}, last: d.last, stopped: make(chan struct{})}
	for _, number := range numbers {
		n := d.nodes[number]
		after := &node{number: number, changed: n.changed, mode: n.mode}
		if len(n.modes) > 0 {
			after.mode = append(n.modes, n.mode)[draw.IntN(len(n.modes)+1)]
		}
		after.names.init()
		after.content.now = bytes.Clone(n.content.afterCut(draw))
		after.content.kept = bytes.Clone(after.content.now)
		left.nodes[number] = after
	}
	left.revive(d.nodes, root)
	for number, n := range left.nodes {
		if n.links == 0 {
			delete(left.nodes, number) // no name leads to it
		}
	}
	return left
}

// revive gives the directory of that number the names that are sure, and so down.
func (d *Disk) revive(before map[uint64]*node, number uint64) {
	dir := d.nodes[number]
	dir.links = 2
	for name, e := range before[number].names.kept {
		if e.number == 0 {
			continue
		}
		dir.names.now[name] = e.number
		dir.names.kept[name] = entry{number: e.number}
		child := d.nodes[e.number]
		if child.mode&syscall.S_IFMT == syscall.S_IFDIR {
			d.revive(before, e.number)
		} else {
			child.links++
		}
	}
}
