package filestore

import (
	"context"
	"io"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// directory is an open directory of the store, with a lock that holds between
// goroutines and between processes.
type directory struct {
	file *os.File
	turn chan struct{} // holds one token while a goroutine has the lock

	syncs sharedSync
	named atomic.Bool // a shard: its name in the directory above is synced
	kept  atomic.Pointer[snapshot]
}

func newDirectory(file *os.File) *directory {
	return &directory{file: file, turn: make(chan struct{}, 1)}
}

// lock waits for the lock until ctx ends. Between processes it asks again and
// again, at most 5 ms apart: a blocking flock could not be given up, and
// a process that is stopped while it holds the lock would take ours with it.
func (d *directory) lock(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case d.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	for wait := 100 * time.Microsecond; ; wait = min(2*wait, 5*time.Millisecond) {
		locked, err := tryLock(d.file)
		if locked {
			return nil
		}
		if err != nil {
			<-d.turn
			return diskError("lock", err)
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			<-d.turn
			return ctx.Err()
		}
	}
}

// tryLock takes the lock where it is free.
func (d *directory) tryLock() (bool, error) {
	select {
	case d.turn <- struct{}{}:
	default:
		return false, nil
	}
	locked, err := tryLock(d.file)
	if !locked {
		<-d.turn
	}
	if err != nil {
		return false, diskError("lock", err)
	}
	return locked, nil
}

func (d *directory) unlock() {
	// It can only fail on a file that is not open, and then holds no lock.
	_ = unlock(d.file)
	<-d.turn
}

// names returns what the directory holds, unsorted. The caller has the lock, or
// makes sure that nothing changed meanwhile: some file systems do not show, or
// show twice, what is replaced during the reading.
func (d *directory) names() ([]string, error) {
	again, err := openAt(d.file, ".", unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return nil, err
	}
	defer again.Close()
	names, err := again.Readdirnames(-1)
	if err == io.EOF {
		err = nil
	}
	return names, err
}

func (d *directory) remove(name string) error {
	return unix.Unlinkat(int(d.file.Fd()), name, 0)
}
