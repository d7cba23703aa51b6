package admit

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func reason(t require.TestingT, err error) Reason {
	var refused *Refused
	require.ErrorAs(t, err, &refused)
	require.ErrorIs(t, err, ErrBusy)
	return refused.Reason
}

func TestAFullLineRefusesAtOnceAndAClientThatLeavesMakesRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(Config{Turns: 1, InFlight: 2})
		working, err := g.Turn(t.Context(), 1)
		require.NoError(t, err)
		ctx, leave := context.WithCancel(t.Context())
		waits := make(chan error)
		go func() { _, err := g.Turn(ctx, 1); waits <- err }()
		synctest.Wait()
		require.Equal(t, NoTurn, reason(t, g.Crowded()))
		_, err = g.Turn(t.Context(), 1)
		require.Equal(t, NoTurn, reason(t, err))
		leave()
		require.ErrorIs(t, <-waits, context.Canceled)
		require.NoError(t, g.Crowded(), "one that left still has its place in the line")
		working.Done(true)
		n := g.Numbers()
		require.Zero(t, n.Turns.Working+n.Turns.Ahead)
		require.Equal(t, uint64(2), n.Refused["turns"])
	})
}

func TestNobodyWaitsLongerForATurnThanTheLinesPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(Config{Turns: 1})
		stuck, err := g.Turn(t.Context(), 1)
		require.NoError(t, err)
		began := time.Now()
		_, err = g.Turn(t.Context(), 1)
		require.Equal(t, LongTurn, reason(t, err))
		require.Equal(t, patience, time.Since(began))
		stuck.Done(true)
	})
}

func TestLittleWorkNeverWaitsBehindMuch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(Config{Slots: 2})
		for range 2 {
			_, err := g.Compute(t.Context(), int64(time.Second))
			require.NoError(t, err)
		}
		var waiting sync.WaitGroup
		for range 4 {
			waiting.Go(func() { _, err := g.Compute(t.Context(), int64(time.Second)); require.Error(t, err) })
		}
		synctest.Wait()
		began := time.Now()
		_, err := g.Compute(t.Context(), int64(time.Second))
		require.Equal(t, NoCompute, reason(t, err))
		var refused *Refused
		require.ErrorAs(t, err, &refused)
		require.Equal(t, 3*time.Second, refused.After, "six seconds of work are ahead of two cores")
		cheap, err := g.Compute(t.Context(), int64(cheapWork))
		require.NoError(t, err)
		cheap.Done(true)
		require.Zero(t, time.Since(began))
		waiting.Wait()
	})
}

func TestAPauseLetsOthersWorkAndComesBackBeforeThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(Config{Slots: 1})
		much := int64(100 * time.Millisecond)
		first, err := g.Compute(t.Context(), much)
		require.NoError(t, err)
		first.Pause()
		second, err := g.Compute(t.Context(), much)
		require.NoError(t, err, "a paused place is held")
		order := make(chan string, 2)
		var both sync.WaitGroup
		both.Go(func() {
			third, err := g.Compute(t.Context(), much)
			require.NoError(t, err)
			order <- "third"
			third.Done(true)
		})
		synctest.Wait()
		both.Go(func() {
			require.NoError(t, first.Resume(t.Context()))
			order <- "first"
			first.Done(true)
		})
		synctest.Wait()
		second.Done(true)
		both.Wait()
		require.Equal(t, "first", <-order)
		require.Zero(t, g.Numbers().Dear.Working)
	})
}

// Goroutines that come, wait, leave and pause at random leave nothing behind.
func TestNoPlaceIsLostBetweenThoseWhoLeave(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := New(Config{Turns: 2, Slots: 1, InFlight: 6})
		var all sync.WaitGroup
		for range rapid.IntRange(1, 12).Draw(t, "clients") {
			waits, weight := rapid.IntRange(0, 50).Draw(t, "µs"), rapid.Int64Range(1, 3).Draw(t, "weight")
			pauses := rapid.Bool().Draw(t, "pauses")
			all.Go(func() {
				ctx, leave := context.WithTimeout(context.Background(), time.Duration(waits)*time.Microsecond)
				defer leave()
				if place, err := g.Turn(ctx, weight); err == nil {
					if pauses {
						place.Pause()
						_ = place.Resume(ctx)
					}
					place.Done(true)
				}
				if place, err := g.Compute(ctx, weight*int64(time.Millisecond)); err == nil {
					place.Pause()
					_ = place.Resume(ctx)
					place.Done(false)
				}
			})
		}
		all.Wait()
		for _, l := range []*line{g.turns, g.cheap, g.dear} {
			n := l.numbers()
			require.Zero(t, n.Working+n.Ahead+int64(n.Waiting))
			require.Zero(t, l.doing)
		}
	})
}

func TestStreamsNeverTakeTheBytesOfShortRequests(t *testing.T) {
	g := New(Config{Bytes: 600})
	all, err := g.Hold(Large, 10_000)
	require.NoError(t, err, "who wants more than there is gets what there is")
	require.Equal(t, int64(500), all)
	_, err = g.Hold(Large, 1)
	require.Equal(t, NoBytes, reason(t, err))
	some, err := g.Hold(Small, 100)
	require.NoError(t, err)
	_, err = g.Hold(Small, 1)
	require.Equal(t, NoBytes, reason(t, err))
	g.Free(all)
	g.Free(some)
	require.Zero(t, g.Numbers().Bytes)
}

func TestLargeInputsWaitForEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(Config{Bytes: 96 << 20})
		_, err := g.Hold(Large, 16<<20) // streams
		require.NoError(t, err)
		first, err := g.HoldInput(t.Context(), 1<<40)
		require.NoError(t, err, "who wants more than there is gets it alone")
		_, err = g.HoldInput(t.Context(), 1000)
		require.Equal(t, NoBytes, reason(t, err))
		got := make(chan error)
		go func() {
			second, err := g.HoldInput(t.Context(), 60<<20)
			if err == nil {
				second()
			}
			got <- err
		}()
		time.Sleep(time.Second)
		first()
		require.NoError(t, <-got)
		slow, err := g.HoldInput(t.Context(), 10<<20)
		require.NoError(t, err)
		few, err := g.HoldInput(t.Context(), 1000)
		require.NoError(t, err)
		began := time.Now()
		_, err = g.HoldInput(t.Context(), 60<<20)
		require.Equal(t, NoBytes, reason(t, err))
		require.Equal(t, inputsAhead, time.Since(began), "a slow reader holds others for long")
		slow()
		few()
		require.Equal(t, int64(16<<20), g.Numbers().Bytes)
		require.Zero(t, g.Numbers().Inputs.Working)
	})
}

func TestMoreInsideThanTheLimitAreRefused(t *testing.T) {
	g := New(Config{InFlight: 2})
	require.NoError(t, g.Enter())
	require.NoError(t, g.Enter())
	require.Equal(t, TooMany, reason(t, g.Enter()))
	g.Leave()
	require.NoError(t, g.Enter())
	require.Equal(t, uint64(1), g.Numbers().Refused["in-flight"])
	require.Equal(t, int64(2), g.Numbers().InFlight)
}
