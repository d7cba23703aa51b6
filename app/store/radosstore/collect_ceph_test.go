//go:build ceph

package radosstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/app/store"
	"bogops/app/store/versioned"
)

// late is a pool whose next write of a head is kept, and arrives when the test
// says so.
type late struct {
	pool
	mu    sync.Mutex // the index writes at the same time
	name  string     // whose head is kept; empty: none
	ghost change
}

func (l *late) keepNext(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.name = headName(key)
}

// keep reports whether c is the change to keep, and keeps it.
func (l *late) keep(name string, c change) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if name != l.name {
		return false
	}
	l.name = ""
	c.full = [][]byte{bytes.Join(c.full, nil)} // the caller's memory is not ours to keep
	l.ghost = c
	return true
}

func (l *late) change(ctx context.Context, name string, c change, holds ...*buffer) error {
	if l.keep(name, c) {
		return store.ErrUnknown
	}
	return l.pool.change(ctx, name, c, holds...)
}

// lateHome is an instance of its own over the namespace of first, with nothing in
// the background and a clock that the test moves.
func lateHome(t *testing.T, first *Home, c *clock) (*Home, *late) {
	cfg := first.cfg
	l := &late{pool: first.pool}
	h := newHome(cfg, l)
	h.now = c.Now
	t.Cleanup(h.endChores)
	return h, l
}

func TestAGhostDoesNotLandInAPoolAfterItsTailsWereCollected(t *testing.T) {
	for _, over := range []string{"nothing", "an object"} {
		t.Run(over, func(t *testing.T) {
			c := &clock{now: time.Unix(1e9, 0)}
			h, l := lateHome(t, realHome(t, namespace(t)), c)
			var base versioned.Head
			var err error
			if over == "an object" {
				base, err = write(t.Context(), h, "k", []byte("before"), versioned.Head{})
				require.NoError(t, err)
			}
			l.keepNext("k")
			_, err = write(t.Context(), h, "k", big, base)
			require.ErrorIs(t, err, store.ErrUnknown)
			require.Equal(t, 2, count(t, h, tailPrefix))
			did := collectFor(t, h, c, 2)
			require.Equal(t, Collected{Gone: 1, Fenced: 1, Tails: 2}, did)
			require.Zero(t, count(t, h, tailPrefix))
			err = l.pool.change(t.Context(), headName("k"), l.ghost)
			require.ErrorIs(t, err, errGuard)
			now, err := h.Head(t.Context(), "k")
			require.NoError(t, err)
			require.Equal(t, base.Info.ETag, now.Info.ETag)
			if base.Exists() {
				require.Equal(t, []byte("before"), readAll(t, h, "k"))
			}
			_, err = write(t.Context(), h, "k", []byte("after"), now)
			require.NoError(t, err)
			require.Equal(t, []string{"k"}, listedKeys(t, h))
		})
	}
}

// count is how many objects of the pool have names that begin with prefix.
func count(t *testing.T, h *Home, prefix string) (n int) {
	t.Helper()
	require.NoError(t, h.pool.each(t.Context(), func(name string) error {
		if strings.HasPrefix(name, prefix) {
			n++
		}
		return nil
	}))
	return n
}

func TestAScrubGivesAPoolItsListingBack(t *testing.T) {
	home := realHome(t, namespace(t))
	for n := range 50 {
		head, err := write(t.Context(), home, fmt.Sprintf("k/%02d", n), []byte{byte(n)}, versioned.Head{})
		require.NoError(t, err)
		if n%5 == 0 {
			stone, err := bury(t.Context(), home, head.Info.Key, head)
			require.NoError(t, err)
			if n%10 == 0 {
				require.NoError(t, home.Remove(t.Context(), head.Info.Key, stone))
			}
		}
	}
	_, err := write(t.Context(), home, "large", big, versioned.Head{})
	require.NoError(t, err)
	home.index.flush()
	home.index.flights.Wait()
	want, err := home.List(t.Context(), store.ListOptions{})
	require.NoError(t, err)
	require.Len(t, want.Objects, 41)
	var lost []string
	require.NoError(t, home.pool.each(t.Context(), func(name string) error {
		if (strings.HasPrefix(name, "i:") || strings.HasPrefix(name, "u:")) && name != layoutName {
			lost = append(lost, name)
		}
		return nil
	}))
	require.NotEmpty(t, lost)
	for _, name := range lost {
		err := home.pool.change(t.Context(), name, change{remove: true})
		require.True(t, err == nil || errors.Is(err, errMissing), err)
	}
	require.Empty(t, listedKeys(t, home))
	did, err := home.Scrub(t.Context(), ScrubOptions{Bodies: true})
	require.NoError(t, err)
	require.Equal(t, Scrubbed{Objects: 41, Tombstones: 5, Unindexed: 46, Unrecorded: 1}, did)
	got, err := home.List(t.Context(), store.ListOptions{})
	require.NoError(t, err)
	require.Equal(t, want, got)
}
