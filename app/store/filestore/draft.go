package filestore

import (
	"context"
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// draft is the file of an object that is being written. It has no name where
// the file system allows that, else one in the writing directory. While it has
// a name there, its process holds its lock, which tells it from what a dead
// process left over. Such are removed by the next Open, in any process, so that
// there are never more than the processes that died since had writes running.
type draft struct {
	file    *os.File
	writing *directory
	name    string // in writing; empty: it has none
	spare   string // a name that is free for it
}

func (s *Store) newDraft(ctx context.Context, shard *directory, n nonce) (*draft, error) {
	d := &draft{writing: s.writing, spare: n.etag()[1:33]}
	var err error
	if s.nameless {
		if d.file, err = openNameless(shard.file); err != nil {
			return nil, diskError("create", err)
		}
		return d, nil
	}
	// Under the lock, or a sweep could come between the file and its lock.
	if err := s.writing.lock(ctx); err != nil {
		return nil, err
	}
	defer s.writing.unlock()
	if d.file, err = openAt(s.writing.file, d.spare, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL); err != nil {
		return nil, diskError("create", err)
	}
	d.name = d.spare
	if err := d.lock(); err != nil {
		d.discard()
		return nil, diskError("lock", err)
	}
	return d, nil
}

func (d *draft) lock() error {
	locked, err := tryLock(d.file)
	if !locked && err == nil {
		err = errors.New("a new file is locked already")
	}
	return err
}

// create gives the draft its name among the objects of dir, and fails with
// EEXIST where there is one already.
func (d *draft) create(dir *os.File, name string) error {
	if d.name == "" {
		return linkNameless(d.file, dir, name)
	}
	return unix.Linkat(int(d.writing.file.Fd()), d.name, int(dir.Fd()), name, 0)
}

// replace gives the draft its name among the objects of dir in place of the
// one that has it. A file without a name cannot do that in one step.
func (d *draft) replace(dir *os.File, name string) error {
	if d.name == "" {
		if err := d.lock(); err != nil { // before a sweep can see it
			return err
		}
		if err := linkNameless(d.file, d.writing.file, d.spare); err != nil {
			return err
		}
		d.name = d.spare
	}
	err := unix.Renameat(int(d.writing.file.Fd()), d.name, int(dir.Fd()), name)
	if err == nil {
		d.name = ""
	}
	return err
}

// discard lets go of the draft. What has become an object stays.
func (d *draft) discard() {
	if d.name != "" {
		// Should it fail, the next Open removes what is left.
		_ = d.writing.remove(d.name)
	}
	_ = d.file.Close() // synced where it matters
}

// sweep removes what processes that died left in the writing directory. What
// is locked belongs to a living one.
func sweep(ctx context.Context, writing *directory) error {
	if err := writing.lock(ctx); err != nil {
		return err
	}
	defer writing.unlock()
	names, err := writing.names()
	if err != nil {
		return err
	}
	for _, name := range names {
		file, err := openAt(writing.file, name, unix.O_RDONLY)
		if errors.Is(err, unix.ENOENT) {
			continue // it has just become an object
		}
		if err != nil {
			return err
		}
		if dead, _ := tryLock(file); dead {
			err = writing.remove(name)
		}
		file.Close()
		if err != nil && !errors.Is(err, unix.ENOENT) {
			return err
		}
	}
	return nil
}
