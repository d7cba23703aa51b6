package filestore

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"bogops/app/store"
)

// failing opens a store on a disk that a test may break.
func failing(t *testing.T, dir string, breaks func(*disk)) *Store {
	t.Helper()
	s := opened(t, dir)
	breaks(&s.disk)
	return s
}

func madeShard(t *testing.T, s *Store, number int) *directory {
	t.Helper()
	dir, err := s.madeShard(number)
	require.NoError(t, err)
	return dir
}

func drafts(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(dir, writingDir))
	require.NoError(t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func putError(s *Store, key string, data []byte) error {
	_, err := s.Put(context.Background(), key, bytes.NewReader(data), store.PutOptions{Size: int64(len(data))})
	return err
}

func TestAFailedSyncOfDataKeepsTheOldObjectAndPoisonsTheStore(t *testing.T) {
	dir := t.TempDir()
	put(t, opened(t, dir), "k", []byte("old"))
	s := failing(t, dir, func(d *disk) { d.syncData = func(*os.File) error { return unix.EIO } })
	err := putError(s, "k", []byte("new"))
	require.ErrorIs(t, err, store.ErrUnavailable)
	require.ErrorIs(t, err, unix.EIO)
	require.NotErrorIs(t, err, store.ErrUnknown, "nothing has a name yet, so nothing can have landed")
	requirePoisoned(t, s, "data", dir)
	got, err := read(s, t, "k", store.Whole)
	require.NoError(t, err)
	require.Equal(t, "old", string(got))

	again := opened(t, dir)
	require.Equal(t, store.Healthy, again.Health(t.Context()).State, "opened anew it works again")
	put(t, again, "k", []byte("new"))
}

func TestAFailedSyncOfTheDirectoryLeavesTheOutcomeUnknownAndPoisonsTheStore(t *testing.T) {
	for name, write := range map[string]func(*Store) error{
		"create":  func(s *Store) error { return putError(s, "new", []byte("data")) },
		"replace": func(s *Store) error { return putError(s, "k", []byte("new")) },
		"delete":  func(s *Store) error { return s.Delete(context.Background(), "k", "") },
		"nothing": func(s *Store) error { return s.Delete(context.Background(), "never", "") },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			put(t, opened(t, dir), "k", []byte("old"))
			s := opened(t, dir)
			for _, key := range []string{"k", "new", "never"} {
				madeShard(t, s, placeOf(key).shard)
			}
			s.disk.syncDir = func(*os.File) error { return unix.EIO }
			require.ErrorIs(t, write(s), store.ErrUnknown)
			requirePoisoned(t, s, "directory", dir)
		})
	}
}

func TestAFailedSyncOfANewShardChangesNothingAndPoisonsTheStore(t *testing.T) {
	dir := t.TempDir()
	s := failing(t, dir, func(d *disk) { d.syncDir = func(*os.File) error { return unix.EIO } })
	err := putError(s, "k", []byte("new"))
	require.ErrorIs(t, err, store.ErrUnavailable)
	require.NotErrorIs(t, err, store.ErrUnknown)
	requirePoisoned(t, s, "directory", dir)
	require.ErrorIs(t, opened(t, dir).Delete(t.Context(), "k", "*"), store.ErrCondition)
}

func TestAShardThatAnotherMadeIsSyncedBeforeItIsWrittenTo(t *testing.T) {
	dir := t.TempDir()
	s := opened(t, dir)
	at := placeOf("k")
	require.NoError(t, os.Mkdir(filepath.Join(dir, objectsDir, shardName(at.shard)), 0o750))
	_, err := s.Stat(t.Context(), "k") // opens the shard
	require.ErrorIs(t, err, store.ErrNotFound)
	var synced []string
	s.disk.syncDir = func(dir *os.File) error { synced = append(synced, dir.Name()); return nil }
	put(t, s, "k", nil)
	put(t, s, "k", nil)
	above := filepath.Join(dir, objectsDir)
	shard := filepath.Join(above, shardName(at.shard))
	require.Equal(t, []string{above, shard, shard}, synced)
}

func requirePoisoned(t *testing.T, s *Store, what, dir string) {
	t.Helper()
	s.disk = realDisk() // the disk is well again; the store must not trust it
	for _, err := range []error{putError(s, "later", nil), s.Delete(t.Context(), "k", ""), s.Delete(t.Context(), "k", "*")} {
		require.ErrorIs(t, err, store.ErrUnavailable)
		require.ErrorContains(t, err, "until the store is opened anew")
	}
	require.Equal(t, store.Health{State: store.Down, Reason: "Nothing is written until the store is opened anew: syncing the " +
		what + " to " + dir + " failed: input/output error."}, s.Health(t.Context()))
	_, err := s.Stat(t.Context(), "later")
	require.ErrorIs(t, err, store.ErrNotFound)
}

func TestAWriteThatWaitsWhileTheStoreIsPoisonedIsRefused(t *testing.T) {
	dir := t.TempDir()
	s := opened(t, dir)
	shard := madeShard(t, s, placeOf("k").shard)
	require.NoError(t, shard.lock(t.Context()))
	result := make(chan error, 1)
	synced := make(chan struct{})
	s.disk.syncData = func(file *os.File) error { defer close(synced); return syncData(file) }
	go func() { result <- putError(s, "k", []byte("new")) }()
	<-synced
	_ = s.syncFailed("data", unix.EIO)
	shard.unlock()
	require.ErrorIs(t, <-result, store.ErrUnavailable)
	_, err := s.Stat(t.Context(), "k")
	require.ErrorIs(t, err, store.ErrNotFound)
}

