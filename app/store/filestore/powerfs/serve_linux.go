package powerfs

import (
	"maps"
	"slices"
	"sync"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// served answers the kernel's calls from a disk. The kernel caches nothing:
// every answer is good for no time, and files are read and written directly.
type served struct {
	fuse.RawFileSystem
	disk *Disk

	mu     sync.Mutex
	lists  map[uint64][]fuse.DirEntry // what each open directory held when it was read from the start
	handle uint64                     // the last one given
}

func newServed(d *Disk) *served {
	return &served{RawFileSystem: fuse.NewDefaultRawFileSystem(), disk: d, lists: map[uint64][]fuse.DirEntry{}}
}

func (s *served) String() string { return "powerfs" }

func (n *node) attr(out *fuse.Attr) {
	out.Ino, out.Mode, out.Nlink = n.number, n.mode, n.links
	out.Size = uint64(len(n.content.now))
	out.Blocks, out.Blksize = (out.Size+511)/512, 4096
	out.SetTimes(nil, &n.changed, &n.changed)
}

func (n *node) entry(out *fuse.EntryOut) {
	out.NodeId = n.number
	n.attr(&out.Attr)
}

// found answers with a node, or with the error instead.
func found(n *node, errno syscall.Errno, out *fuse.EntryOut) fuse.Status {
	if errno == 0 {
		n.entry(out)
	}
	return fuse.Status(errno)
}

// changing lets call change the disk under its lock.
func (s *served) changing(call func() syscall.Errno) fuse.Status { return s.locked(true, call) }

func (s *served) reading(call func() syscall.Errno) fuse.Status { return s.locked(false, call) }

func (s *served) locked(changes bool, call func() syscall.Errno) fuse.Status {
	if errno := s.disk.enter(changes); errno != 0 {
		return fuse.Status(errno)
	}
	defer s.disk.mu.Unlock()
	return fuse.Status(call())
}

func (s *served) Lookup(_ <-chan struct{}, in *fuse.InHeader, name string, out *fuse.EntryOut) fuse.Status {
	return s.reading(func() syscall.Errno {
		n, errno := s.disk.lookup(in.NodeId, name)
		return syscall.Errno(found(n, errno, out))
	})
}

func (s *served) GetAttr(_ <-chan struct{}, in *fuse.GetAttrIn, out *fuse.AttrOut) fuse.Status {
	return s.reading(func() syscall.Errno {
		n, errno := s.disk.find(in.NodeId)
		if errno == 0 {
			n.attr(&out.Attr)
		}
		return errno
	})
}

func (s *served) SetAttr(_ <-chan struct{}, in *fuse.SetAttrIn, out *fuse.AttrOut) fuse.Status {
	return s.changing(func() syscall.Errno {
		n, errno := s.disk.find(in.NodeId)
		if errno != 0 {
			return errno
		}
		if size, ok := in.GetSize(); ok {
			errno = s.disk.write(in.NodeId, write{at: int64(size), cut: true})
		}
		if mode, ok := in.GetMode(); ok {
			s.disk.chmod(n, mode)
		}
		n.attr(&out.Attr)
		return errno
	})
}

func (s *served) Mkdir(_ <-chan struct{}, in *fuse.MkdirIn, name string, out *fuse.EntryOut) fuse.Status {
	return s.changing(func() syscall.Errno {
		n, errno := s.disk.create(in.NodeId, name, syscall.S_IFDIR|in.Mode&0o7777)
		return syscall.Errno(found(n, errno, out))
	})
}

func (s *served) Create(_ <-chan struct{}, in *fuse.CreateIn, name string, out *fuse.CreateOut) fuse.Status {
	return s.changing(func() syscall.Errno {
		n, errno := s.disk.create(in.NodeId, name, syscall.S_IFREG|in.Mode&0o7777)
		if errno == syscall.EEXIST && in.Flags&syscall.O_EXCL == 0 {
			n, errno = s.disk.lookup(in.NodeId, name) // another was faster
		}
		out.OpenFlags = fuse.FOPEN_DIRECT_IO
		return syscall.Errno(found(n, errno, &out.EntryOut))
	})
}

func (s *served) Tmpfile(cancel <-chan struct{}, in *fuse.CreateIn, out *fuse.CreateOut) fuse.Status {
	return s.Create(cancel, in, "", out)
}

func (s *served) Open(_ <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	return s.reading(func() syscall.Errno {
		out.OpenFlags = fuse.FOPEN_DIRECT_IO
		_, errno := s.disk.find(in.NodeId)
		return errno
	})
}

func (s *served) Read(_ <-chan struct{}, in *fuse.ReadIn, room []byte) (fuse.ReadResult, fuse.Status) {
	read := 0
	status := s.reading(func() syscall.Errno {
		n, errno := s.disk.find(in.NodeId)
		if errno == 0 && in.Offset < uint64(len(n.content.now)) {
			read = copy(room, n.content.now[in.Offset:])
		}
		return errno
	})
	return fuse.ReadResultData(room[:read]), status
}

func (s *served) Writev(_ <-chan struct{}, in *fuse.WriteIn, parts [][]byte) (uint32, fuse.Status) {
	data := slices.Concat(parts...) // a copy: the parts are reused
	return uint32(len(data)), s.changing(func() syscall.Errno {
		return s.disk.write(in.NodeId, write{at: int64(in.Offset), data: data})
	})
}

func (s *served) Link(_ <-chan struct{}, in *fuse.LinkIn, name string, out *fuse.EntryOut) fuse.Status {
	return s.changing(func() syscall.Errno {
		n, errno := s.disk.link(in.Oldnodeid, in.NodeId, name)
		return syscall.Errno(found(n, errno, out))
	})
}

func (s *served) Unlink(_ <-chan struct{}, in *fuse.InHeader, name string) fuse.Status {
	return s.changing(func() syscall.Errno { return s.disk.remove(in.NodeId, name, false) })
}

func (s *served) Rmdir(_ <-chan struct{}, in *fuse.InHeader, name string) fuse.Status {
	return s.changing(func() syscall.Errno { return s.disk.remove(in.NodeId, name, true) })
}

func (s *served) Rename(_ <-chan struct{}, in *fuse.RenameIn, name, newName string) fuse.Status {
	return s.changing(func() syscall.Errno {
		return s.disk.rename(in.NodeId, name, in.Newdir, newName, in.Flags)
	})
}

func (s *served) Fsync(_ <-chan struct{}, in *fuse.FsyncIn) fuse.Status {
	const onlyData = 1 // of FsyncFlags
	return fuse.Status(s.disk.sync(in.NodeId, in.FsyncFlags&onlyData != 0))
}

func (s *served) FsyncDir(_ <-chan struct{}, in *fuse.FsyncIn) fuse.Status {
	return fuse.Status(s.disk.sync(in.NodeId, false))
}

func (s *served) OpenDir(_ <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	s.mu.Lock()
	s.handle++
	out.Fh = s.handle
	s.mu.Unlock()
	return s.reading(func() syscall.Errno {
		_, errno := s.disk.find(in.NodeId)
		return errno
	})
}

func (s *served) ReadDir(_ <-chan struct{}, in *fuse.ReadIn, out *fuse.DirEntryList) fuse.Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	if in.Offset == 0 {
		if status := s.list(in.NodeId, in.Fh); !status.Ok() {
			return status
		}
	}
	list := s.lists[in.Fh]
	for _, e := range list[min(in.Offset, uint64(len(list))):] {
		if !out.AddDirEntry(e) {
			break
		}
	}
	return fuse.OK
}

