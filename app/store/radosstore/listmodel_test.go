package radosstore

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"bogops/app/store"
	"bogops/app/store/versioned"
)

// TestAListingIsThatOfASortedMap has two instances write, delete and remove keys,
// lose answers of the index, die with what they had queued, collect, scrub, lose
// shards of the index and scrub again, and compares pages of every kind with
// those of a sorted map.
func TestAListingIsThatOfASortedMap(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := newListModel(t, rt)
		rt.Repeat(map[string]func(*rapid.T){
			"put":     m.put,
			"delete":  m.delete,
			"remove":  m.remove,
			"flush":   func(rt *rapid.T) { m.some(rt).index.flush(); m.rest() },
			"die":     m.die,
			"collect": m.collect,
			"scrub":   m.scrub,
			"list":    m.list,
			"":        m.wholeListing,
		})
		for _, h := range m.homes {
			h.endChores()
		}
	})
}

type listModel struct {
	t     *testing.T
	pool  *memPool
	clock *clock
	homes []*Home
	heads map[string]versioned.Head // what each key holds
	maybe map[string]bool           // of unknown outcome to their writers: listed or not
}

func newListModel(t *testing.T, rt *rapid.T) *listModel {
	m := &listModel{t: t, pool: newMemPool(), clock: &clock{now: time.Unix(1e9, 0)},
		heads: map[string]versioned.Head{}, maybe: map[string]bool{}}
	shards := rapid.IntRange(1, 5).Draw(rt, "shards")
	for range 2 {
		m.homes = append(m.homes, m.home(shards))
	}
	return m
}

func (m *listModel) home(shards int) *Home {
	h := memHome(m.t, m.pool, m.clock)
	h.index.fresh = shards
	_, err := h.index.open(m.t.Context())
	require.NoError(m.t, err)
	return h
}

// keyOf draws few keys, of which many begin others.
func keyOf(rt *rapid.T) string {
	return rapid.StringMatching(`(a|b|é|a/|b/|a/b|-){1,3}`).Draw(rt, "key")
}

func (m *listModel) some(rt *rapid.T) *Home { return rapid.SampledFrom(m.homes).Draw(rt, "instance") }

// rest waits until nothing is on its way to the index.
func (m *listModel) rest() {
	for _, h := range m.homes {
		h.index.flights.Wait()
	}
}

// loseIndex has the index of this one write not answer, half of the times though
// it was done.
func (m *listModel) loseIndex(rt *rapid.T) (found func()) {
	how := rapid.SampledFrom([]string{"", "", "", "undone", "done"}).Draw(rt, "the index answers")
	lost := func(name string, c change) error {
		if isIndex(name) && len(c.set) > 0 {
			return store.ErrUnknown
		}
		return nil
	}
	switch how {
	case "undone":
		m.pool.hold = lost
	case "done":
		m.pool.answer = lost
	}
	return func() { m.rest(); m.pool.hold, m.pool.answer = nil, nil }
}

func (m *listModel) put(rt *rapid.T) {
	h, key := m.some(rt), keyOf(rt)
	body := rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(rt, "body")
	found := m.loseIndex(rt)
	head, err := write(m.t.Context(), h, key, body, m.heads[key])
	found()
	m.wrote(rt, key, head, err)
}

func (m *listModel) delete(rt *rapid.T) {
	h, key := m.some(rt), keyOf(rt)
	found := m.loseIndex(rt)
	head, err := bury(m.t.Context(), h, key, m.heads[key])
	found()
	m.wrote(rt, key, head, err)
}

func (m *listModel) wrote(rt *rapid.T, key string, head versioned.Head, err error) {
	delete(m.maybe, key)
	if errors.Is(err, store.ErrUnknown) {
		m.maybe[key] = true
		head, err = m.homes[0].Head(m.t.Context(), key)
	}
	require.NoError(rt, err)
	m.heads[key] = head
}

