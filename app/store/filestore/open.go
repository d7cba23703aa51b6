package filestore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// The directory of a store holds these three and, on a disk of its own,
// lost+found.
const (
	formatFile   = "bogops-filestore" // says that this is a store, and of which format
	objectsDir   = "objects"          // up to 256 shards
	writingDir   = "writing"          // drafts that have names
	formatText   = "2\n"              // 1: heads without a digest, refused
	formatUnborn = formatFile + ".new"
)

// Open opens the store in dir, and makes it where dir is missing or empty.
// What a dead process left half written is removed. Other processes may have
// the same store open.
func Open(dir string) (*Store, error) { return open(dir, realDisk()) }

func open(dir string, d disk) (*Store, error) {
	root, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("filestore: open %q: %w", dir, err)
	}
	s := &Store{root: root, disk: d, now: time.Now, late: 5 * time.Second}
	s.rooms.New = func() any { return new([roomLen]byte) }
	if err := s.prepare(); err != nil {
		_ = s.closeAll() // nothing was written through them
		return nil, fmt.Errorf("filestore: cannot keep objects in %q: %w; want a directory that this process may write, empty or of a store",
			dir, cause(err))
	}
	return s, nil
}

// cause is what the operating system said; the sentence names the directory.
func cause(err error) error {
	var errno unix.Errno
	if errors.As(err, &errno) {
		return errno
	}
	return err
}

// prepare makes and opens the directories. Every sync is done at each opening:
// whoever made a directory may have died before its own.
func (s *Store) prepare() error {
	if err := s.makeRoot(s.root); err != nil {
		return err
	}
	root, err := os.Open(s.root)
	if err != nil {
		return err
	}
	defer root.Close()
	// Held while the store is made, by one process at a time.
	if err := retry(func() error { return unix.Flock(int(root.Fd()), unix.LOCK_EX) }); err != nil {
		return err
	}
	if err := s.mark(root); err != nil {
		return err
	}
	// Before anything else has a name: a power cut that spares the others and
	// takes the mark would leave a directory that holds something and is no store.
	if err := s.disk.syncDir(root); err != nil {
		return err
	}
	if s.writing, err = s.makeDirectory(writingDir); err != nil {
		return err
	}
	if s.objects, err = s.makeDirectory(objectsDir); err != nil {
		return err
	}
	if err := s.disk.syncDir(root); err != nil {
		return err
	}
	s.together = s.disk.syncsAll(s.objects.file)
	if err := sweep(context.Background(), s.writing); err != nil {
		return err
	}
	return s.probe()
}

// makeRoot makes path and what it lies in, and syncs the directory that names
// it. A directory that we may not read and did not change needs no sync of ours.
func (s *Store) makeRoot(path string) error {
	parent := filepath.Dir(path)
	err := os.Mkdir(path, 0o750)
	if errors.Is(err, fs.ErrNotExist) && parent != path {
		if err := s.makeRoot(parent); err != nil {
			return err
		}
		err = os.Mkdir(path, 0o750)
	}
	made := err == nil
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	file, err := os.Open(parent)
	if err != nil {
		if made {
			return err
		}
		return nil
	}
	defer file.Close()
	if err := s.disk.syncDir(file); err != nil && made {
		return err
	}
	return nil
}

// mark writes the format file into an empty directory, and refuses one that
// holds something else.
func (s *Store) mark(root *os.File) error {
	path := filepath.Join(s.root, formatFile)
	text, err := os.ReadFile(path)
	if err == nil && string(text) == formatText {
		return nil
	}
	if err == nil {
		return fmt.Errorf("its format is %q, this store's %q", text, formatText)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	names, err := root.Readdirnames(-1)
	if err != nil {
		return err
	}
	slices.Sort(names)
	for _, name := range names {
		if name != "lost+found" && name != formatUnborn {
			return fmt.Errorf("it holds %q and is no store", name)
		}
	}
	unborn := filepath.Join(s.root, formatUnborn)
	file, err := os.OpenFile(unborn, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o640)
	if err != nil {
		return err
	}
	_, err = file.WriteString(formatText)
	if err = errors.Join(err, s.disk.syncData(file), file.Close()); err != nil {
		return err
	}
	return os.Rename(unborn, path)
}

func (s *Store) makeDirectory(name string) (*directory, error) {
	path := filepath.Join(s.root, name)
	if err := os.Mkdir(path, 0o750); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	return newDirectory(file), nil
}

// probe finds out whether the file system takes files without names, and
// that files can be made at all.
func (s *Store) probe() error {
	var n nonce
	s.nameless = true
	d, err := s.newDraft(context.Background(), s.writing, n)
	if err == nil {
		s.fileMode = modeOf(d.file)
		if err = d.lock(); err == nil {
			err = linkNameless(d.file, s.writing.file, d.spare)
		}
		if err == nil {
			d.name = d.spare
		}
		d.discard()
	}
	if err == nil {
		return nil
	}
	s.nameless = false
	if d, err = s.newDraft(context.Background(), s.writing, n); err == nil {
		s.fileMode = modeOf(d.file)
		d.discard()
	}
	return err
}