// list notes what the directory holds now.
func (s *served) list(number, handle uint64) fuse.Status {
	return s.reading(func() syscall.Errno {
		dir, errno := s.disk.find(number)
		if errno != 0 {
			return errno
		}
		list := []fuse.DirEntry{{Name: ".", Ino: number, Mode: syscall.S_IFDIR}, {Name: "..", Ino: number, Mode: syscall.S_IFDIR}}
		for _, name := range slices.Sorted(maps.Keys(dir.names.now)) {
			n := s.disk.nodes[dir.names.now[name]]
			list = append(list, fuse.DirEntry{Name: name, Ino: n.number, Mode: n.mode})
		}
		for i := range list {
			list[i].Off = uint64(i + 1)
		}
		s.lists[handle] = list
		return 0
	})
}

func (s *served) ReleaseDir(in *fuse.ReleaseIn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.lists, in.Fh)
}

// Flush has nothing to do: the kernel need not ask again.
func (s *served) Flush(<-chan struct{}, *fuse.FlushIn) fuse.Status { return fuse.ENOSYS }

func (s *served) StatFs(_ <-chan struct{}, _ *fuse.InHeader, out *fuse.StatfsOut) fuse.Status {
	out.Bsize, out.Frsize, out.NameLen = 4096, 4096, 255
	out.Blocks, out.Bfree, out.Bavail, out.Files, out.Ffree = 1<<20, 1<<20, 1<<20, 1<<20, 1<<20
	return fuse.OK
}
