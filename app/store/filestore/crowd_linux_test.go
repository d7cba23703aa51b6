package filestore

import (
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"bogops/app/store"
)

func always(*os.File) bool { return true }

func tryPut(t *testing.T, s *Store, key string) error {
	t.Helper()
	_, err := s.Put(t.Context(), key, strings.NewReader("body"), store.PutOptions{Size: 4})
	return err
}

// What could not be written may belong to a write that has not come to its sync
// yet, and the kernel tells of it once.
func TestAnyErrorOfASharedSyncPoisonsTheStore(t *testing.T) {
	for _, errno := range []unix.Errno{unix.EIO, unix.ENOSPC} {
		below := realDisk()
		below.crowd, below.syncsAll = 1, always
		var failing atomic.Bool
		below.syncAll = func(*os.File) error {
			if failing.Load() {
				return errno
			}
			return nil
		}
		s, err := open(t.TempDir(), below)
		require.NoError(t, err)
		defer s.Close()
		require.NoError(t, tryPut(t, s, "before"))
		failing.Store(true)
		require.ErrorIs(t, tryPut(t, s, "then"), store.ErrUnavailable)
		failing.Store(false)
		require.ErrorIs(t, tryPut(t, s, "after"), store.ErrUnavailable)
		require.Equal(t, store.Down, s.Health(t.Context()).State)
	}
}

func TestOnlyACrowdSharesASync(t *testing.T) {
	const clients = 16
	below := realDisk()
	below.syncsAll = always
	var alone, all atomic.Int64
	gather := make(chan struct{})
	sync1 := below.syncData
	below.syncData = func(file *os.File) error {
		if alone.Add(1) <= usualCrowd { // the format file's, and then those of too small a crowd
			<-gather
		}
		return sync1(file)
	}
	below.syncAll = func(dir *os.File) error { all.Add(1); return dir.Sync() }
	close(gather)
	s, err := open(t.TempDir(), below)
	require.NoError(t, err)
	defer s.Close()
	require.NoError(t, tryPut(t, s, "one after the other"))
	require.Zero(t, all.Load(), "a single write synced everything")

	gather = make(chan struct{})
	alone.Store(0)
	var writers sync.WaitGroup
	for i := range clients {
		writers.Go(func() { _ = tryPut(t, s, strings.Repeat("k", i+1)) })
	}
	require.Eventually(t, func() bool { return all.Load() > 0 && alone.Load() == usualCrowd-1 }, 30*time.Second, time.Millisecond)
	close(gather)
	writers.Wait()
	require.Less(t, all.Load(), int64(2*clients), "nobody shared")
}

func TestASharedSyncIsTrustedOnlyWhereItIsKnownToBeOne(t *testing.T) {
	if _, err := os.Stat("/dev/shm"); err != nil {
		leftOut(t, "no tmpfs at /dev/shm")
	}
	memory, err := os.Open("/dev/shm")
	require.NoError(t, err)
	defer memory.Close()
	require.False(t, syncsAll(memory), "tmpfs")
}
