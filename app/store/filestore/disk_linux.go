package filestore

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

func syncData(file *os.File) error {
	return retry(func() error { return unix.Fdatasync(int(file.Fd())) })
}

func syncAll(dir *os.File) error {
	return retry(func() error { return unix.Syncfs(int(dir.Fd())) })
}

// syncsAll: on ext4 and XFS syncfs waits for the data and the journal, and ends
// with a flush of the drive's cache, as fsync does; and since Linux 5.8 it fails
// where anything since the file was opened could not be written (syncfs(2)).
// Both reserve the room for data when they are written, so that a full disk does
// not show as late as here.
func syncsAll(dir *os.File) bool {
	var fs unix.Statfs_t
	var system unix.Utsname
	if err := errors.Join(unix.Fstatfs(int(dir.Fd()), &fs), unix.Uname(&system)); err != nil {
		return false
	}
	var major, minor int
	if _, err := fmt.Sscanf(unix.ByteSliceToString(system.Release[:]), "%d.%d", &major, &minor); err != nil {
		return false
	}
	known := fs.Type == unix.EXT4_SUPER_MAGIC || fs.Type == unix.XFS_SUPER_MAGIC
	return known && (major > 5 || major == 5 && minor >= 8)
}

// openNameless opens a new file without a name, which vanishes with its
// process unless it is linked.
func openNameless(dir *os.File) (*os.File, error) {
	return openAt(dir, ".", unix.O_WRONLY|unix.O_TMPFILE)
}

// linkNameless gives such a file a name, and fails where there is one already.
// The way through /proc needs no capability, as AT_EMPTY_PATH would.
func linkNameless(file, dir *os.File, name string) error {
	return unix.Linkat(unix.AT_FDCWD, fmt.Sprintf("/proc/self/fd/%d", file.Fd()),
		int(dir.Fd()), name, unix.AT_SYMLINK_FOLLOW)
}
