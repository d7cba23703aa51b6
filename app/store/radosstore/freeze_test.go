//go:build ceph

package radosstore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/app/store"
	"bogops/app/store/versioned"
	"bogops/infra/ceph"
	"bogops/infra/ceph/cephtest"
)

func ownHome(t *testing.T, c *ceph.Cluster, change func(*Config)) *Home {
	t.Helper()
	cfg := Config{Conf: c.Conf(), KeyFile: c.Keyring("objects"), Pool: "objects", Namespace: "own"}
	change(&cfg)
	home, err := Open(cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, home.Close()) })
	waitHealthy(t, home)
	return home
}

func osds(t *testing.T, do func(daemon string) error) {
	t.Helper()
	for n := range 3 {
		require.NoError(t, do(fmt.Sprintf("osd.%d", n)))
	}
}

// A cluster of its own stands still, shuts a client out and runs full.
func TestAClusterInTrouble(t *testing.T) {
	c := cephtest.Own(t, ceph.Options{Monitors: 1})
	t.Run("a pool that stands still takes no more threads than it may", func(t *testing.T) { threads(t, c) })
	t.Run("a write that it did not answer is of unknown outcome and never lands over a later one", func(t *testing.T) { ghosts(t, c) })
	t.Run("a caller who leaves does not wait for the cluster", func(t *testing.T) { leaving(t, c) })
	t.Run("a client that is shut out comes back under another address", func(t *testing.T) { shutOut(t, c) })
	t.Run("a full pool says so", func(t *testing.T) { full(t, c) })
}

func ghosts(t *testing.T, c *ceph.Cluster) {
	home, ctx := ownHome(t, c, func(*Config) {}), t.Context()
	const keys = 24
	bases := make([]versioned.Head, keys)
	for n := range bases {
		var err error
		bases[n], err = put(ctx, home, fmt.Sprint(n), []byte("old"), versioned.Head{})
		require.NoError(t, err)
	}
	osds(t, func(daemon string) error { return c.Freeze(ctx, daemon) })
	began := time.Now()
	errs := make([]error, keys)
	var wait sync.WaitGroup
	for n := range errs {
		wait.Go(func() { _, errs[n] = put(ctx, home, fmt.Sprint(n), []byte("ghost"), bases[n]) })
	}
	_, readErr := home.Head(ctx, "0")
	require.ErrorIs(t, readErr, store.ErrUnavailable, "never an answer, least of all that there is nothing")
	wait.Wait()
	took := time.Since(began)
	require.Less(t, took, 5*time.Second, "nobody waits longer")
	var unsure int
	for _, err := range errs {
		if errors.Is(err, store.ErrUnknown) {
			unsure++
		} else {
			require.ErrorIs(t, err, store.ErrUnavailable)
		}
	}
	require.Positive(t, unsure)
	require.Equal(t, store.Down, home.Health(ctx).State)
	_, err := put(ctx, home, "0", []byte("refused"), bases[0])
	require.ErrorIs(t, err, store.ErrUnavailable)
	require.NotErrorIs(t, err, store.ErrUnknown, "it was not even sent")

	osds(t, func(daemon string) error { return c.Thaw(ctx, daemon) })
	thawed := time.Now()
	waitUp(t, home)
	back := time.Since(thawed)
	landed := 0
	kept := make([]versioned.Head, keys)
	for n := range kept {
		now, err := home.Head(ctx, fmt.Sprint(n))
		require.NoError(t, err)
		if now.Version != bases[n].Version {
			landed++
		}
		kept[n], err = put(ctx, home, fmt.Sprint(n), []byte("new"), now)
		for errors.Is(err, versioned.ErrMoved) { // the ghost came in between
			now, err = home.Head(ctx, fmt.Sprint(n))
			require.NoError(t, err)
			kept[n], err = put(ctx, home, fmt.Sprint(n), []byte("new"), now)
		}
		require.NoError(t, err)
	}
	for n := range kept {
		got, now, err := get(ctx, home, fmt.Sprint(n), store.Whole)
		require.NoError(t, err)
		require.Equal(t, "new", string(got))
		require.Equal(t, kept[n], now)
	}
	t.Logf("%d of %d writes unknown after %v, %d of them landed; healthy %v after the thaw",
		unsure, keys, took.Round(time.Millisecond), landed, back.Round(time.Millisecond))
}

// waitUp is content with degraded: operations did time out.
func waitUp(t *testing.T, home *Home) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if home.Health(t.Context()).State != store.Down {
			return
		}
	}
	t.Fatalf("still down: %+v", home.Health(t.Context()))
}

