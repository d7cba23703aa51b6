package filestore

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"golang.org/x/sys/unix"

	"bogops/app/store"
)

// shard returns one of the directories that objects are spread over. While
// nobody has made it, it holds nothing: ErrNotFound.
func (s *Store) shard(number int) (*directory, error) {
	if dir := s.shards[number].Load(); dir != nil {
		return dir, nil
	}
	file, err := openAt(s.objects.file, shardName(number), unix.O_RDONLY|unix.O_DIRECTORY)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, s.absent(s.objects)
	}
	if err != nil {
		return nil, diskError("open", err)
	}
	dir := newDirectory(file)
	if !s.shards[number].CompareAndSwap(nil, dir) {
		_ = file.Close() // another goroutine was faster
		return s.shards[number].Load(), nil
	}
	return dir, nil
}

// madeShard returns the same directory, makes it first where it is missing, and
// sees to it that it has its name for good: whoever made it may have died before
// syncing that.
func (s *Store) madeShard(number int) (*directory, error) {
	dir, err := s.shard(number)
	if errors.Is(err, store.ErrNotFound) {
		if err := unix.Mkdirat(int(s.objects.file.Fd()), shardName(number), 0o750); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, diskError("make a directory", err)
		}
		dir, err = s.shard(number)
	}
	if err != nil {
		return nil, err
	}
	if !dir.named.Load() {
		if err := s.disk.syncDir(s.objects.file); err != nil {
			return nil, s.syncFailed("directory", err)
		}
		dir.named.Store(true)
	}
	return dir, nil
}

func shardName(number int) string { return fmt.Sprintf("%02x", number) }

func errGone(dir *directory) error {
	return fmt.Errorf("%w: the directory %s has been removed", store.ErrUnavailable, dir.file.Name())
}

// directories are those that are open.
func (s *Store) directories() []*directory {
	all := []*directory{s.writing, s.objects}
	for i := range s.shards {
		all = append(all, s.shards[i].Load())
	}
	return slices.DeleteFunc(all, func(dir *directory) bool { return dir == nil })
}
