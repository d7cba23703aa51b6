package radosstore

import (
	"bytes"
	"context"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"bogops/app/store"
	"bogops/app/store/versioned"
)

// Each schedule here is run twice: as it is, and with one wrong thing done in
// the place of the right one, which must show. A schedule that cannot tell them
// apart proves nothing.

func write(ctx context.Context, h *Home, key string, body []byte, base versioned.Head) (versioned.Head, error) {
	draft, err := h.Stage(ctx, key, bytes.NewReader(body), store.PutOptions{Size: int64(len(body))})
	if err != nil {
		return versioned.Head{}, err
	}
	defer draft.Discard()
	return draft.Commit(ctx, base, following(h, base))
}

// following is a new write over base.
func following(h *Home, base versioned.Head) versioned.Head {
	next := versioned.Head{Version: versioned.Version{Epoch: 1, Generation: base.Version.Generation + 1}}
	nonce := draws.Add(1)
	for i := range 8 {
		next.Version.Nonce[i] = byte(nonce >> (8 * i))
	}
	next.Info.Modified = h.now()
	return next
}

func bury(ctx context.Context, h *Home, key string, base versioned.Head) (versioned.Head, error) {
	return h.Bury(ctx, key, base, following(h, base))
}

// draws are the nonces: no two writes have the same.
var draws atomic.Int64

func listedKeys(t testing.TB, h *Home) []string {
	t.Helper()
	page, err := h.List(t.Context(), store.ListOptions{})
	require.NoError(t, err)
	keys := []string{}
	for _, info := range page.Objects {
		keys = append(keys, info.Key)
	}
	return keys
}

func isHead(name string) bool { return strings.HasPrefix(name, headPrefix) }
func isIndex(name string) bool {
	return strings.HasPrefix(name, "i:") && name != layoutName
}

func TestAListerBesideAPutInFlightDoesNotHideItForGood(t *testing.T) {
	// The entry is there and the head is not when the lister comes.
	schedule := func(t *testing.T, list func(writer, lister *Home)) []string {
		p := newMemPool()
		writer, lister := memHome(t, p, nil), memHome(t, p, nil)
		arrived, goOn, indexed := make(chan bool), make(chan bool), make(chan bool, 8)
		p.hold = func(name string, _ change) error {
			if isHead(name) {
				arrived <- true
				<-goOn
			}
			return nil
		}
		p.answer = func(name string, _ change) error {
			if isIndex(name) {
				indexed <- true
			}
			return nil
		}
		acknowledged := make(chan error, 1)
		go func() {
			_, err := write(t.Context(), writer, "k", []byte("v"), versioned.Head{})
			acknowledged <- err
		}()
		<-arrived
		<-indexed
		list(writer, lister)
		close(goOn)
		require.NoError(t, <-acknowledged)
		writer.index.flights.Wait()
		return listedKeys(t, memHome(t, p, nil))
	}
	t.Run("a lister that looks", func(t *testing.T) {
		require.Equal(t, []string{"k"}, schedule(t, func(_, lister *Home) {
			require.Empty(t, listedKeys(t, lister), "no head, nothing to show")
			lister.index.flush()
			lister.index.flights.Wait()
		}))
	})
	t.Run("a lister that tidies up what has no head", func(t *testing.T) {
		require.Empty(t, schedule(t, func(_, lister *Home) {
			entries, err := lister.index.entriesOf(t.Context(), "k")
			require.NoError(t, err)
			lister.index.drop(entries[0])
			lister.index.flush()
			lister.index.flights.Wait()
		}))
	})
}

func TestAPutWhoseEntryIsNotThereIsNotAcknowledged(t *testing.T) {
	p := newMemPool()
	h := memHome(t, p, nil)
	_, err := h.index.open(t.Context())
	require.NoError(t, err)
	p.hold = func(name string, _ change) error {
		if isIndex(name) {
			return store.ErrUnavailable
		}
		return nil
	}
	_, err = write(t.Context(), h, "k", []byte("v"), versioned.Head{})
	require.ErrorIs(t, err, store.ErrUnknown)
	head, err := h.Head(t.Context(), "k")
	require.NoError(t, err)
	require.True(t, head.Exists(), "the head was written")
	require.Empty(t, listedKeys(t, h))

	p.hold = nil
	h.index.flush()
	h.index.flights.Wait()
	require.Equal(t, []string{"k"}, listedKeys(t, h), "the entry was tried again")
}

func TestAnOverwriteInFlightIsListedAsWhatIsThere(t *testing.T) {
	p := newMemPool()
	h := memHome(t, p, nil)
	old, err := write(t.Context(), h, "k", []byte("old"), versioned.Head{})
	require.NoError(t, err)
	// An entry above the head, as a writer leaves it that is slow or has died.
	next := following(h, old)
	pending, err := h.index.put(pendingEntry(next, "k", h.now()))
	require.NoError(t, err)
	require.NoError(t, pending.wait(t.Context()))
	page, err := h.List(t.Context(), store.ListOptions{})
	require.NoError(t, err)
	require.Len(t, page.Objects, 1)
	require.Equal(t, old.Info.ETag, page.Objects[0].ETag)
	require.Equal(t, int64(3), page.Objects[0].Size)
}

func TestASettlingThatComesLateBringsNoRemovedKeyBack(t *testing.T) {
	schedule := func(t *testing.T, late func(slow *Home)) []string {
		p := newMemPool()
		slow, other := memHome(t, p, nil), memHome(t, p, nil)
		head, err := write(t.Context(), slow, "k", []byte("v"), versioned.Head{})
		require.NoError(t, err) // its settling is queued, and stays so for now
		slow.index.flights.Wait()
		stone, err := bury(t.Context(), other, "k", head)
		require.NoError(t, err)
		other.index.flush()
		other.index.flights.Wait()
		require.NoError(t, other.Remove(t.Context(), "k", stone))
		other.index.flush()
		other.index.flights.Wait()
		late(slow)
		slow.index.flush()
		slow.index.flights.Wait()
		return listedKeys(t, other)
	}
	t.Run("under the fence it was known under", func(t *testing.T) {
		require.Empty(t, schedule(t, func(*Home) {}))
	})
	t.Run("under any fence", func(t *testing.T) {
		require.Equal(t, []string{"k"}, schedule(t, func(slow *Home) {
			s := slow.index.shardOf("k")
			for i := range s.queued {
				s.queued[i].fenced = false
			}
		}))
	})
}

func TestAKeyThatWasRemovedCanBeMadeAnew(t *testing.T) {
	p := newMemPool()
	h := memHome(t, p, nil)
	base := versioned.Head{}
	var err error
	for range 3 {
		base, err = write(t.Context(), h, "k", []byte("v"), base)
		require.NoError(t, err)
	}
	stone, err := bury(t.Context(), h, "k", base)
	require.NoError(t, err)
	h.index.flush()
	h.index.flights.Wait()
	require.NoError(t, h.Remove(t.Context(), "k", stone))
	// Its versions begin below those before.
	_, err = write(t.Context(), h, "k", []byte("new"), versioned.Head{})
	require.NoError(t, err)
	require.Equal(t, []string{"k"}, listedKeys(t, h))
	h.index.flush()
	h.index.flights.Wait()
	require.Equal(t, []string{"k"}, listedKeys(t, h))
	require.Equal(t, 1, p.entryCount())
}
