package radosstore

import (
	"context"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"bogops/app/store"
)

func TestTheGateLetsNoMoreInThanItHasPlacesAndQueue(t *testing.T) {
	g := newGate(2, 1)
	require.NoError(t, g.enter(t.Context()))
	require.NoError(t, g.enter(t.Context()))
	ctx, cancel := context.WithCancel(t.Context())
	waited := make(chan error)
	go func() { waited <- g.enter(ctx) }()
	for g.waiting.Load() == 0 {
		runtime.Gosched()
	}
	require.ErrorIs(t, g.enter(t.Context()), store.ErrUnavailable, "the queue is full")
	cancel()
	require.ErrorIs(t, <-waited, context.Canceled)
	g.leave()
	require.NoError(t, g.enter(t.Context()))
	require.ErrorIs(t, g.enter(ctx), context.Canceled, "a call that has ended already takes no place")
}

func TestBuffersStayWithinTheirBudgetUntilTheLastUserIsGone(t *testing.T) {
	b := newBuffers(8<<20, 0)
	one, err := b.take(t.Context(), chunkSize, 2)
	require.NoError(t, err)
	require.Nil(t, b.try(1, 1), "the budget is spent")
	_, err = b.take(t.Context(), 1, 1)
	require.ErrorIs(t, err, store.ErrUnavailable)
	one.retain() // an operation that was given up
	one.release()
	require.Nil(t, b.try(1, 1), "the operation still uses it")
	one.release()
	two := b.try(1, 1)
	require.NotNil(t, two)
	two.release()
	huge, err := b.take(t.Context(), 20<<20, 2)
	require.NoError(t, err, "what is larger than the budget has it alone")
	require.Len(t, huge.data, 20<<20)
	require.Nil(t, b.try(1, 1))
	huge.release()
}

func TestNamesKeepWithinTheLimitsOfRados(t *testing.T) {
	key := string(make([]byte, store.MaxKey))
	require.LessOrEqual(t, len(headName(key)), 2048)
	require.LessOrEqual(t, len(tailName(key, draftID{}, 1<<31-1)), 2048)
	require.NotEqual(t, tailName("a", draftID{}, 1), tailName("a", draftID{}, 2))
	require.NotEqual(t, tailName("a", draftID{}, 1), tailName("a", draftID{1}, 1))
}

func TestSettingsThatCannotWorkAreRefusedInWords(t *testing.T) {
	good := Config{Conf: "c", Pool: "p"}
	_, err := good.withDefaults()
	require.NoError(t, err)
	for want, change := range map[string]func(*Config){
		"no pool given":               func(c *Config) { c.Pool = "" },
		"neither a ceph.conf nor":     func(c *Config) { c.Conf = "" },
		"2 operations in flight":      func(c *Config) { c.InFlight = 2 },
		"5 bytes for bodies given":    func(c *Config) { c.Bytes = 5 },
		"a time-out of 1.5s given":    func(c *Config) { c.OpTimeout = 1.5e9 },
		"-1 waiting calls given; wan": func(c *Config) { c.Waiting = -1 },
	} {
		c := good
		change(&c)
		_, err := c.withDefaults()
		require.ErrorContains(t, err, want)
	}
}
