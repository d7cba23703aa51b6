package certs

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestOfManySwapsFromOneVersionOneSucceeds(t *testing.T) {
	cache := dirCache(t.TempDir())
	version := ""
	for round := range 5 {
		var won atomic.Int32
		var winner atomic.Value
		var running sync.WaitGroup
		for n := range 8 {
			running.Go(func() {
				next, err := cache.Swap(t.Context(), "key", version, []byte{byte(round), byte(n)})
				if err == nil {
					won.Add(1)
					winner.Store(next)
					return
				}
				require.ErrorIs(t, err, ErrChanged)
			})
		}
		running.Wait()
		require.EqualValues(t, 1, won.Load())
		_, found, err := cache.Get(t.Context(), "key")
		require.NoError(t, err)
		require.Equal(t, winner.Load(), found)
		version = found
	}
}

func TestAMissingEntryIsNotAMissingDirectory(t *testing.T) {
	dir := t.TempDir()
	_, _, err := dirCache(dir).Get(t.Context(), "key")
	require.ErrorIs(t, err, ErrMissing)

	gone := dirCache(filepath.Join(dir, "gone"))
	_, _, err = gone.Get(t.Context(), "key")
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NotErrorIs(t, err, ErrMissing)
	require.Error(t, gone.Put(t.Context(), "key", nil))
}

func TestAWriterThatWaitsGivesUpWithItsContext(t *testing.T) {
	cache := dirCache(t.TempDir())
	inside, leave := make(chan struct{}), make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() {
		_ = cache.locked(context.Background(), "key", func(string) error {
			close(inside)
			<-leave
			return nil
		})
	})
	<-inside
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, cache.Put(ctx, "key", nil), context.DeadlineExceeded)
	close(leave)
	running.Wait()
	require.NoError(t, cache.Put(t.Context(), "key", nil))
}

func TestAKeyThatIsNoFileNameIsRefused(t *testing.T) {
	for _, key := range []string{"", ".lock", "../up", "a/b", `a\b`} {
		require.Error(t, dirCache(t.TempDir()).Put(t.Context(), key, nil), key)
	}
}

func TestASealedEntryHidesItsValueAndOpensOnlyUnderItsOwnKey(t *testing.T) {
	cache := dirCache(t.TempDir())
	v := vaultOver(t, cache)
	require.NoError(t, v.put(t.Context(), "otters.test", []byte("a private key")))
	sealed, _, err := cache.Get(t.Context(), v.space+"otters.test")
	require.NoError(t, err)
	require.NotContains(t, string(sealed), "private")

	value, _, err := v.get(t.Context(), "otters.test")
	require.NoError(t, err)
	require.Equal(t, "a private key", string(value))

	require.NoError(t, cache.Put(t.Context(), v.space+"pandas.test", sealed))
	_, _, err = v.get(t.Context(), "pandas.test")
	require.ErrorIs(t, err, errSealed, "moved to another name")

	for _, damaged := range [][]byte{nil, []byte("plain"), sealed[:len(sealed)-1]} {
		require.NoError(t, cache.Put(t.Context(), v.space+"otters.test", damaged))
		_, _, err = v.get(t.Context(), "otters.test")
		require.ErrorIs(t, err, errSealed)
	}
}

func TestALeaseHasOneHolderAtATime(t *testing.T) {
	t.Parallel()
	cache := dirCache(t.TempDir())
	a, b := leaseOver(t, cache, "a"), leaseOver(t, cache, "b")
	term, err := seize(t, a)
	require.NoError(t, err)
	for range 3 { // longer than the lease lasts, were it not renewed
		_, err = seize(t, b)
		require.ErrorContains(t, err, "instance a ")
		time.Sleep(a.length / 2)
	}
	require.NoError(t, term.Err())

	term.retire(map[string]rest{"otters.test": {Failures: 2}})
	next, err := seize(t, b)
	require.NoError(t, err, "handed back: no wait")
	require.Equal(t, 2, next.record.Resting["otters.test"].Failures)
	next.retire(nil)
}

func TestALeaseOfADeadHolderIsTakenAfterItsLengthAndNotBefore(t *testing.T) {
	t.Parallel()
	cache := dirCache(t.TempDir())
	a, b := leaseOver(t, cache, "a"), leaseOver(t, cache, "b")
	term, err := seize(t, a)
	require.NoError(t, err)
	term.stop() // dead: no more beats, nothing handed back

	began := time.Now()
	var next *termOrError
	require.Eventually(t, func() bool {
		term, err := seize(t, b)
		next = &termOrError{term, err}
		return err == nil
	}, 10*time.Second, 5*time.Millisecond)
	require.GreaterOrEqual(t, time.Since(began), b.length)
	term.retire(nil) // wakes up and must not take it away
	found, _, err := a.look(t.Context())
	require.NoError(t, err)
	require.Equal(t, b.me, found.Holder)
	next.term.retire(nil)
}

func TestAHolderThatCannotRenewStopsBeforeAnybodyElseStarts(t *testing.T) {
	t.Parallel()
	cache := &moody{Shared: dirCache(t.TempDir())}
	a := leaseOver(t, cache, "a")
	began := time.Now()
	term, err := seize(t, a)
	require.NoError(t, err)
	cache.set(true, 0)
	<-term.Done()
	require.Less(t, time.Since(began), a.length)
	require.ErrorIs(t, context.Cause(term), errLeaseLost)
	term.retire(nil)
}

type termOrError struct {
	term *term
	err  error
}

func seize(t *testing.T, l *lease) (*term, error) {
	found, version, err := l.look(t.Context())
	require.NoError(t, err)
	return l.take(context.Background(), found, version)
}

func vaultOver(t *testing.T, cache Shared) *vault {
	v, err := newVault(cache, make([]byte, 32), stagingDirectory, time.Second)
	require.NoError(t, err)
	return v
}

func leaseOver(t *testing.T, cache Shared, instance string) *lease {
	return newLease(vaultOver(t, cache), instance, 3*time.Second, quiet)
}

// contents returns every file under dir but the lock.
func contents(t *testing.T, dir string) map[string]string {
	all := map[string]string{}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, entry := range entries {
		if entry.Name() == lockFile {
			continue
		}
		content, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		require.NoError(t, err)
		all[entry.Name()] = string(content)
	}
	return all
}
