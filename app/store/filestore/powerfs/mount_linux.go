package powerfs

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// Mount is a disk that programs can use.
type Mount struct {
	tree int // the mount itself, open; it has no place in any directory
	done chan struct{}
}

// Mount serves the disk. The mount is in no directory: it is reached through
// Path, and the kernel takes it away when the process ends, however it ends.
// It takes root and /dev/fuse, and Linux 5.2.
func (d *Disk) Mount() (*Mount, error) {
	device, err := unix.Open("/dev/fuse", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open /dev/fuse: %w", err)
	}
	m := &Mount{done: make(chan struct{})}
	if m.tree, err = detached(device); err != nil {
		_ = unix.Close(device)
		return nil, fmt.Errorf("mount: %w", err)
	}
	server, err := fuse.NewServer(newServed(d), fmt.Sprintf("/dev/fd/%d", device), &fuse.MountOptions{
		DisableXAttrs: true, DisableReadDirPlus: true, MaxWrite: 128 << 10,
	})
	if err != nil {
		_ = unix.Close(m.tree)
		return nil, fmt.Errorf("serve: %w", err)
	}
	go func() {
		defer close(m.done)
		server.Serve()
	}()
	if err := m.noPolling(); err != nil {
		return nil, errors.Join(err, m.Close())
	}
	return m, nil
}

// detached mounts the file system behind an open /dev/fuse nowhere, and
// returns the mount.
func detached(device int) (tree int, err error) {
	context, err := unix.Fsopen("fuse", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return 0, err
	}
	defer unix.Close(context)
	for _, option := range [][2]string{
		{"fd", fmt.Sprint(device)}, {"rootmode", "40000"},
		{"user_id", fmt.Sprint(os.Geteuid())}, {"group_id", fmt.Sprint(os.Getegid())},
	} {
		if err := unix.FsconfigSetString(context, option[0], option[1]); err != nil {
			return 0, fmt.Errorf("%s=%s: %w", option[0], option[1], err)
		}
	}
	if err := unix.FsconfigCreate(context); err != nil {
		return 0, err
	}
	return unix.Fsmount(context, unix.FSMOUNT_CLOEXEC, unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NODEV)
}

// noPolling lets the kernel find out that these files cannot be polled. Left to
// the first os.Open, the question would hold the last thread of a program that
// serves and uses the file system at once.
func (m *Mount) noPolling() error {
	const asked = ".go-fuse-epoll-hack" // the name by which go-fuse knows the question
	fd, err := unix.Openat(m.tree, asked, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open %s: %w", asked, err)
	}
	_, err = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
	return errors.Join(err, unix.Close(fd))
}

// Path is the root of the file system, for this process alone.
func (m *Mount) Path() string { return fmt.Sprintf("/proc/self/fd/%d", m.tree) }

// Close unmounts. It fails where files are still open after some seconds; they
// keep the disk served until they are closed too.
func (m *Mount) Close() error {
	if err := unix.Close(m.tree); err != nil {
		return err
	}
	select {
	case <-m.done:
		return nil
	case <-time.After(20 * time.Second):
		return errors.New("files are still open on the mount")
	}
}
