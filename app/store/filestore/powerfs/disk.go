// Package powerfs is a file system in memory for tests that ask what a power
// cut leaves. It remembers what was synced, and Cut forgets of everything else
// as much as a disk may forget. No program links it.
//
// What may be lost, and what may not:
//
//   - The bytes and the length of a file since its last fsync or fdatasync: all
//     writes, the later ones, or any sectors of them, other sectors being as
//     before or zero. Its mode since its last fsync.
//   - The names in a directory since the last fsync of that directory: all
//     changes, the later ones, or any of them. Syncing a file keeps none of its
//     names, and syncing a directory not the directory's own name.
//   - A sync keeps what was done before it began, and that only once it has
//     returned.
//   - One rename within one directory is not torn. One across directories may
//     leave both names, when only the target was synced, but never none.
//   - Nothing else: what was synced stays as it is.
//
// These are the liberties that POSIX leaves and that file systems take: T. S.
// Pillai et al., "All File Systems Are Not Created Equal", OSDI 2014 (ALICE),
// which reorders and tears more than any one file system does, and J. Mohan et
// al., "Finding Crash-Consistency Bugs with Bounded Black-Box Testing", OSDI
// 2018 (CrashMonkey), which cuts after syncs. The same idea one level down is
// Linux' dm-log-writes, and with a page cache over a real file system LazyFS
// (INESC TEC). Not modelled: sync_file_range, O_SYNC, mmap, extended
// attributes, file times; none of the file stores needs them.
package powerfs

import (
	"io/fs"
	"sync"
	"syscall"
	"time"
)

// Disk is one disk and what is on it. All methods may be called concurrently.
type Disk struct {
	// SyncTakes is how long each sync lasts, so that other calls come in
	// between. It is set before the disk is mounted.
	SyncTakes time.Duration

	mu      sync.Mutex
	nodes   map[uint64]*node // by number; none is forgotten before the cut
	last    uint64           // number given
	order   uint64           // of the last change of a directory
	left    int              // calls that change or sync until it stops; 0: no end
	stopped chan struct{}
}

const root = 1 // its number, by FUSE's rule

// New returns an empty disk.
func New() *Disk {
	d := &Disk{nodes: map[uint64]*node{}, stopped: make(chan struct{})}
	d.add(syscall.S_IFDIR | 0o755)
	d.nodes[root].links = 2
	return d
}

// StopAfter lets the power go when n more calls that change or sync something
// have happened, n at least 1. The next one fails with EIO, and so does every
// call after it and every sync under way.
func (d *Disk) StopAfter(n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.left = n + 1
}

// Stopped is closed when the power is gone.
func (d *Disk) Stopped() <-chan struct{} { return d.stopped }

// stop is called with the lock.
func (d *Disk) stop() {
	if !d.isStopped() {
		close(d.stopped)
	}
}

func (d *Disk) isStopped() bool {
	select {
	case <-d.stopped:
		return true
	default:
		return false
	}
}

// enter begins a call; unless it fails, the caller has the lock.
func (d *Disk) enter(changes bool) syscall.Errno {
	d.mu.Lock()
	if changes && d.left > 0 {
		if d.left--; d.left == 0 {
			d.stop()
		}
	}
	if d.isStopped() {
		d.mu.Unlock()
		return syscall.EIO
	}
	return 0
}

// node is a file or a directory.
type node struct {
	number  uint64
	links   uint32
	changed time.Time
	mode    uint32   // type and permissions
	modes   []uint32 // that it had before since it was synced, the oldest first
	chmods  int      // ever
	content          // of a file
	names            // of a directory
}

func (n *node) isDir() bool { return n.mode&syscall.S_IFMT == syscall.S_IFDIR }

func (d *Disk) add(mode uint32) *node {
	d.last++
	n := &node{number: d.last, mode: mode, changed: time.Now()}
	n.names.init()
	d.nodes[n.number] = n
	return n
}

// find returns the node of a number that the kernel was given.
func (d *Disk) find(number uint64) (*node, syscall.Errno) {
	if n := d.nodes[number]; n != nil {
		return n, 0
	}
	return nil, syscall.ESTALE
}

// Files are the files of the disk by their path, with what they hold now.
func (d *Disk) Files() map[string]string {
	d.mu.Lock()
	defer d.mu.Unlock()
	files := map[string]string{}
	var walk func(n *node, path string)
	walk = func(n *node, path string) {
		for name, number := range n.names.now {
			child := d.nodes[number]
			if child.isDir() {
				files[path+name+"/"] = ""
				walk(child, path+name+"/")
			} else {
				files[path+name] = string(child.content.now)
			}
		}
	}
	walk(d.nodes[root], "")
	return files
}

// Modes are the permissions of the same files.
func (d *Disk) Modes() map[string]fs.FileMode {
	d.mu.Lock()
	defer d.mu.Unlock()
	modes := map[string]fs.FileMode{}
	for name, number := range d.nodes[root].names.now {
		modes[name] = fs.FileMode(d.nodes[number].mode & 0o777)
	}
	return modes
}
