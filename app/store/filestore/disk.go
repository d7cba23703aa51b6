package filestore

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"bogops/app/store"
)

// disk is what can fail below the store, so that a test can let it fail.
type disk struct {
	write    func(file *os.File, p []byte, at int64) error
	syncData func(file *os.File) error
	syncDir  func(dir *os.File) error

	// syncAll syncs all that the file system of dir holds, where syncsAll says
	// that this keeps the promise of the two others. From crowd syncs at once on
	// they share it.
	syncAll  func(dir *os.File) error
	syncsAll func(dir *os.File) bool
	crowd    int64

	create  func(d *draft, dir *os.File, name string) error
	replace func(d *draft, dir *os.File, name string) error
}

func realDisk() disk {
	return disk{
		write: func(file *os.File, p []byte, at int64) error {
			_, err := file.WriteAt(p, at)
			return err
		},
		syncData: syncData,
		syncDir:  (*os.File).Sync,
		syncAll:  syncAll,
		syncsAll: syncsAll,
		crowd:    usualCrowd,
		create:   (*draft).create,
		replace:  (*draft).replace,
	}
}

// diskError says which of the store's errors one of the operating system is.
func diskError(verb string, err error) error {
	var kind error
	switch {
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EDQUOT):
		kind = store.ErrFull
	default:
		kind = store.ErrUnavailable
	}
	return fmt.Errorf("%w: %s: %w", kind, verb, bare(err))
}

// bare takes the path off an error of os: the file of an object that is being
// written has no name that would help.
func bare(err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// retry repeats a system call that a signal interrupted.
func retry(call func() error) error {
	for {
		if err := call(); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// openAt opens name in dir, a directory of the store.
func openAt(dir *os.File, name string, flags int) (*os.File, error) {
	fd, err := openFD(dir, name, flags)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), filepath.Join(dir.Name(), name)), nil
}

// openFD is openAt for who needs no more than the descriptor.
func openFD(dir *os.File, name string, flags int) (int, error) {
	for {
		fd, err := unix.Openat(int(dir.Fd()), name, flags|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0o640)
		if err != unix.EINTR {
			return fd, err
		}
	}
}

// pread reads from offset at until p is full or the file ends.
func pread(fd int, p []byte, at int64) (n int, err error) {
	for n < len(p) {
		m, err := unix.Pread(fd, p[n:], at+int64(n))
		switch {
		case err == unix.EINTR:
		case err != nil:
			return n, err
		case m == 0:
			return n, nil
		default:
			n += m
		}
	}
	return n, nil
}

// tryLock takes the lock of an open file or directory, unless another process,
// or another open file of this one, holds it. The kernel frees it when its
// holder closes the file or dies.
func tryLock(file *os.File) (bool, error) {
	err := retry(func() error { return unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB) })
	if errors.Is(err, unix.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}

func unlock(file *os.File) error {
	return retry(func() error { return unix.Flock(int(file.Fd()), unix.LOCK_UN) })
}
