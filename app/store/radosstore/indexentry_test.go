package radosstore

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"bogops/app/store"
	"bogops/app/store/versioned"
)

func drawVersion(rt *rapid.T, name string) (v versioned.Version) {
	v.Epoch, v.Generation = rapid.Uint64().Draw(rt, name+" epoch"), rapid.Uint64().Draw(rt, name+" generation")
	copy(v.Nonce[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(rt, name+" nonce"))
	return v
}

func TestAnEntryReadsBackAsItWasWritten(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		e := entry{key: rapid.StringN(1, 200, 1000).Draw(rt, "key"), version: drawVersion(rt, "a"),
			settled: rapid.Bool().Draw(rt, "settled"), tombstone: rapid.Bool().Draw(rt, "tombstone"),
			put: time.Unix(0, rapid.Int64Range(1, 1<<62).Draw(rt, "put")).UTC()}
		e.info = store.Info{Key: e.key, ETag: e.version.ETag(), Size: rapid.Int64Min(0).Draw(rt, "size"),
			Modified: time.Unix(0, rapid.Int64Range(1, 1<<62).Draw(rt, "modified")).UTC(), ContentType: rapid.String().Draw(rt, "type")}
		if rapid.Bool().Draw(rt, "digest") {
			e.info.SHA256 = rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(rt, "sum")
		}
		got, err := parseEntry(pair{e.name(), e.value()})
		require.NoError(rt, err)
		require.Equal(rt, e, got)
	})
}

func TestNamesOfEntriesSortByKeyAndThenByVersion(t *testing.T) {
	key := rapid.StringMatching(`[ab /é0]{1,4}`)
	rapid.Check(t, func(rt *rapid.T) {
		ka, kb := key.Draw(rt, "a"), key.Draw(rt, "b")
		va, vb := drawVersion(rt, "a"), drawVersion(rt, "b")
		if rapid.Bool().Draw(rt, "same epoch") {
			vb.Epoch = va.Epoch
		}
		before := ka < kb || ka == kb && vb.Newer(va)
		after := ka > kb || ka == kb && va.Newer(vb)
		if before {
			require.Less(rt, entryName(ka, va), entryName(kb, vb))
		}
		if after {
			require.Greater(rt, entryName(ka, va), entryName(kb, vb))
		}
	})
}

func FuzzAnEntryOfAnyBytesIsReadOrRefused(f *testing.F) {
	e := entry{key: "k", version: versioned.Version{Epoch: 1}, settled: true, info: store.Info{SHA256: make([]byte, 32)}}
	f.Add(e.name(), e.value())
	f.Add("", []byte{})
	f.Fuzz(func(t *testing.T, name string, value []byte) {
		got, err := parseEntry(pair{name, value})
		if err != nil {
			require.ErrorIs(t, err, store.ErrDamaged)
			return
		}
		require.NotEmpty(t, got.key)
	})
}

func TestAShardIsChosenForEver(t *testing.T) {
	// These are in pools: another answer loses what they hold.
	require.Equal(t, 12, shardOf("a", 16))
	require.Equal(t, 15, shardOf("photos/2024/é.jpg", 16))
}

// setEntry puts an entry into the index by hand.
func setEntry(t *testing.T, h *Home, e entry) {
	t.Helper()
	pending, err := h.index.put(e)
	require.NoError(t, err)
	require.NoError(t, pending.wait(t.Context()))
}

func TestASettledEntryThatWasLeftBehindGoesWithItsKey(t *testing.T) {
	p := newMemPool()
	h := memHome(t, p, nil)
	head, err := write(t.Context(), h, "k", []byte("v"), versioned.Head{})
	require.NoError(t, err)
	left := pendingEntry(head, "k", h.now())
	left.settled = true
	stone, err := bury(t.Context(), h, "k", head)
	require.NoError(t, err)
	h.index.flush()
	h.index.flights.Wait()
	setEntry(t, h, left) // who was to drop it died
	require.Empty(t, listedKeys(t, h))
	require.NoError(t, h.Remove(t.Context(), "k", stone))
	h.index.flush()
	h.index.flights.Wait()
	require.Empty(t, listedKeys(t, h))
}

