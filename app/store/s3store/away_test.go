package s3store

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/app/store"
	"bogops/app/store/versioned"
	infra "bogops/infra/s3"
)

// awayRules are what the fall-back builds on; every server keeps them.
func awayRules() map[string]func(*testing.T, *Away) {
	return map[string]func(*testing.T, *Away){
		"a body of any size reads back whole and in parts": bodiesReadBack,
		"a head keeps all that its writer said":            headsAreKept,
		"keys that differ in any byte have heads apart":    keysAreApart,
		"a write over another head than asked for is none": staleWritesAreNone,
		"of many writers over one head exactly one wins":   oneWriterWins,
		"a tombstone is a head":                            tombstonesAreHeads,
		"a removal over another head is none":              staleRemovalsAreNone,
		"a refused body leaves nothing":                    refusedBodiesLeaveNothing,
		"an area shows its heads page by page":             headsComeInPages,
		"areas come in order and go when they are empty":   areasComeInOrder,
		"a sweep takes bodies without heads only":          sweepsTakeOrphans,
		"a record changes over its tag only":               recordsChangeOverTheirTag,
	}
}

func TestAwayKeepsItsRulesOnMoto(t *testing.T) { awayKeepsItsRules(t, infra.StartMoto(t)) }

func TestAwayKeepsItsRulesOnRadosgw(t *testing.T) { awayKeepsItsRules(t, gateway(t)) }

// Without conditional deletes an area looks at its heads first.
func TestAwayKeepsItsRulesWithoutConditionalDeletes(t *testing.T) {
	awayKeepsItsRules(t, bent(t, infra.StartMoto(t), without(http.MethodDelete, "If-Match")))
}

func awayKeepsItsRules(t *testing.T, server infra.Server) {
	for what, rule := range awayRules() {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			rule(t, openAway(t, server))
		})
	}
}

func openAway(t *testing.T, server infra.Server) *Away {
	a, err := NewAway(t.Context(), at(server))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, a.Close()) })
	// A busy server may be late for its first look; the watch looks again.
	require.Eventually(t, func() bool { return a.Health().State == store.Healthy }, time.Minute, 10*time.Millisecond)
	return a
}

// version draws the version of a write.
func version(epoch, generation uint64) versioned.Version {
	v := versioned.Version{Epoch: epoch, Generation: generation}
	for i := range v.Nonce {
		v.Nonce[i] = byte(rand.Uint32())
	}
	return v
}

func bytesOf(n int) []byte {
	data := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{byte(n), byte(n >> 8), byte(n >> 16)}).Read(data) // never fails
	return data
}

// keep writes an object over base.
func keep(t *testing.T, p versioned.Place, key string, data []byte, base versioned.Head) (versioned.Head, error) {
	d, err := p.Stage(t.Context(), key, bytes.NewReader(data), store.PutOptions{Size: int64(len(data))})
	require.NoError(t, err)
	defer d.Discard()
	return d.Commit(t.Context(), base, versioned.Head{Version: version(1, base.Version.Generation+1)})
}

func kept(t *testing.T, p versioned.Place, key string, data []byte, base versioned.Head) versioned.Head {
	head, err := keep(t, p, key, data, base)
	require.NoError(t, err)
	return head
}

func opened(t *testing.T, p versioned.Place, key string, rng store.Range) []byte {
	r, head, err := p.Open(t.Context(), key, rng)
	require.NoError(t, err)
	require.True(t, head.Exists())
	data, err := io.ReadAll(r)
	require.NoError(t, errors.Join(err, r.Close()))
	return data
}

