package rehearse

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// marker is the file by which a directory is known as a rehearsal's record,
// and whose lock says that a rehearsal is writing to it.
const marker = "REHEARSAL"

// openRecord makes dir, or empties it when it is the record of an earlier
// rehearsal. Anything else is somebody's and stays. The directory is the
// caller's until the returned file is closed.
func openRecord(dir string) (*os.File, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, badOptionf("--out %s: %w", dir, err)
	}
	if len(entries) > 0 {
		if _, err := os.Stat(filepath.Join(dir, marker)); err != nil {
			return nil, badOptionf("--out %s holds other things than a rehearsal's record; name an empty or a new directory", dir)
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, badOptionf("--out %s: %w", dir, err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, marker), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, badOptionf("--out %s: %w", dir, err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		lock.Close()
		return nil, badOptionf("--out %s: another rehearsal is writing there; name another directory", dir)
	}
	if err := refill(dir, entries, lock); err != nil {
		lock.Close()
		return nil, fmt.Errorf("--out %s: %w", dir, err)
	}
	return lock, nil
}

// refill removes what an earlier rehearsal left and lays out the new record.
func refill(dir string, old []os.DirEntry, lock *os.File) error {
	for _, e := range old {
		if e.Name() == marker {
			continue
		}
		if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	if _, err := lock.WriteAt([]byte("The record of a rehearsal. The next one replaces it.\n"), 0); err != nil {
		return err
	}
	return os.Mkdir(filepath.Join(dir, "logs"), 0o755)
}
