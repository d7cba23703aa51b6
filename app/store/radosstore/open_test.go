//go:build ceph

package radosstore

import (
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/app/store"
	"bogops/app/store/versioned"
)

func TestAStoreWhoseClusterIsNotThereOpensAtOnceAndSaysSo(t *testing.T) {
	began := time.Now()
	home, err := Open(Config{Monitors: "127.0.0.1:1", Key: "AQBTGMxlAAAAABAAYUaRbJgRQ+ZkCj5ZzUr2xg==", Pool: "objects"})
	require.NoError(t, err)
	require.Less(t, time.Since(began), time.Second)
	ctx := t.Context()
	_, err = home.Head(ctx, "k")
	require.ErrorIs(t, err, store.ErrUnavailable)
	_, err = put(ctx, home, "k", []byte("1"), versioned.Head{})
	require.ErrorIs(t, err, store.ErrUnavailable)
	require.NotErrorIs(t, err, store.ErrUnknown)
	_, err = home.Address()
	require.ErrorIs(t, err, store.ErrUnavailable)
	_, err = home.Locate(ctx, "k")
	require.ErrorIs(t, err, store.ErrUnavailable)
	health := home.Health(ctx)
	require.Equal(t, store.Down, health.State)
	require.NotEmpty(t, health.Reason)
	require.NoError(t, home.Close())
	require.Less(t, time.Since(began), 3*mountTimeout, "Close waits for one attempt at most")
}

func TestAttemptsToConnectThatFailedLeaveNoThreads(t *testing.T) {
	nowhere, err := Config{Monitors: "127.0.0.1:1", Key: "AQBTGMxlAAAAABAAYUaRbJgRQ+ZkCj5ZzUr2xg==", Pool: "objects"}.withDefaults()
	require.NoError(t, err)
	before := countThreads(t)
	for range 2 {
		_, err := connect(nowhere)
		require.Error(t, err)
	}
	// Each attempt leaves four until its memory is collected, which is not done
	// here once more. The Go runtime may have begun one or two of its own.
	for deadline := time.Now().Add(20 * time.Second); countThreads(t) > before+3 && time.Now().Before(deadline); {
		runtime.Gosched()
	}
	require.LessOrEqual(t, countThreads(t), before+3)
}
