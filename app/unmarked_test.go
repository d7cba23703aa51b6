package main

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/app/store"
	"bogops/app/store/versioned/memplace"
)

func TestAPoolThatIsUsedWithFallBackIsNotServedWithoutIt(t *testing.T) {
	world := memplace.NewWorld()
	alone := openUnmarked(world.Instance("alone").Home(), 5*time.Millisecond)
	defer alone.Close()
	soon := func(what string, holds func() bool) {
		t.Helper()
		require.Eventually(t, holds, 30*time.Second, 5*time.Millisecond, what)
	}
	served := func() bool {
		_, err := alone.Put(t.Context(), "k", strings.NewReader("x"), store.PutOptions{Size: 1})
		return err == nil
	}
	soon("a pool without a mark is served", served)
	require.Equal(t, store.Healthy, alone.Health(t.Context()).State)

	// Another instance with fall-back comes to this pool, and leaves its mark.
	other := world.Instance("other").Home().Records()
	tag, err := other.Write(t.Context(), "fallback", fmt.Appendf(nil, `{"epoch":3,"nonce":"n"}`), "")
	require.NoError(t, err)
	soon("a marked pool is refused", func() bool { return alone.Health(t.Context()).State == store.Down })
	require.Contains(t, alone.Health(t.Context()).Reason, "the pool is used with fall-back")
	ctx := t.Context()
	_, err = alone.Put(ctx, "k", strings.NewReader("x"), store.PutOptions{Size: 1})
	require.ErrorIs(t, err, store.ErrUnavailable)
	_, _, err = alone.Get(ctx, "k", store.Whole)
	require.ErrorIs(t, err, store.ErrUnavailable)
	_, err = alone.Stat(ctx, "k")
	require.ErrorIs(t, err, store.ErrUnavailable)
	_, err = alone.List(ctx, store.ListOptions{Limit: 1})
	require.ErrorIs(t, err, store.ErrUnavailable)
	_, err = alone.Locate(ctx, "k")
	require.ErrorIs(t, err, store.ErrUnavailable)
	require.ErrorIs(t, alone.Delete(ctx, "k", ""), store.ErrUnavailable)

	// A pool that cannot be asked is no reason to forget what it said.
	asked := refuse(world.Home)
	soon("the pool is asked again", func() bool { return asked.Load() > 3 })
	world.Home.SetDecide(nil)
	require.ErrorIs(t, alone.Delete(ctx, "k", ""), store.ErrUnavailable)

	_, err = other.Write(ctx, "fallback", []byte(`{"epoch":0,"nonce":"m"}`), tag)
	require.NoError(t, err)
	soon("the mark is gone", served)
}

func TestAPoolThatHasNotAnsweredIsNotServed(t *testing.T) {
	world := memplace.NewWorld()
	asked := refuse(world.Home)
	alone := openUnmarked(world.Instance("alone").Home(), 5*time.Millisecond)
	defer alone.Close()
	require.Eventually(t, func() bool { return asked.Load() > 3 }, 30*time.Second, 5*time.Millisecond)
	require.ErrorContains(t, alone.may(), "has not been asked yet")
	world.Home.SetDecide(nil)
	require.Eventually(t, func() bool { return alone.may() == nil }, 30*time.Second, 5*time.Millisecond)
}

// refuse has a site refuse every call, and counts them.
func refuse(site *memplace.Site) *atomic.Int64 {
	n := new(atomic.Int64)
	site.SetDecide(func(memplace.Call) memplace.Outcome { n.Add(1); return memplace.Refuse })
	return n
}
