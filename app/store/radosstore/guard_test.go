//go:build ceph

package radosstore

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"bogops/app/store"
	"bogops/app/store/versioned"
)

// race has 64 writers try at once and returns the one head that was kept.
func race(t *testing.T, try func(n int) (versioned.Head, error)) versioned.Head {
	t.Helper()
	var won atomic.Int64
	var winner atomic.Pointer[versioned.Head]
	var wait sync.WaitGroup
	start := make(chan struct{})
	for n := range 64 {
		wait.Go(func() {
			<-start
			head, err := try(n)
			if err == nil {
				won.Add(1)
				winner.Store(&head)
			} else if !errors.Is(err, versioned.ErrMoved) {
				t.Errorf("a loser got %v, want ErrMoved", err)
			}
		})
	}
	close(start)
	wait.Wait()
	require.Equal(t, int64(1), won.Load(), "winners")
	return *winner.Load()
}

func TestOfManyWritersOverOneHeadExactlyOneWins(t *testing.T) {
	space := namespace(t)
	home, other := realHome(t, space), realHome(t, space)
	homes := []*Home{home, other}
	ctx := t.Context()
	body := []byte("body")
	created := race(t, func(n int) (versioned.Head, error) { return put(ctx, homes[n%2], "k", body, versioned.Head{}) })
	replaced := race(t, func(n int) (versioned.Head, error) { return put(ctx, homes[n%2], "k", body, created) })
	buried := race(t, func(n int) (versioned.Head, error) { return homes[n%2].Bury(ctx, "k", replaced, nextOf(replaced)) })
	head, err := home.Head(ctx, "k")
	require.NoError(t, err)
	require.Equal(t, buried, head)
	require.True(t, head.Tombstone)
	require.False(t, head.Exists())
	reader, head, err := other.Open(ctx, "k", store.Whole)
	require.NoError(t, err)
	require.Nil(t, reader)
	require.Equal(t, buried, head)
	_ = race(t, func(n int) (versioned.Head, error) { return versioned.Head{}, homes[n%2].Remove(ctx, "k", buried) })
	head, err = home.Head(ctx, "k")
	require.NoError(t, err)
	require.Equal(t, versioned.Head{}, head)
	_ = race(t, func(n int) (versioned.Head, error) { return homes[n%2].Bury(ctx, "k", versioned.Head{}, nextOf(head)) })
}

func TestAWriteOverAnyOtherHeadMovesNothing(t *testing.T) {
	home, ctx := realHome(t, namespace(t)), t.Context()
	first, err := put(ctx, home, "k", []byte("1"), versioned.Head{})
	require.NoError(t, err)
	second, err := put(ctx, home, "k", []byte("2"), first)
	require.NoError(t, err)
	stale := first
	for name, key := range map[string]string{"an old head": "k", "nothing": "other"} {
		t.Run(name, func(t *testing.T) {
			_, err := put(ctx, home, key, []byte("3"), stale)
			require.ErrorIs(t, err, versioned.ErrMoved)
			_, err = home.Bury(ctx, key, stale, nextOf(stale))
			require.ErrorIs(t, err, versioned.ErrMoved)
			require.ErrorIs(t, home.Remove(ctx, key, stale), versioned.ErrMoved)
		})
	}
	_, err = put(ctx, home, "k", []byte("3"), versioned.Head{})
	require.ErrorIs(t, err, versioned.ErrMoved)
	got, head, err := get(ctx, home, "k", store.Whole)
	require.NoError(t, err)
	require.Equal(t, "2", string(got))
	require.Equal(t, second, head)
	head, err = home.Head(ctx, "other")
	require.NoError(t, err)
	require.Equal(t, versioned.Head{}, head)
}