func threads(t *testing.T, c *ceph.Cluster) {
	const inFlight = 8
	home, ctx := ownHome(t, c, func(cfg *Config) { cfg.InFlight, cfg.Waiting = inFlight, 100 }), t.Context()
	before := countThreads(t)
	osds(t, func(daemon string) error { return c.Freeze(ctx, daemon) })
	defer waitUp(t, home)
	defer osds(t, func(daemon string) error { return c.Thaw(ctx, daemon) })
	var wait sync.WaitGroup
	refused := make(chan error, 400)
	for n := range cap(refused) {
		wait.Go(func() {
			_, err := home.Head(ctx, fmt.Sprint(n))
			refused <- err
		})
	}
	first := <-refused // some are turned away at once
	most := countThreads(t)
	wait.Wait()
	require.ErrorIs(t, first, store.ErrUnavailable)
	for len(refused) > 0 {
		require.ErrorIs(t, <-refused, store.ErrUnavailable)
	}
	// Beside those in flight: the probe, and what the Go runtime itself starts.
	require.LessOrEqual(t, most, before+inFlight+8)
	t.Logf("%d threads before, %d with %d calls for %d places", before, most, cap(refused), inFlight)
}

func leaving(t *testing.T, c *ceph.Cluster) {
	home, ctx := ownHome(t, c, func(*Config) {}), t.Context()
	base, err := put(ctx, home, "left", []byte("old"), versioned.Head{})
	require.NoError(t, err)
	osds(t, func(daemon string) error { return c.Freeze(ctx, daemon) })
	thaw := sync.OnceFunc(func() { osds(t, func(daemon string) error { return c.Thaw(context.Background(), daemon) }) })
	defer thaw()
	leave, cancel := context.WithCancel(ctx)
	answers := make(chan error, 2)
	go func() {
		_, err := put(leave, home, "left", pattern(inlineLimit), base)
		answers <- err
	}()
	go func() {
		_, err := home.Head(leave, "left")
		answers <- err
	}()
	for home.Numbers().InFlight < 2 { // both hang
		runtime.Gosched()
	}
	began := time.Now()
	cancel()
	one, two := <-answers, <-answers
	require.Less(t, time.Since(began), time.Second)
	if !errors.Is(one, store.ErrUnknown) {
		one, two = two, one
	}
	require.ErrorIs(t, one, store.ErrUnknown, "the write was on its way")
	require.ErrorIs(t, two, context.Canceled)
	require.NotErrorIs(t, two, store.ErrUnknown)
	require.Positive(t, home.Numbers().Held, "the write still uses its memory")
	thaw()
	waitUp(t, home)
	for home.Numbers().Held > 0 {
		runtime.Gosched()
	}
}

func countThreads(t *testing.T) int {
	t.Helper()
	tasks, err := os.ReadDir("/proc/self/task")
	require.NoError(t, err)
	return len(tasks)
}

func shutOut(t *testing.T, c *ceph.Cluster) {
	home, other, ctx := ownHome(t, c, func(*Config) {}), ownHome(t, c, func(*Config) {}), t.Context()
	old, err := other.Address()
	require.NoError(t, err)
	base, err := put(ctx, home, "shut", []byte("1"), versioned.Head{})
	require.NoError(t, err)
	require.NoError(t, home.Blocklist(ctx, old))
	_, err = home.Head(ctx, "shut") // brings the map to where the object lies
	require.NoError(t, err)
	_, err = put(ctx, other, "shut", []byte("2"), base)
	require.Error(t, err)
	got, now, err := get(ctx, home, "shut", store.Whole)
	require.NoError(t, err)
	require.Equal(t, "1", string(got))
	require.Equal(t, base, now)
	require.Eventually(t, func() bool {
		address, err := other.Address()
		return err == nil && address != old && other.Health(ctx).State != store.Down
	}, 20*time.Second, 20*time.Millisecond)
	_, err = put(ctx, other, "shut", []byte("2"), base)
	require.NoError(t, err)
}

func full(t *testing.T, c *ceph.Cluster) {
	home, ctx := ownHome(t, c, func(*Config) {}), t.Context()
	_, err := c.Ceph(ctx, "osd", "pool", "set-quota", "objects", "max_objects", "1")
	require.NoError(t, err)
	deadline := time.Now().Add(60 * time.Second)
	for n := 0; err == nil || !errors.Is(err, store.ErrFull); n++ {
		require.True(t, time.Now().Before(deadline), "the last write said: %v", err)
		_, err = put(ctx, home, fmt.Sprintf("full/%d", n), []byte("x"), versioned.Head{})
	}
	_, err = home.Head(ctx, "full/0")
	require.NoError(t, err, "reads go on")
	require.NotEqual(t, store.Healthy, home.Health(ctx).State, "an operator should know")
}
