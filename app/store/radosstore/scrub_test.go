package radosstore

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/app/store"
	"bogops/app/store/versioned"
)

func TestAScrubRebuildsWhatWasLostOfTheIndexAndTheRegistry(t *testing.T) {
	p, c := newMemPool(), &clock{now: time.Unix(1e9, 0)}
	h := memHome(t, p, c)
	for n := range 40 {
		head, err := write(t.Context(), h, fmt.Sprintf("k%02d", n), []byte{byte(n)}, versioned.Head{})
		require.NoError(t, err)
		if n%4 == 0 {
			stone, err := bury(t.Context(), h, head.Info.Key, head)
			require.NoError(t, err)
			if n%8 == 0 { // the fences have moved
				require.NoError(t, h.Remove(t.Context(), head.Info.Key, stone))
			}
		}
	}
	_, err := write(t.Context(), h, "large", big, versioned.Head{})
	require.NoError(t, err)
	h.index.flush()
	h.index.flights.Wait()
	want, err := h.List(t.Context(), store.ListOptions{})
	require.NoError(t, err)
	require.Len(t, want.Objects, 31)

	for _, name := range append(p.names("i:"), p.names("u:")...) {
		if name != layoutName {
			delete(p.objects, name)
		}
	}
	require.Empty(t, listedKeys(t, h))
	did, err := h.Scrub(t.Context(), ScrubOptions{Bodies: true})
	require.NoError(t, err)
	require.Equal(t, Scrubbed{Objects: 31, Tombstones: 5, Unindexed: 36, Unrecorded: 1}, did)
	other := memHome(t, p, c)
	got, err := h.List(t.Context(), store.ListOptions{})
	require.NoError(t, err)
	require.Equal(t, want, got)
	collectFor(t, other, c, 3)
	require.Equal(t, big, readAll(t, other, "large"))

	again, err := other.Scrub(t.Context(), ScrubOptions{})
	require.NoError(t, err)
	require.Equal(t, Scrubbed{Objects: 31, Tombstones: 5}, again, "nothing is left to mend")
}

func TestAScrubNamesWhatIsDamagedAndGoesOn(t *testing.T) {
	p := newMemPool()
	h := memHome(t, p, nil)
	for _, key := range []string{"body", "head", "well"} {
		_, err := write(t.Context(), h, key, []byte("v"), versioned.Head{})
		require.NoError(t, err)
	}
	_, err := write(t.Context(), h, "tail", big, versioned.Head{})
	require.NoError(t, err)
	flip := func(name string, at int) { p.objects[name].bytes[at] ^= 1 }
	flip(headName("head"), 20)
	flip(headName("body"), len(p.objects[headName("body")].bytes)-1)
	flip(p.names(tailPrefix)[1], 7)
	did, err := h.Scrub(t.Context(), ScrubOptions{})
	require.NoError(t, err)
	require.Equal(t, []string{headName("head")}, did.Damaged)
	did, err = h.Scrub(t.Context(), ScrubOptions{Bodies: true})
	require.NoError(t, err)
	require.ElementsMatch(t, []string{headName("head"), headName("body"), headName("tail")}, did.Damaged)
}

func TestTailsOfNobodyAreCollectedWhenTwoScrubsFoundThemSo(t *testing.T) {
	p, c := newMemPool(), &clock{now: time.Unix(1e9, 0)}
	h := memHome(t, p, c)
	_, err := write(t.Context(), h, "kept", big, versioned.Head{})
	require.NoError(t, err)
	require.NoError(t, p.apply(tailName("lost", draftID{1, 2}, 0), change{full: [][]byte{[]byte("x")}}))
	require.NoError(t, p.apply(tailName("lost", draftID{1, 2}, 2), change{full: [][]byte{[]byte("x")}}))
	did, err := h.Scrub(t.Context(), ScrubOptions{})
	require.NoError(t, err)
	require.Equal(t, 1, did.Orphans)
	did, err = h.Scrub(t.Context(), ScrubOptions{})
	require.NoError(t, err)
	require.Zero(t, did.Orphans+did.Confirmed, "the second comes a grace later")
	collectFor(t, h, c, 4)
	require.Len(t, p.names(tailPrefix), 4)
	did, err = h.Scrub(t.Context(), ScrubOptions{})
	require.NoError(t, err)
	require.Equal(t, 1, did.Confirmed)
	collectFor(t, h, c, 2)
	require.Len(t, p.names(tailPrefix), 2)
	require.Equal(t, big, readAll(t, h, "kept"))
}

func TestTailsWhoseHeadCannotBeReadAreNotOfNobody(t *testing.T) {
	p, c := newMemPool(), &clock{now: time.Unix(1e9, 0)}
	h := memHome(t, p, c)
	_, err := write(t.Context(), h, "k", big, versioned.Head{})
	require.NoError(t, err)
	for _, name := range p.names("u:") { // the registry is lost
		delete(p.objects, name)
	}
	p.objects[headName("k")].bytes[20] ^= 1
	for range 3 {
		did, err := h.Scrub(t.Context(), ScrubOptions{})
		require.NoError(t, err)
		require.Equal(t, []string{headName("k")}, did.Damaged)
		require.Zero(t, did.Orphans+did.Confirmed)
		collectFor(t, h, c, 2)
	}
	p.objects[headName("k")].bytes[20] ^= 1 // by whoever mends heads
	require.Equal(t, big, readAll(t, h, "k"))
}

