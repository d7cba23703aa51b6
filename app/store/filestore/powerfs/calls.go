package powerfs

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// The calls of a file system. Each holds the lock from enter on, but syncs.

func (d *Disk) lookup(parent uint64, name string) (*node, syscall.Errno) {
	dir, errno := d.find(parent)
	if errno != 0 {
		return nil, errno
	}
	number, ok := dir.names.now[name]
	if !ok {
		return nil, syscall.ENOENT
	}
	return d.nodes[number], 0
}

// create adds a file or a directory with a name, or without one where it is
// empty.
func (d *Disk) create(parent uint64, name string, mode uint32) (*node, syscall.Errno) {
	dir, errno := d.find(parent)
	if errno != 0 {
		return nil, errno
	}
	if dir.links == 0 {
		return nil, syscall.ENOENT
	}
	if dir.names.now[name] != 0 {
		return nil, syscall.EEXIST
	}
	n := d.add(mode) // sure with its mode, should its name be
	if name == "" {
		return n, 0
	}
	if n.links = 1; n.isDir() {
		n.links = 2
	}
	d.change(&dir.names, map[string]uint64{name: n.number}, nil)
	dir.changed = n.changed
	return n, 0
}

func (d *Disk) link(number, parent uint64, name string) (*node, syscall.Errno) {
	n, errno := d.find(number)
	if errno != 0 {
		return nil, errno
	}
	dir, errno := d.find(parent)
	switch {
	case errno != 0:
		return nil, errno
	case n.isDir():
		return nil, syscall.EPERM
	case dir.links == 0:
		return nil, syscall.ENOENT
	case dir.names.now[name] != 0:
		return nil, syscall.EEXIST
	}
	d.change(&dir.names, map[string]uint64{name: number}, nil)
	n.links++
	dir.changed = time.Now()
	n.changed = dir.changed
	return n, 0
}

// remove takes a name away: that of an empty directory with dirs, else that of
// a file.
func (d *Disk) remove(parent uint64, name string, dirs bool) syscall.Errno {
	n, errno := d.lookup(parent, name)
	switch {
	case errno != 0:
		return errno
	case n.isDir() && !dirs:
		return syscall.EISDIR
	case !n.isDir() && dirs:
		return syscall.ENOTDIR
	case len(n.names.now) > 0:
		return syscall.ENOTEMPTY
	}
	dir := d.nodes[parent]
	d.change(&dir.names, map[string]uint64{name: 0}, nil)
	dir.changed = time.Now()
	d.unlinked(n)
	return 0
}

func (d *Disk) unlinked(n *node) {
	if n.links--; n.isDir() {
		n.links = 0
	}
	n.changed = time.Now()
}

// rename moves a name. A directory stays in its directory: no store moves one.
func (d *Disk) rename(from uint64, name string, into uint64, newName string, flags uint32) syscall.Errno {
	n, errno := d.lookup(from, name)
	if errno != 0 {
		return errno
	}
	source := d.nodes[from]
	target, errno := d.find(into)
	if errno != 0 {
		return errno
	}
	old := d.nodes[target.names.now[newName]]
	switch {
	case target.links == 0:
		return syscall.ENOENT
	case flags&^unix.RENAME_NOREPLACE != 0:
		return syscall.EINVAL
	case old != nil && flags != 0:
		return syscall.EEXIST
	case old == n:
		return 0 // by POSIX both names stay
	case n.isDir() && from != into:
		return syscall.EXDEV
	case old != nil && old.isDir() != n.isDir():
		return syscall.EISDIR
	case old != nil && len(old.names.now) > 0:
		return syscall.ENOTEMPTY
	}
	if from == into {
		d.change(&source.names, map[string]uint64{newName: n.number, name: 0}, nil)
	} else {
		added := d.change(&target.names, map[string]uint64{newName: n.number}, nil)
		d.change(&source.names, map[string]uint64{name: 0}, added)
	}
	source.changed = time.Now()
	target.changed = source.changed
	if old != nil {
		d.unlinked(old)
	}
	return 0
}

// sync is fsync, or with onlyData fdatasync. What is done while it runs is not
// its matter.
func (d *Disk) sync(number uint64, onlyData bool) syscall.Errno {
	if errno := d.enter(true); errno != 0 {
		return errno
	}
	n, errno := d.find(number)
	if errno != 0 {
		d.mu.Unlock()
		return errno
	}
	writes, modes, order := n.content.total, n.chmods, d.order
	d.mu.Unlock()
	if d.SyncTakes > 0 {
		time.Sleep(d.SyncTakes)
	}
	if errno := d.enter(false); errno != 0 {
		return errno
	}
	defer d.mu.Unlock()
	if onlyData {
		modes = 0
	}
	n.synced(writes, modes, order)
	return 0
}

// synced makes sure of the first writes and chmods, and of the names up to the
// change of order.
func (n *node) synced(writes, modes int, order uint64) {
	n.content.keep(writes)
	n.names.keep(order)
	if first := n.chmods - len(n.modes); first < modes {
		n.modes = n.modes[modes-first:]
	}
}

// SyncAll is syncfs, which FUSE does not pass on: it keeps all that was done
// before it began.
func (d *Disk) SyncAll() error {
	if errno := d.enter(true); errno != 0 {
		return errno
	}
	order := d.order
	type done struct{ writes, modes int }
	all := map[*node]done{}
	for _, n := range d.nodes {
		all[n] = done{n.content.total, n.chmods}
	}
	d.mu.Unlock()
	if d.SyncTakes > 0 {
		time.Sleep(d.SyncTakes)
	}
	if errno := d.enter(false); errno != 0 {
		return errno
	}
	defer d.mu.Unlock()
	for n, before := range all {
		n.synced(before.writes, before.modes, order)
	}
	return nil
}

// write is also what changes the length, with cut.
func (d *Disk) write(number uint64, w write) syscall.Errno {
	n, errno := d.find(number)
	if errno != 0 {
		return errno
	}
	n.content.do(w)
	n.changed = time.Now()
	return 0
}

func (d *Disk) chmod(n *node, permissions uint32) {
	n.modes = append(n.modes, n.mode)
	n.chmods++
	n.mode = n.mode&syscall.S_IFMT | permissions
	n.changed = time.Now()
}