func bodiesReadBack(t *testing.T, a *Away) {
	p := a.Area(1)
	var base versioned.Head
	for _, size := range []int{0, 1, maxInline, maxInline + 1, partSize, 2*partSize + 7} {
		data := bytesOf(size)
		head := kept(t, p, "k", data, base)
		require.EqualValues(t, size, head.Info.Size)
		require.Equal(t, size > maxInline, head.Guard[len(head.Guard)-1] != '.', "where the body lies")
		require.True(t, bytes.Equal(data, opened(t, p, "k", store.Whole)), "%d bytes", size)
		for _, rng := range []store.Range{{Offset: 0, Length: 3}, {Offset: 5, Length: -1}, {Offset: int64(size) / 2, Length: 10}, {Offset: int64(size), Length: 1}, {Offset: 1 << 60, Length: 1}} {
			from, to := rng.Clip(int64(size))
			require.True(t, bytes.Equal(data[from:to], opened(t, p, "k", rng)), "%+v of %d bytes", rng, size)
		}
		base = head
	}
}

func headsAreKept(t *testing.T, a *Away) {
	p, now := a.Area(7), time.Date(2024, 2, 29, 23, 59, 59, 123456789, time.FixedZone("", 3600))
	d, err := p.Stage(t.Context(), "a/ключ <&>", strings.NewReader("body"), store.PutOptions{Size: -1})
	require.NoError(t, err)
	defer d.Discard()
	next := versioned.Head{Version: version(7, 3), Info: store.Info{ContentType: "text/plain", Modified: now,
		Meta: map[string]string{"colour": "red", "empty": "", "odd": strings.Repeat("<", 2000)}}}
	wrote, err := d.Commit(t.Context(), versioned.Head{}, next)
	require.NoError(t, err)
	found, err := p.Head(t.Context(), "a/ключ <&>")
	require.NoError(t, err)
	require.Equal(t, wrote, found)
	require.Equal(t, next.Version, found.Version)
	require.Equal(t, next.Version.ETag(), found.Info.ETag)
	require.Equal(t, next.Info.Meta, found.Info.Meta)
	require.Equal(t, now.UTC(), found.Info.Modified)
	require.Len(t, found.Info.SHA256, 32)
	heads, _, err := a.Heads(t.Context(), 7, "", 10)
	require.NoError(t, err)
	require.Equal(t, []versioned.Head{wrote}, heads)
}

func keysAreApart(t *testing.T, a *Away) {
	p := a.Area(1)
	keys := []string{"a", "A", "a/", "/a", "a//b", "..", "a b", "a+b", "é", "e\u0301", strings.Repeat("k", 1024), strings.Repeat("k", 1023) + "l"}
	for _, key := range keys {
		kept(t, p, key, []byte(key), versioned.Head{})
	}
	for _, key := range keys {
		require.Equal(t, key, string(opened(t, p, key, store.Whole)))
	}
	head, err := p.Head(t.Context(), "b")
	require.NoError(t, err)
	require.Zero(t, head)
	r, head, err := p.Open(t.Context(), "b", store.Whole)
	require.NoError(t, err)
	require.Nil(t, r)
	require.Zero(t, head)
}

func staleWritesAreNone(t *testing.T, a *Away) {
	p := a.Area(1)
	first := kept(t, p, "k", []byte("first"), versioned.Head{})
	_, err := keep(t, p, "k", []byte("again"), versioned.Head{})
	require.ErrorIs(t, err, versioned.ErrMoved)
	second := kept(t, p, "k", []byte("second"), first)
	_, err = p.Bury(t.Context(), "k", first, versioned.Head{Version: version(1, 9)})
	require.ErrorIs(t, err, versioned.ErrMoved)
	_, err = keep(t, p, "missing", []byte("x"), first)
	require.ErrorIs(t, err, versioned.ErrMoved)

	data := bytesOf(maxInline + 1)
	d, err := p.Stage(t.Context(), "k", bytes.NewReader(data), store.PutOptions{Size: -1})
	require.NoError(t, err)
	defer d.Discard()
	_, err = d.Commit(t.Context(), first, versioned.Head{Version: version(1, 3)})
	require.ErrorIs(t, err, versioned.ErrMoved)
	require.Equal(t, "second", string(opened(t, p, "k", store.Whole)))
	_, err = d.Commit(t.Context(), second, versioned.Head{Version: version(1, 3)})
	require.NoError(t, err, "after ErrMoved a draft is good for another base")
	d.Discard()
	require.True(t, bytes.Equal(data, opened(t, p, "k", store.Whole)))
	_, err = d.Commit(t.Context(), second, versioned.Head{Version: version(1, 4)})
	require.ErrorContains(t, err, "used already")
}

