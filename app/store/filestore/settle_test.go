package filestore

import (
	"bytes"
	"context"
	"os"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"bogops/app/store"
)

// syncs counts a store's syncs of directories, and lets them fail.
type syncs struct {
	done int
	fail error
}

func (c *syncs) of(s *Store) {
	s.disk.syncDir = func(dir *os.File) error {
		if c.fail != nil {
			return c.fail
		}
		c.done++
		return dir.Sync()
	}
}

// stopped lets do run in s up to its directory's sync, and keeps it there to
// the end of the test: what it did has an effect, and is not synced.
func stopped(t *testing.T, s *Store, key string, do func() error) {
	t.Helper()
	madeShard(t, s, placeOf(key).shard)
	reached, goOn, over := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	s.disk.syncDir = func(dir *os.File) error { close(reached); <-goOn; return dir.Sync() }
	go func() { over <- do() }()
	<-reached
	t.Cleanup(func() { close(goOn); require.NoError(t, <-over) })
}

// looks are the ways to be told what a key holds.
func looks(s *Store, key string) map[string]func() error {
	ctx := context.Background()
	return map[string]func() error{
		"get": func() error {
			r, _, err := s.Get(ctx, key, store.Whole)
			if err == nil {
				r.Close()
			}
			return err
		},
		"stat": func() error { _, err := s.Stat(ctx, key); return err },
		"list": func() error { _, err := s.List(ctx, store.ListOptions{Limit: 10}); return err },
		"list of prefixes": func() error {
			_, err := s.List(ctx, store.ListOptions{Prefix: key[:1], Delimiter: key[1:2], Limit: 10})
			return err
		},
		"put if absent": func() error {
			_, err := s.Put(ctx, key, bytes.NewReader(nil), store.PutOptions{IfAbsent: true, MaxSize: 1, Size: 1})
			return err
		},
		"put if it matches": func() error {
			_, err := s.Put(ctx, key, bytes.NewReader(nil), store.PutOptions{IfMatch: `"x"`})
			return err
		},
		"put if there is any": func() error {
			_, err := s.Put(ctx, key, bytes.NewReader(nil), store.PutOptions{IfMatch: "*", MaxSize: 1, Size: 1})
			return err
		},
	}
}

func TestNothingIsToldOfAWriteBeforeItsNameIsSynced(t *testing.T) {
	for look := range looks(nil, "key") {
		for name, old := range map[string]bool{"created": false, "replaced": true} {
			t.Run(look+" of what is "+name, func(t *testing.T) {
				dir := t.TempDir()
				writer, reader := opened(t, dir), opened(t, dir)
				if old {
					put(t, writer, "key", []byte("old"))
				}
				stopped(t, writer, "key", func() error { return putError(writer, "key", []byte("new")) })
				madeShard(t, reader, placeOf("key").shard) // that is another sync
				var count syncs
				count.of(reader)
				_ = looks(reader, "key")[look]()
				require.Equal(t, 1, count.done, "told before a sync")
				_ = looks(reader, "key")[look]()
				require.Equal(t, 1, count.done, "what is synced must not be synced again")
			})
		}
	}
}

func TestNothingIsToldOfAWriteThatCannotBeSynced(t *testing.T) {
	for look := range looks(nil, "key") {
		t.Run(look, func(t *testing.T) {
			dir := t.TempDir()
			writer, reader := opened(t, dir), opened(t, dir)
			stopped(t, writer, "key", func() error { return putError(writer, "key", []byte("new")) })
			(&syncs{fail: unix.EIO}).of(reader)
			require.ErrorIs(t, looks(reader, "key")[look](), store.ErrUnavailable)
			require.Equal(t, store.Down, reader.Health(t.Context()).State)
			require.ErrorIs(t, looks(reader, "key")[look](), store.ErrUnavailable, "and not at the second look either")
		})
	}
}

// The others wait for the lock, which a delete keeps to its end.
func TestNobodyIsToldThatAnObjectIsGoneBeforeThatIsSynced(t *testing.T) {
	for _, look := range []string{"get", "stat", "put if it matches", "put if there is any"} {
		t.Run(look, func(t *testing.T) {
			dir := t.TempDir()
			writer, reader := opened(t, dir), opened(t, dir)
			put(t, writer, "key", []byte("old"))
			stopped(t, writer, "key", func() error { return writer.Delete(context.Background(), "key", "") })
			var count syncs
			count.of(reader)
			require.Error(t, looks(reader, "key")[look]())
			require.Equal(t, 1, count.done, "told before a sync")
			count.fail = unix.EIO
			err := looks(reader, "key")[look]()
			require.ErrorIs(t, err, store.ErrUnavailable)
			require.NotErrorIs(t, err, store.ErrNotFound)
		})
	}
}

// What a killed process leaves marked costs one sync, whoever comes first.
func TestAMarkThatWasLeftBehindGoesWithTheNextLook(t *testing.T) {
	dir := t.TempDir()
	s := opened(t, dir)
	put(t, s, "key", nil)
	shard := madeShard(t, s, placeOf("key").shard)
	require.NoError(t, shard.mark(true))
	require.NoError(t, os.Chmod(fileOf(dir, "key"), 0o640))
	var count syncs
	count.of(s)
	for range 2 {
		_, err := s.Stat(t.Context(), "key")
		require.NoError(t, err)
		require.Equal(t, 1, count.done)
	}
	require.NoError(t, os.Remove(fileOf(dir, "key")))
	for range 2 {
		_, err := s.Stat(t.Context(), "key")
		require.ErrorIs(t, err, store.ErrNotFound)
		require.Equal(t, 2, count.done)
	}
}

func TestADeleteWhoseSyncFailedStaysMarked(t *testing.T) {
	dir := t.TempDir()
	s := opened(t, dir)
	put(t, s, "key", nil)
	(&syncs{fail: unix.EIO}).of(s)
	require.ErrorIs(t, s.Delete(t.Context(), "key", ""), store.ErrUnknown)
	_, err := s.Stat(t.Context(), "key")
	require.ErrorIs(t, err, store.ErrUnavailable, "it may be there again after a power cut")
	_, err = opened(t, dir).Stat(t.Context(), "key")
	require.ErrorIs(t, err, store.ErrNotFound)
}

func TestWhoeverComesDuringASyncWaitsForTheNextOneAndSharesIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g sharedSync
		begun, over := 0, 0
		goOn := make(chan struct{})
		sync := func() error { begun++; <-goOn; over++; return nil }
		go func() { _ = g.do(sync) }()
		synctest.Wait()
		require.Equal(t, 1, begun)
		served := make(chan int, 10)
		for range 10 {
			go func() { _ = g.do(sync); served <- over }()
		}
		synctest.Wait()
		require.Equal(t, 1, begun, "two syncs of one directory at once")
		goOn <- struct{}{}
		synctest.Wait()
		require.Equal(t, 2, begun)
		require.Empty(t, served, "answered by a sync that had begun before they came")
		goOn <- struct{}{}
		for range 10 {
			require.Equal(t, 2, <-served)
		}
		require.Equal(t, 2, begun)
	})
}