func TestADraftMovesOverWhatItFindsAndIsUsedOnce(t *testing.T) {
	home, ctx := realHome(t, namespace(t)), t.Context()
	for _, size := range []int{100, inlineLimit + 1} {
		key := fmt.Sprint(size)
		base, err := put(ctx, home, key, []byte("before"), versioned.Head{})
		require.NoError(t, err)
		draft, err := home.Stage(ctx, key, newBody(size), store.PutOptions{Size: -1})
		require.NoError(t, err)
		_, err = draft.Commit(ctx, versioned.Head{}, nextOf(versioned.Head{}))
		require.ErrorIs(t, err, versioned.ErrMoved)
		kept, err := draft.Commit(ctx, base, nextOf(base))
		require.NoError(t, err)
		_, err = draft.Commit(ctx, kept, nextOf(kept))
		require.Error(t, err)
		draft.Discard()
		draft.Discard()
		got, _, err := get(ctx, home, key, store.Whole)
		require.NoError(t, err)
		require.Equal(t, pattern(size), got)
	}
}

// A collector touches a head: its version stays, and what was sent over it
// before finds nothing to land on.
func TestAWriteOverATouchedHeadCannotLandAnyMore(t *testing.T) {
	home, ctx := realHome(t, namespace(t)), t.Context()
	base, err := put(ctx, home, "k", []byte("1"), versioned.Head{})
	require.NoError(t, err)
	found, err := home.readHead(ctx, "k")
	require.NoError(t, err)
	require.NoError(t, home.pool.change(ctx, headName("k"), change{guard: []byte(found.Guard), patch: touched(found.fixed)}))
	_, err = put(ctx, home, "k", []byte("ghost"), base)
	require.ErrorIs(t, err, versioned.ErrMoved)
	got, now, err := get(ctx, home, "k", store.Whole)
	require.NoError(t, err)
	require.Equal(t, "1", string(got))
	require.Equal(t, base.Version, now.Version)
	_, err = put(ctx, home, "k", []byte("2"), now)
	require.NoError(t, err)
}

func TestARecordChangesOnlyOverTheTagThatItHas(t *testing.T) {
	space := namespace(t)
	home, ctx := realHome(t, space), t.Context()
	r := home.Records()
	_, _, err := r.Read(ctx, "a/b")
	require.ErrorIs(t, err, store.ErrNotFound)
	_, err = r.Write(ctx, "a/b", []byte("x"), "0123")
	require.ErrorIs(t, err, versioned.ErrMoved)
	var tags sync.Map
	var won atomic.Int64
	var wait sync.WaitGroup
	for n := range 16 {
		wait.Go(func() {
			tag, err := r.Write(ctx, "a/b", fmt.Appendf(nil, "value %d", n), "")
			if err == nil {
				won.Add(1)
				tags.Store("tag", tag)
			} else if !errors.Is(err, versioned.ErrMoved) {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	require.Equal(t, int64(1), won.Load())
	tag, _ := tags.Load("tag")
	again, err := r.Write(ctx, "a/b", nil, tag.(string))
	require.NoError(t, err)
	_, err = r.Write(ctx, "a/b", []byte("late"), tag.(string))
	require.ErrorIs(t, err, versioned.ErrMoved)
	value, now, err := r.Read(ctx, "a/b")
	require.NoError(t, err)
	require.Empty(t, value)
	require.Equal(t, again, now)
	for _, name := range []string{"a/c", "b"} {
		_, err = r.Write(ctx, name, []byte("y"), "")
		require.NoError(t, err)
	}
	require.NoError(t, r.Remove(ctx, "a/c"))
	require.NoError(t, r.Remove(ctx, "a/c"))
	names, err := realHome(t, space).Records().Names(ctx, "a/")
	require.NoError(t, err)
	require.Equal(t, []string{"a/b"}, names)
	names, err = r.Names(ctx, "")
	require.NoError(t, err)
	require.Equal(t, []string{"a/b", "b"}, names)
}

func TestACallWhoseContextHasEndedDoesNothing(t *testing.T) {
	home := realHome(t, namespace(t))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := home.Head(ctx, "k")
	require.ErrorIs(t, err, context.Canceled)
	_, err = put(ctx, home, "k", []byte("1"), versioned.Head{})
	require.ErrorIs(t, err, context.Canceled)
	require.NotErrorIs(t, err, store.ErrUnknown)
	head, err := home.Head(t.Context(), "k")
	require.NoError(t, err)
	require.Equal(t, versioned.Head{}, head)
}