func TestARemovalThatComesTooLateLeavesTheEntryOfWhoWasFaster(t *testing.T) {
	p := newMemPool()
	h, faster := memHome(t, p, nil), memHome(t, p, nil)
	stone, err := bury(t.Context(), h, "k", versioned.Head{})
	require.NoError(t, err)
	next := following(h, stone)
	setEntry(t, h, pendingEntry(next, "k", h.now()))
	p.hold = func(_ string, c change) error {
		if c.remove { // the index is cleared, and the other's head arrives
			p.hold = nil
			full := head{Head: next, bodySum: sumOf(nil)}
			full.Info.Key = "k"
			_, err := faster.writeHead(t.Context(), stone, full, nil, nil)
			require.NoError(t, err)
		}
		return nil
	}
	require.ErrorIs(t, h.Remove(t.Context(), "k", stone), versioned.ErrMoved)
	entries, err := h.index.entriesOf(t.Context(), "k")
	require.NoError(t, err)
	require.Equal(t, next.Version, entries[len(entries)-1].version)
	require.Equal(t, []string{"k"}, listedKeys(t, h))
}

func TestARemovalWhoseProcessDiesHalfWayHidesNoNewObject(t *testing.T) {
	p := newMemPool()
	h := memHome(t, p, nil)
	head, err := write(t.Context(), h, "k", []byte("v"), versioned.Head{})
	require.NoError(t, err)
	stone, err := bury(t.Context(), h, "k", head)
	require.NoError(t, err)
	h.index.flush()
	h.index.flights.Wait()
	require.NoError(t, h.Remove(t.Context(), "k", stone))
	for _, s := range *h.index.shards.Load() {
		s.queued, s.names = nil, map[string]int{} // it dies before the last step
	}
	_, err = write(t.Context(), h, "k", []byte("new"), versioned.Head{})
	require.NoError(t, err)
	h.index.flush()
	h.index.flights.Wait()
	require.Equal(t, []string{"k"}, listedKeys(t, h))
}

func TestATieIsDecidedByTheHead(t *testing.T) {
	p := newMemPool()
	h := memHome(t, p, nil)
	head, err := write(t.Context(), h, "k", []byte("v"), versioned.Head{})
	require.NoError(t, err)
	loser := entry{key: "k", version: head.Version, settled: true, put: h.now(), info: store.Info{Key: "k", Size: 99}}
	for i := range loser.version.Nonce {
		loser.version.Nonce[i] = 0xff
	}
	setEntry(t, h, loser)
	page, err := h.List(t.Context(), store.ListOptions{})
	require.NoError(t, err)
	require.Len(t, page.Objects, 1)
	require.Equal(t, head.Info.ETag, page.Objects[0].ETag)
}

func TestALookSettlesTheEntryOfTheHeadAndNoOther(t *testing.T) {
	p := newMemPool()
	h := memHome(t, p, nil)
	base := versioned.Head{}
	for range 2 {
		var err error
		base, err = write(t.Context(), h, "k", []byte("v"), base)
		require.NoError(t, err)
	}
	for _, s := range *h.index.shards.Load() {
		s.queued, s.names = nil, map[string]int{} // nothing is settled or dropped by the writer
	}
	slow := following(h, base)
	setEntry(t, h, pendingEntry(slow, "k", h.now()))
	require.Equal(t, []string{"k"}, listedKeys(t, h))
	h.index.flush()
	h.index.flights.Wait()
	entries, err := h.index.entriesOf(t.Context(), "k")
	require.NoError(t, err)
	require.Len(t, entries, 2, "the replaced one is dropped, the slow one may land")
	require.Equal(t, base.Version, entries[0].version)
	require.True(t, entries[0].settled)
	require.Equal(t, slow.Version, entries[1].version)
	require.False(t, entries[1].settled)
}

func TestAWriteOfUnknownOutcomeIsListedWhenItLandsLate(t *testing.T) {
	p := newMemPool()
	h := memHome(t, p, nil)
	var ghost change
	p.hold = func(name string, c change) error {
		if isHead(name) {
			ghost = c
			return store.ErrUnknown
		}
		return nil
	}
	_, err := write(t.Context(), h, "k", []byte("v"), versioned.Head{})
	require.ErrorIs(t, err, store.ErrUnknown)
	h.index.flush()
	h.index.flights.Wait()
	require.Empty(t, listedKeys(t, h))
	require.NoError(t, p.apply(headName("k"), ghost))
	require.Equal(t, []string{"k"}, listedKeys(t, h))
}