func TestATombstoneGoesAfterItsRetentionWithItsEntriesAndNotBefore(t *testing.T) {
	p, c := newMemPool(), &clock{now: time.Unix(1e9, 0)}
	h := memHome(t, p, c)
	h.collector.retention = 24 * time.Hour
	head, err := write(t.Context(), h, "k", []byte("v"), versioned.Head{})
	require.NoError(t, err)
	_, err = bury(t.Context(), h, "k", head)
	require.NoError(t, err)
	c.pass(23 * time.Hour)
	_, err = h.Collect(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{headName("k")}, p.names(headPrefix))
	heads, next, err := h.Tombstones(t.Context(), "", 10)
	require.NoError(t, err)
	require.Len(t, heads, 1)
	require.Empty(t, next)

	c.pass(7 * time.Hour)
	did, err := h.Collect(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, did.Tombstones)
	h.index.flush()
	h.index.flights.Wait()
	require.Empty(t, p.names(headPrefix))
	require.Zero(t, p.entryCount())
}

func TestTombstonesComeInPagesAndWithoutThoseThatWereReplaced(t *testing.T) {
	p := newMemPool()
	h := memHome(t, p, nil)
	want := map[string]bool{}
	for n := range 30 {
		key := fmt.Sprintf("k%02d", n)
		stone, err := bury(t.Context(), h, key, versioned.Head{})
		require.NoError(t, err)
		if n%3 == 0 {
			_, err = write(t.Context(), h, key, nil, stone)
			require.NoError(t, err)
			continue
		}
		want[key] = true
	}
	got, cursor := map[string]bool{}, ""
	for pages := 0; ; pages++ {
		require.Less(t, pages, 20)
		heads, next, err := h.Tombstones(t.Context(), cursor, 3)
		require.NoError(t, err)
		require.LessOrEqual(t, len(heads), 3)
		for _, head := range heads {
			require.False(t, got[head.Info.Key], "shown twice")
			got[head.Info.Key] = true
		}
		if cursor = next; next == "" {
			break
		}
	}
	require.Equal(t, want, got)
}

func TestAWriteThatWasNeverHeardOfAgainLeavesTheIndexWhenItIsStale(t *testing.T) {
	p, c := newMemPool(), &clock{now: time.Unix(1e9, 0)}
	h := memHome(t, p, c)
	p.hold = func(name string, _ change) error {
		if isHead(name) {
			return store.ErrUnknown
		}
		return nil
	}
	_, err := write(t.Context(), h, "k", []byte("v"), versioned.Head{})
	require.ErrorIs(t, err, store.ErrUnknown)
	p.hold = nil
	for _, wait := range []time.Duration{0, h.cfg.Stale - time.Second, time.Hour * 6} {
		require.Equal(t, 1, p.entryCount())
		c.pass(wait)
		_, err = h.Collect(t.Context())
		require.NoError(t, err)
		h.index.flush()
		h.index.flights.Wait()
	}
	require.Zero(t, p.entryCount())
}

func TestAWriterThatStoodStillForLongSetsItsEntryAgain(t *testing.T) {
	p, c := newMemPool(), &clock{now: time.Unix(1e9, 0)}
	h, other := memHome(t, p, c), memHome(t, p, c)
	p.hold = func(name string, ch change) error {
		if isHead(name) && ch.create {
			h.index.flights.Wait() // the entry is there
			c.pass(2 * h.cfg.Stale)
			_, err := other.Collect(t.Context())
			require.NoError(t, err)
			other.index.flush()
			other.index.flights.Wait()
			require.Zero(t, p.entryCount(), "it was taken for dead")
		}
		return nil
	}
	_, err := write(t.Context(), h, "k", []byte("v"), versioned.Head{})
	require.NoError(t, err)
	require.Equal(t, []string{"k"}, listedKeys(t, other))
}

func TestAnIndexKeepsItsNumberOfShards(t *testing.T) {
	p := newMemPool()
	h := memHome(t, p, nil)
	_, err := write(t.Context(), h, "k", []byte("v"), versioned.Head{})
	require.NoError(t, err)
	other := memHome(t, p, nil)
	other.index.fresh = 3
	require.Equal(t, []string{"k"}, listedKeys(t, other))
	require.Len(t, *other.index.shards.Load(), 8)
	p.objects[layoutName].bytes = bytes.Replace(p.objects[layoutName].bytes, []byte("8"), []byte("0"), 1)
	_, err = memHome(t, p, nil).List(t.Context(), store.ListOptions{})
	require.ErrorIs(t, err, store.ErrDamaged)
}
