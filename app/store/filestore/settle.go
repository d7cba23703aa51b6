package filestore

import (
	"os"

	"golang.org/x/sys/unix"

	"bogops/app/store"
)

// A read never shows what a power cut can still take away. Between the moment
// that a write or a delete takes effect in a directory and the end of the
// directory's sync, modes say so, to every process:
//
//   - A file that its owner may write has a name that may not be synced. Its
//     writer takes that bit away after the sync, before it answers.
//   - A shard with the sticky bit has lost a name, and that may not be synced.
//     A delete sets the bit before and takes it away after, under the lock.
//
// Whoever meets such a mark syncs the directory before it answers; what it saw
// then stays. The marks themselves are never synced: one that a power cut
// brings back, or that a killed process left, costs one sync more.
const (
	unsettledFile  = 0o200
	unsettledShard = unix.S_ISVTX
)

// settle sees to it that the name of an open file of shard is synced.
func (s *Store) settle(shard *directory, fd int) (identity, error) {
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		return identity{}, diskError("stat", err)
	}
	if stat.Mode&unsettledFile != 0 {
		if err := s.syncShard(shard); err != nil {
			return identity{}, err
		}
		settled(fd, uint32(stat.Mode))
	}
	return identityOf(&stat), nil
}

// settled takes the mark off a file whose directory has been synced since the
// file was found there. Should it fail, the next reader syncs once more.
func settled(fd int, mode uint32) { _ = unix.Fchmod(fd, mode&0o777&^0o222) }

// absent is what a shard says of a name that it does not hold: ErrNotFound,
// once that is sure to stay so.
func (s *Store) absent(shard *directory) error {
	stat, err := shard.stat()
	if err != nil {
		return err
	}
	if stat.Mode&unsettledShard != 0 {
		if err := s.settleShard(shard); err != nil {
			return err
		}
	}
	return store.ErrNotFound
}

// settleShard syncs a shard that has lost names, and takes the mark off it
// where no delete is at work there.
func (s *Store) settleShard(shard *directory) error {
	locked, err := shard.tryLock()
	if err != nil {
		return err
	}
	if locked {
		defer shard.unlock()
	}
	if err := s.syncShard(shard); err != nil {
		return err
	}
	if locked {
		return shard.mark(false)
	}
	return nil
}

// syncShard syncs a shard, together with all who want that at the same time.
func (s *Store) syncShard(shard *directory) error {
	return shard.syncs.do(func() error {
		if err := s.healthy(); err != nil {
			return err
		}
		return s.sync("directory", func() error {
			if err := s.disk.syncDir(shard.file); err != nil {
				return s.syncFailed("directory", err)
			}
			return nil
		})
	})
}

// mark says, or says no more, that the directory has lost a name and that this
// may not be synced. The caller holds the lock.
func (d *directory) mark(lost bool) error {
	stat, err := d.stat()
	if err != nil {
		return err
	}
	mode := uint32(stat.Mode)
	want := mode & 0o7777 &^ unsettledShard
	if lost {
		want |= unsettledShard
	}
	if want == mode&0o7777 {
		return nil
	}
	if err := unix.Fchmod(int(d.file.Fd()), want); err != nil {
		return diskError("mark", err)
	}
	return nil
}

// modeOf returns the mode of an open file; 0 where it cannot be told.
func modeOf(file *os.File) uint32 {
	var stat unix.Stat_t
	if unix.Fstat(int(file.Fd()), &stat) != nil {
		return 0
	}
	return uint32(stat.Mode)
}