func TestAFullDiskRefusesTheWriteAndKeepsTheOldObject(t *testing.T) {
	for _, full := range []error{unix.ENOSPC, unix.EDQUOT} {
		for step, breaks := range map[string]func(*disk){
			"first write": func(d *disk) { d.write = func(*os.File, []byte, int64) error { return full } },
			"later write": func(d *disk) {
				writes := 0
				d.write = func(file *os.File, p []byte, at int64) error {
					if writes++; writes == 2 {
						return full
					}
					return realDisk().write(file, p, at)
				}
			},
			"sync":   func(d *disk) { d.syncData = func(*os.File) error { return full } },
			"link":   func(d *disk) { d.create = func(*draft, *os.File, string) error { return full } },
			"rename": func(d *disk) { d.replace = func(*draft, *os.File, string) error { return full } },
		} {
			t.Run(step+" "+full.Error(), func(t *testing.T) {
				dir := t.TempDir()
				put(t, opened(t, dir), "k", []byte("old"))
				s := failing(t, dir, breaks)
				require.ErrorIs(t, putError(s, "k", noise(1, 3*blockLen)), store.ErrFull)
				require.Equal(t, store.Degraded, s.Health(t.Context()).State)
				got, err := read(s, t, "k", store.Whole)
				require.NoError(t, err)
				require.Equal(t, "old", string(got))
				require.Empty(t, drafts(t, dir))
				s.disk = realDisk()
				put(t, s, "k", []byte("new"))
				require.Equal(t, store.Healthy, s.Health(t.Context()).State)
			})
		}
	}
}

func TestAnyOtherFailureToWriteIsNotTheCallersFault(t *testing.T) {
	s := failing(t, t.TempDir(), func(d *disk) { d.write = func(*os.File, []byte, int64) error { return unix.EIO } })
	err := putError(s, "k", []byte("x"))
	require.ErrorIs(t, err, store.ErrUnavailable)
	require.EqualError(t, err, "filestore: put "+store.Fingerprint("k")+": store not reachable: write: input/output error")
}

func TestARemovedDirectoryIsNotAnEmptyStore(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	s := opened(t, dir)
	put(t, s, "k", []byte("x"))
	require.NoError(t, os.RemoveAll(dir))
	_, err := s.Stat(t.Context(), "k")
	require.ErrorIs(t, err, store.ErrUnavailable, "never a 404 for what may exist")
	_, err = s.List(t.Context(), store.ListOptions{Limit: 1})
	require.ErrorIs(t, err, store.ErrUnavailable)
	require.ErrorIs(t, putError(s, "k", nil), store.ErrUnavailable)
	require.Equal(t, store.Down, s.Health(t.Context()).State)
}

func TestAWriterThatGivesUpWaitingForTheLockChangesNothing(t *testing.T) {
	dir := t.TempDir()
	s, other := opened(t, dir), opened(t, dir)
	put(t, s, "k", []byte("old"))
	for _, holder := range []*Store{s, other} {
		shard := madeShard(t, holder, placeOf("k").shard)
		require.NoError(t, shard.lock(t.Context()))
		ctx, cancel := context.WithCancel(t.Context())
		body := io.MultiReader(bytes.NewReader([]byte("new")), readerFunc(func() error { cancel(); return io.EOF }))
		_, err := s.Put(ctx, "k", body, store.PutOptions{Size: -1})
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, s.Delete(ctx, "k", ""), context.Canceled)
		shard.unlock()
	}
	got, err := read(s, t, "k", store.Whole)
	require.NoError(t, err)
	require.Equal(t, "old", string(got))
}

type readerFunc func() error

func (f readerFunc) Read([]byte) (int, error) { return 0, f() }

// putSlowly begins a put of "x" under key and returns when it is in its body.
// It ends with finish, or with the test.
func putSlowly(t *testing.T, s *Store, key string) (finish func(), result <-chan error) {
	t.Helper()
	begun, end, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	finish = sync.OnceFunc(func() { close(end) })
	t.Cleanup(finish)
	go func() {
		body := io.MultiReader(bytes.NewReader([]byte("x")), readerFunc(func() error { close(begun); <-end; return io.EOF }))
		_, err := s.Put(context.Background(), key, body, store.PutOptions{Size: -1})
		ended <- err
	}()
	<-begun
	return finish, ended
}

func TestTheLockHoldsBetweenHandlesAndBetweenGoroutines(t *testing.T) {
	dir := t.TempDir()
	s, other := opened(t, dir), opened(t, dir)
	mine, next := madeShard(t, s, 7), madeShard(t, s, 8)
	for _, held := range []*directory{mine, madeShard(t, other, 7)} {
		require.NoError(t, held.lock(t.Context()))
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		require.ErrorIs(t, mine.lock(ctx), context.DeadlineExceeded)
		cancel()
		require.NoError(t, next.lock(t.Context()), "other shards are free")
		next.unlock()
		held.unlock()
		require.NoError(t, mine.lock(t.Context()))
		mine.unlock()
	}
}

func TestCloseWaitsForWritesAndLeavesReadersTheirBytes(t *testing.T) {
	s, err := Open(t.TempDir())
	require.NoError(t, err)
	data := noise(1, 3*blockLen)
	put(t, s, "k", data)
	r, _, err := s.Get(t.Context(), "k", store.Whole)
	require.NoError(t, err)
	finish, result := putSlowly(t, s, "late")
	closed := make(chan error, 1)
	go func() { closed <- s.Close() }()
	select {
	case <-closed:
		t.Fatal("closed while a write was running")
	default:
	}
	finish()
	require.NoError(t, errors.Join(<-result, <-closed))
	got, err := io.ReadAll(r)
	require.NoError(t, err)
	require.True(t, bytes.Equal(data, got))
	require.NoError(t, r.Close())
	_, err = r.Read(make([]byte, 1))
	require.ErrorIs(t, err, os.ErrClosed)
}