func oneWriterWins(t *testing.T, a *Away) {
	p := a.Area(1)
	base := versioned.Head{}
	for range 3 { // over nothing, and over what the round before left
		var mu sync.Mutex
		var won []versioned.Head
		var all sync.WaitGroup
		for i := range racers {
			all.Go(func() {
				d, err := p.Stage(t.Context(), "k", strings.NewReader(fmt.Sprint("racer ", i)), store.PutOptions{Size: -1})
				if err != nil {
					t.Error(err)
					return
				}
				defer d.Discard()
				head, err := d.Commit(t.Context(), base, versioned.Head{Version: version(1, base.Version.Generation+1)})
				if err != nil && !errors.Is(err, versioned.ErrMoved) && !errors.Is(err, store.ErrUnknown) {
					t.Error(err)
				}
				if err == nil {
					mu.Lock()
					won = append(won, head)
					mu.Unlock()
				}
			})
		}
		all.Wait()
		require.Len(t, won, 1)
		now, err := p.Head(t.Context(), "k")
		require.NoError(t, err)
		require.Equal(t, won[0], now)
		base = now
	}
}

func tombstonesAreHeads(t *testing.T, a *Away) {
	p := a.Area(1)
	for _, key := range []string{"nothing was here", "k"} {
		base := versioned.Head{}
		if key == "k" {
			base = kept(t, p, key, []byte("x"), base)
		}
		wrote, err := p.Bury(t.Context(), key, base, versioned.Head{Version: version(1, 5), Info: store.Info{Modified: time.Now(), ContentType: "a/b"}})
		require.NoError(t, err)
		found, err := p.Head(t.Context(), key)
		require.NoError(t, err)
		require.Equal(t, wrote, found)
		require.True(t, found.Tombstone)
		require.False(t, found.Exists())
		require.Equal(t, store.Info{Key: key, Modified: found.Info.Modified}, found.Info)
		r, head, err := p.Open(t.Context(), key, store.Whole)
		require.NoError(t, err)
		require.Nil(t, r)
		require.Equal(t, found, head)
		_, err = keep(t, p, key, nil, versioned.Head{})
		require.ErrorIs(t, err, versioned.ErrMoved, "a tombstone is not nothing")
		kept(t, p, key, []byte("again"), found)
	}
	heads, next, err := a.Heads(t.Context(), 1, "", 10)
	require.NoError(t, err)
	require.Empty(t, next)
	require.Len(t, heads, 2)
}

func staleRemovalsAreNone(t *testing.T, a *Away) {
	p := a.Area(1)
	first := kept(t, p, "k", []byte("first"), versioned.Head{})
	second := kept(t, p, "k", bytesOf(maxInline+1), first)
	require.ErrorIs(t, p.Remove(t.Context(), "k", first), versioned.ErrMoved)
	require.ErrorIs(t, p.Remove(t.Context(), "k", versioned.Head{}), errNothing)
	require.ErrorIs(t, p.Remove(t.Context(), "missing", second), versioned.ErrMoved)
	require.NoError(t, p.Remove(t.Context(), "k", second))
	head, err := p.Head(t.Context(), "k")
	require.NoError(t, err)
	require.Zero(t, head)
	epochs, err := a.Areas(t.Context())
	require.NoError(t, err)
	require.Empty(t, epochs, "the body is left over")
	require.ErrorIs(t, p.Remove(t.Context(), "k", second), versioned.ErrMoved)
}
