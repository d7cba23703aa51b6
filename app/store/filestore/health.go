package filestore

import (
	"context"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"bogops/app/store"
)

// enter begins an operation; each ends with leave. The directories stay open
// in between.
func (s *Store) enter() error {
	if s.closing.Load() {
		return errClosed()
	}
	s.open.RLock()
	if s.closing.Load() {
		s.open.RUnlock()
		return errClosed()
	}
	return nil
}

func (s *Store) leave() { s.open.RUnlock() }

func errClosed() error { return fmt.Errorf("%w: the store is closed", store.ErrUnavailable) }

// Close waits for the operations that run. Readers that Get has returned
// keep working.
func (s *Store) Close() error {
	if s.closing.Swap(true) {
		return nil
	}
	s.open.Lock()
	defer s.open.Unlock()
	return s.closeAll()
}

func (s *Store) closeAll() error {
	var errs []error
	for _, dir := range s.directories() {
		errs = append(errs, dir.file.Close())
	}
	return errors.Join(errs...)
}

// syncFailed poisons the store and returns the error of the write that found
// out.
func (s *Store) syncFailed(what string, err error) error {
	reason := fmt.Sprintf("syncing the %s to %s failed: %v", what, s.root, bare(err))
	s.poison.CompareAndSwap(nil, &reason)
	return fmt.Errorf("%w: syncing the %s failed: %w", store.ErrUnavailable, what, bare(err))
}

// syncData syncs a draft. A disk that turns out to be full, as one that
// allocates late may only now, costs the draft and nothing else.
func (s *Store) syncData(file *os.File) error {
	return s.sync("data", func() error {
		err := s.disk.syncData(file)
		if errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) {
			return diskError("sync", err)
		}
		if err != nil {
			return s.syncFailed("data", err)
		}
		return nil
	})
}

// healthy returns an error where the store is poisoned.
func (s *Store) healthy() error {
	if reason := s.poison.Load(); reason != nil {
		return fmt.Errorf("%w: nothing is written until the store is opened anew: %s", store.ErrUnavailable, *reason)
	}
	return nil
}

// Health implements store.Store. Down: closed, poisoned by a failed sync, or
// without its directory. Degraded: the last write found the disk full.
func (s *Store) Health(context.Context) store.Health {
	if err := s.enter(); err != nil {
		return store.Health{State: store.Down, Reason: "The store is closed."}
	}
	defer s.leave()
	if reason := s.poison.Load(); reason != nil {
		return store.Health{State: store.Down, Reason: "Nothing is written until the store is opened anew: " + *reason + "."}
	}
	for _, dir := range s.directories() {
		if _, err := dir.stat(); err != nil {
			return store.Health{State: store.Down, Reason: "A directory of the store has been removed: " + dir.file.Name() + "."}
		}
	}
	if s.full.Load() {
		return store.Health{State: store.Degraded, Reason: "The last write found the disk of " + s.root + " full."}
	}
	return store.Health{State: store.Healthy}
}
