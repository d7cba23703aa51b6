package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// Create starts a journal in a new file whose first line is opened. Where the
// file exists it leaves it alone and the error is an fs.ErrExist; where anything
// else fails it leaves no file behind.
func Create(path string, opened Opened, now func() time.Time) (*Journal, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("journal %s: %w: resume it, or give a file that does not exist", path, fs.ErrExist)
	}
	if err != nil {
		return nil, explain(path, "cannot be created", err)
	}
	j, err := begin(path, file, opened, now)
	if err != nil {
		_ = file.Close() // the first error is the one to tell
		_ = os.Remove(path)
		return nil, err
	}
	return j, nil
}

func begin(path string, file *os.File, opened Opened, now func() time.Time) (*Journal, error) {
	if err := lock(path, file); err != nil {
		return nil, err
	}
	j := newJournal(&lineFile{path: path, file: file}, nil, now)
	if _, err := j.Append(KindOpened, opened); err != nil {
		return nil, err
	}
	if err := syncDir(filepath.Dir(path)); err != nil {
		return nil, explain(path, "cannot be made durable", err)
	}
	return j, nil
}

// Resume opens a journal that a judge left behind, to append to it. It checks
// the whole chain first. A last line without a newline was never relied upon:
// it is dropped, and the Resumed entry that Resume appends says how long it was.
// A journal that ends in Closed is not resumed.
func Resume(path string, now func() time.Time) (*Journal, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("journal %s does not exist: give the file that the judge wrote", path)
	}
	if err != nil {
		return nil, explain(path, "cannot be opened for writing", err)
	}
	j, err := pickUp(path, file, now)
	if err != nil {
		_ = file.Close() // the first error is the one to tell
		return nil, err
	}
	return j, nil
}

func pickUp(path string, file *os.File, now func() time.Time) (*Journal, error) {
	if err := lock(path, file); err != nil {
		return nil, err
	}
	entries, whole, torn, err := read(path, file)
	if err != nil {
		return nil, err
	}
	if entries[len(entries)-1].Kind == KindClosed {
		return nil, fmt.Errorf("journal %s is of a contest that has ended: replay it, or give a new file: %w", path, ErrClosed)
	}
	if torn > 0 {
		if err := file.Truncate(whole); err != nil {
			return nil, explain(path, "cannot be cut back to its last whole line", err)
		}
	}
	j := newJournal(&lineFile{path: path, file: file, size: whole}, entries, now)
	text := "the judge picked up its journal"
	if torn > 0 {
		text = fmt.Sprintf("the judge picked up its journal and dropped an unfinished last line of %d bytes", torn)
	}
	if _, err := j.Append(KindResumed, Resumed{Dropped: int(torn), Text: text}); err != nil {
		return nil, err
	}
	return j, nil
}

// lineFile appends to a locked file.
type lineFile struct {
	path string
	file *os.File
	size int64 // bytes that are durable and whole
}

func (f *lineFile) write(lines []byte) error {
	_, err := f.file.Write(lines)
	if err == nil {
		err = f.file.Sync()
	}
	if err != nil {
		// Half a batch must not look like entries that were acknowledged.
		_ = f.file.Truncate(f.size)
		return explain(f.path, "cannot be written", err)
	}
	f.size += int64(len(lines))
	return nil
}

func (f *lineFile) close() error { return f.file.Close() }

// lock makes this process the file's only writer, until the file is closed or
// the process dies, however it dies.
func lock(path string, file *os.File) error {
	err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return fmt.Errorf("journal %s is being written by another judge: stop that one first", path)
	}
	if err != nil {
		return explain(path, "cannot be locked", err)
	}
	return nil
}

func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// explain turns what the system said into one sentence for the organiser.
func explain(path, what string, err error) error {
	advice := "give a file in a directory that can be written to"
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, syscall.EFBIG):
		advice = "make room on its disk and resume it"
	case errors.Is(err, fs.ErrNotExist):
		advice = "make its directory first"
	case errors.Is(err, syscall.EIO):
		advice = "its disk is failing; copy it to another one and resume it there"
	}
	cause := err
	var at *fs.PathError
	if errors.As(err, &at) {
		cause = at.Err // the path is in the sentence already
	}
	return fmt.Errorf("journal %s %s (%w): %s", path, what, cause, advice)
}
