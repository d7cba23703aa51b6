package filestore

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

func syncData(file *os.File) error {
	return retry(func() error { return unix.Fdatasync(int(file.Fd())) })
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