func (m *listModel) remove(rt *rapid.T) {
	key := keyOf(rt)
	if !m.heads[key].Tombstone {
		return
	}
	require.NoError(rt, m.some(rt).Remove(m.t.Context(), key, m.heads[key]))
	delete(m.heads, key)
	delete(m.maybe, key)
}

// die takes an instance away with all it had queued, and puts another in its
// place.
func (m *listModel) die(rt *rapid.T) {
	n := rapid.IntRange(0, 1).Draw(rt, "instance")
	m.rest()
	for _, s := range *m.homes[n].index.shards.Load() {
		s.queued, s.names = nil, map[string]int{}
	}
	m.homes[n].endChores()
	m.homes[n] = m.home(1)
}

func (m *listModel) collect(rt *rapid.T) {
	m.clock.pass(rapid.SampledFrom([]time.Duration{time.Minute, 30 * time.Hour}).Draw(rt, "later"))
	_, err := m.some(rt).Collect(m.t.Context())
	require.NoError(rt, err)
	m.rest()
}

func (m *listModel) scrub(rt *rapid.T) {
	if rapid.Bool().Draw(rt, "lose a shard") {
		m.rest()
		n := rapid.IntRange(0, len(*m.homes[0].index.shards.Load())-1).Draw(rt, "shard")
		m.pool.mu.Lock()
		if o := m.pool.objects[shardName(n)]; o != nil {
			clear(o.entries)
		}
		m.pool.mu.Unlock()
	}
	_, err := m.some(rt).Scrub(m.t.Context(), ScrubOptions{})
	require.NoError(rt, err)
	m.rest()
	clear(m.maybe) // it finds them all
}

func (m *listModel) list(rt *rapid.T) {
	opts := store.ListOptions{
		Prefix:    rapid.StringMatching(`(a|b|a/|é|\x01)?`).Draw(rt, "prefix"),
		Delimiter: rapid.SampledFrom([]string{"", "/", "b", "é"}).Draw(rt, "delimiter"),
		After:     rapid.StringMatching(`((a|b|é|/){0,4}(\x01|\x00a)?)`).Draw(rt, "after"),
		Limit:     rapid.IntRange(0, 6).Draw(rt, "limit"),
	}
	m.compare(rt, opts)
}

func (m *listModel) wholeListing(rt *rapid.T) { m.compare(rt, store.ListOptions{}) }

func (m *listModel) compare(rt *rapid.T, opts store.ListOptions) {
	h := m.some(rt)
	whole, err := h.List(m.t.Context(), store.ListOptions{})
	require.NoError(rt, err)
	shown := map[string]store.Info{}
	for _, info := range whole.Objects {
		shown[info.Key] = info
	}
	for key, head := range m.heads {
		info, is := shown[key]
		if m.maybe[key] {
			if is != head.Exists() { // as good: nobody was told how it ended
				continue
			}
		} else if is != head.Exists() {
			rt.Fatalf("%q: listed is %v, want %v", key, is, head.Exists())
		}
		if is && !m.maybe[key] && (info.ETag != head.Info.ETag || info.Size != head.Info.Size || !info.Modified.Equal(head.Info.Modified)) {
			rt.Fatalf("%q: listed as %+v, want %+v", key, info, head.Info)
		}
	}
	for key := range shown {
		if _, ok := m.heads[key]; !ok {
			rt.Fatalf("%q is listed and was removed", key)
		}
	}
	keys := slices.Sorted(maps.Keys(shown))
	objects, prefixes, more := store.Select(keys, opts)
	page, err := h.List(m.t.Context(), opts)
	require.NoError(rt, err)
	m.rest()
	got := []string{}
	for _, info := range page.Objects {
		got = append(got, info.Key)
	}
	want := fmt.Sprint(strings.Join(objects, " "), prefixes, more)
	if is := fmt.Sprint(strings.Join(got, " "), page.Prefixes, page.More); is != want {
		rt.Fatalf("list %+v of %q: got %s, want %s", opts, keys, is, want)
	}
}
