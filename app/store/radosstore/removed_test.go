package radosstore

import (
	"testing"

	"github.com/stretchr/testify/require"

	"bogops/app/store/versioned"
)

// A writer's head lands, and its index entry stands still on the way until the
// key was deleted and its tombstone removed by another instance.
func TestAWriterThatSleepsThroughTheRemovalOfItsKeyMisleadsNoLister(t *testing.T) {
	schedule := func(t *testing.T, sleepy func(h *Home) (versioned.Head, error), remove func(h *Home)) *Home {
		p := newMemPool()
		slow, other := memHome(t, p, nil), memHome(t, p, nil)
		for _, h := range []*Home{slow, other} {
			_, err := h.index.open(t.Context())
			require.NoError(t, err)
		}
		arrived, removed, first := make(chan bool), make(chan bool), make(chan bool, 1)
		first <- true
		p.hold = func(name string, _ change) error {
			if isIndex(name) {
				select {
				case <-first:
					arrived <- true
					<-removed
				default:
				}
			}
			return nil
		}
		landed := make(chan bool, 1)
		landed <- true
		p.answer = func(name string, _ change) error {
			if isHead(name) {
				select {
				case <-landed:
					<-arrived
					remove(other)
					close(removed)
				default:
				}
			}
			return nil
		}
		_, err := sleepy(slow)
		require.NoError(t, err)
		slow.index.flush()
		slow.index.flights.Wait()
		return other
	}
	removeStone := func(h *Home) {
		head, err := h.Head(t.Context(), "k")
		require.NoError(t, err)
		if !head.Tombstone {
			head, err = bury(t.Context(), h, "k", head)
			require.NoError(t, err)
		}
		require.NoError(t, h.Remove(t.Context(), "k", head))
		h.index.flush()
		h.index.flights.Wait()
	}
	t.Run("a deleted object is not listed", func(t *testing.T) {
		other := schedule(t, func(h *Home) (versioned.Head, error) {
			return write(t.Context(), h, "k", []byte("v"), versioned.Head{})
		}, removeStone)
		require.Empty(t, listedKeys(t, other))
	})
	t.Run("a new object is listed", func(t *testing.T) {
		other := schedule(t, func(h *Home) (versioned.Head, error) {
			return bury(t.Context(), h, "k", versioned.Head{Version: versioned.Version{Generation: 7}})
		}, removeStone)
		_, err := write(t.Context(), other, "k", []byte("new"), versioned.Head{})
		require.NoError(t, err)
		require.Equal(t, []string{"k"}, listedKeys(t, other))
	})
}

func TestAWriterGetsThroughWhileOthersRemoveInItsShard(t *testing.T) {
	p := newMemPool()
	h := memHome(t, p, nil)
	_, err := h.index.open(t.Context())
	require.NoError(t, err)
	moves := 6
	p.hold = func(name string, c change) error {
		if isIndex(name) && len(c.patch) == 0 && moves > 0 {
			moves--
			_, err := moveFence(t.Context(), &memView{memPool: p}, name, nil)
			require.NoError(t, err)
		}
		return nil
	}
	_, err = write(t.Context(), h, "k", []byte("v"), versioned.Head{})
	require.NoError(t, err)
	require.Zero(t, moves)
	require.Equal(t, []string{"k"}, listedKeys(t, h))
}
