package versioned_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/app/store"
	"bogops/app/store/storetest"
	"bogops/app/store/versioned"
	"bogops/app/store/versioned/memplace"
)

func TestAHomeAloneKeepsEveryRule(t *testing.T) {
	storetest.Run(t, func(testing.TB) storetest.Subject {
		world := memplace.NewWorld()
		return storetest.Subject{
			Store: open(world, "one"),
			Again: func(context.Context) (store.Store, error) { return open(world, "another"), nil },
		}
	})
}

func open(world *memplace.World, instance string) store.Store {
	return versioned.Alone(world.Instance(instance).Home(), versioned.Options{})
}

func put(t *testing.T, s store.Store, data string, opts store.PutOptions) (store.Info, error) {
	t.Helper()
	opts.Size = int64(len(data))
	return s.Put(t.Context(), "k", strings.NewReader(data), opts)
}

func get(t *testing.T, s store.Store) string {
	t.Helper()
	body, _, err := s.Get(t.Context(), "k", store.Whole)
	if errors.Is(err, store.ErrNotFound) {
		return "nothing"
	}
	require.NoError(t, err)
	data, err := io.ReadAll(body)
	require.NoError(t, errors.Join(err, body.Close()))
	return string(data)
}

// once has the next call of an operation end in outcome.
func once(op string, outcome memplace.Outcome) func(memplace.Call) memplace.Outcome {
	calls := make(chan struct{}, 1)
	calls <- struct{}{}
	return func(call memplace.Call) memplace.Outcome {
		if call.Op != op {
			return memplace.Proceed
		}
		select {
		case <-calls:
			return outcome
		default:
			return memplace.Proceed
		}
	}
}

func TestNoGhostLandsAfterALaterAcknowledgedWrite(t *testing.T) {
	for _, first := range []string{"nothing", "an object", "a tombstone"} {
		for _, then := range []string{"a put", "a delete"} {
			t.Run(then+" over "+first, func(t *testing.T) {
				world := memplace.NewWorld()
				s := open(world, "one")
				if first != "nothing" {
					_, err := put(t, s, "old", store.PutOptions{})
					require.NoError(t, err)
				}
				if first == "a tombstone" {
					require.NoError(t, s.Delete(t.Context(), "k", ""))
				}
				// With a condition the sole attempt goes over what is there.
				opts := store.PutOptions{IfAbsent: true}
				if first == "an object" {
					opts = store.PutOptions{IfMatch: "*"}
				}
				world.Home.SetDecide(once("commit", memplace.Haunt))
				_, err := put(t, s, "ghost", opts)
				require.ErrorIs(t, err, store.ErrUnknown)

				want := "nothing"
				if then == "a put" {
					want = "new"
					_, err = put(t, s, "new", store.PutOptions{})
				} else {
					err = s.Delete(t.Context(), "k", "")
				}
				require.NoError(t, err)
				require.Equal(t, 1, world.Home.Ghosts())
				require.Zero(t, world.Home.Land(memplace.All), "ghosts that landed")
				require.Equal(t, want, get(t, s))
			})
		}
	}
}

func TestAGhostMayLandBeforeTheNextWrite(t *testing.T) {
	world := memplace.NewWorld()
	s := open(world, "one")
	world.Home.SetDecide(once("commit", memplace.Haunt))
	_, err := put(t, s, "ghost", store.PutOptions{})
	require.ErrorIs(t, err, store.ErrUnknown)
	require.Equal(t, "nothing", get(t, s))
	require.Equal(t, 1, world.Home.Land(memplace.All))
	require.Equal(t, "ghost", get(t, s))
	info, err := put(t, s, "new", store.PutOptions{})
	require.NoError(t, err)
	require.True(t, info.Replaced, "the ghost was there")
}

func TestALostAnswerIsSettledByReadingBack(t *testing.T) {
	world := memplace.NewWorld()
	s := open(world, "one")
	world.Home.SetDecide(once("commit", memplace.Lose))
	_, err := put(t, s, "first", store.PutOptions{})
	require.NoError(t, err)
	require.Equal(t, "first", get(t, s))

	// This attempt goes over nothing and fails, and nobody hears of it.
	world.Home.SetDecide(once("commit", memplace.Lose))
	_, err = put(t, s, "second", store.PutOptions{})
	require.ErrorIs(t, err, store.ErrUnknown, "an attempt without an answer must not be taken for one that did nothing")
	require.Equal(t, "first", get(t, s))

	world.Home.SetDecide(once("bury", memplace.Lose))
	require.NoError(t, s.Delete(t.Context(), "k", ""))
	require.Equal(t, "nothing", get(t, s))
}

func TestAWriteThatGivesUpOnAStoreThatHangsIsUnknown(t *testing.T) {
	world := memplace.NewWorld()
	s := open(world, "one")
	_, err := put(t, s, "old", store.PutOptions{})
	require.NoError(t, err)
	world.Home.SetTimeout(time.Millisecond)
	body, _, err := s.Get(t.Context(), "k", store.Whole)
	require.NoError(t, err)
	defer body.Close()

	world.Home.Hang()
	_, _, err = s.Get(t.Context(), "k", store.Whole)
	require.ErrorIs(t, err, store.ErrUnavailable)
	require.Equal(t, store.Down, s.Health(t.Context()).State)
	_, err = put(t, s, "new", store.PutOptions{})
	require.ErrorIs(t, err, store.ErrUnavailable, "the body was never taken in")
	world.Home.Release()

	world.Home.SetDecide(func(call memplace.Call) memplace.Outcome {
		if call.Op == "stage" {
			world.Home.Hang() // the commit is what waits
		}
		return memplace.Proceed
	})
	_, err = put(t, s, "new", store.PutOptions{IfMatch: "*"})
	require.ErrorIs(t, err, store.ErrUnknown)
	require.NotErrorIs(t, err, store.ErrUnavailable)
	world.Home.SetDecide(nil)
	world.Home.Release()
	require.Equal(t, "old", get(t, s))
	require.Equal(t, 1, world.Home.Land(memplace.All))
	require.Equal(t, "new", get(t, s))
	data, err := io.ReadAll(body)
	require.NoError(t, err)
	require.Equal(t, "old", string(data), "a reader that has begun keeps its bytes")
}

func TestAWriteStopsBelowALaterEpoch(t *testing.T) {
	home := memplace.NewWorld().Instance("one").Home()
	later := versioned.Writer{Place: home, Epoch: 2}
	_, _, err := later.Put(t.Context(), "k", strings.NewReader("later"), store.PutOptions{Size: 5})
	require.NoError(t, err)
	s := versioned.Alone(home, versioned.Options{})
	_, err = put(t, s, "older", store.PutOptions{})
	require.ErrorIs(t, err, store.ErrUnavailable)
	require.ErrorIs(t, s.Delete(t.Context(), "k", ""), store.ErrUnavailable)
	require.Equal(t, "later", get(t, s))
}

func TestAStoreIsALocatorWhereItsHomeIsOne(t *testing.T) {
	home := memplace.NewWorld().Instance("one").Home()
	s := versioned.Alone(home, versioned.Options{})
	info, err := put(t, s, "here", store.PutOptions{})
	require.NoError(t, err)
	at, err := s.(store.Locator).Locate(t.Context(), "k")
	require.NoError(t, err)
	require.Equal(t, info.ETag, at.ETag)

	_, is := versioned.Alone(struct{ versioned.Home }{home}, versioned.Options{}).(store.Locator)
	require.False(t, is)
}
