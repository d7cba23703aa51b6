package filestore

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
	"pgregory.net/rapid"

	"bogops/app/store"
)

func TestAMergeOfShardsYieldsWhatAPageOfAllKeysShows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOfN(rapid.RuneFrom([]rune("ab/-é")), 0, 5, -1)
		keys := rapid.SliceOfNDistinct(rapid.StringOfN(rapid.RuneFrom([]rune("ab/-é")), 1, 6, -1), 0, 60, rapid.ID).Draw(t, "keys")
		opts := store.ListOptions{Prefix: text.Draw(t, "prefix"), After: text.Draw(t, "after"),
			Delimiter: rapid.SampledFrom([]string{"", "/", "-", "é"}).Draw(t, "delimiter"), Limit: rapid.IntRange(0, 9).Draw(t, "limit")}
		shelves := make([]shelf, 5)
		for _, key := range keys {
			at := rapid.IntRange(0, len(shelves)-1).Draw(t, "shard")
			shelves[at].keys = append(shelves[at].keys, key)
		}
		for _, s := range shelves {
			slices.Sort(s.keys)
		}
		slices.Sort(keys)
		var objects, prefixes []string
		more := false
		for m := newMerge(opts, shelves); ; {
			e, ok := m.next()
			if !ok {
				break
			}
			if more = opts.Limit > 0 && len(objects)+len(prefixes) == opts.Limit; more {
				break
			}
			if e.isPrefix {
				prefixes = append(prefixes, e.name)
				require.True(t, strings.HasPrefix(e.key, e.name))
			} else {
				objects = append(objects, e.key)
			}
		}
		wantObjects, wantPrefixes, wantMore := store.Select(keys, opts)
		require.Equal(t, wantObjects, objects)
		require.Equal(t, wantPrefixes, prefixes)
		require.Equal(t, wantMore, more)
	})
}

func TestWhatVanishesDuringAListingTakesNoPlaceOnItsPage(t *testing.T) {
	s := opened(t, t.TempDir())
	var shelves []shelf
	for _, key := range []string{"a", "b", "c", "d", "e"} {
		shelves = append(shelves, shelf{keys: []string{key}, shard: madeShard(t, s, placeOf(key).shard)})
	}
	put(t, s, "d", nil)
	page, err := s.page(t.Context(), newMerge(store.ListOptions{Limit: 1}, slices.Clone(shelves)))
	require.NoError(t, err)
	require.Equal(t, "d", page.Last())
	require.True(t, page.More)
	page, err = s.page(t.Context(), newMerge(store.ListOptions{Limit: 1}, shelves[:3]))
	require.NoError(t, err)
	require.Equal(t, store.Page{}, page)
}

func listed(t *testing.T, s *Store, prefix string) []string {
	t.Helper()
	page, err := s.List(t.Context(), store.ListOptions{Prefix: prefix})
	require.NoError(t, err)
	var keys []string
	for _, info := range page.Objects {
		keys = append(keys, info.Key)
	}
	return keys
}

// age sets a shard's mtime, as if it had last changed then.
func age(t *testing.T, shard *directory, mtime time.Time) {
	t.Helper()
	require.NoError(t, os.Chtimes(fmt.Sprintf("/proc/self/fd/%d", shard.file.Fd()), mtime, mtime))
}

// Two changes within one tick of the kernel's clock leave one mtime: here the
// second gets the first one's by hand. That is how it looks to another process.
func TestAChangeThatLeavesTheTimeOfTheOneBeforeIsListed(t *testing.T) {
	dir := t.TempDir()
	s, other := opened(t, dir), opened(t, dir)
	in := func(n int) string { // keys of one shard
		for i := 0; ; i++ {
			if key := fmt.Sprint(n, "/", i); placeOf(key).shard == 7 {
				return key
			}
		}
	}
	first, second := in(1), in(2)
	put(t, other, first, nil)
	shard := madeShard(t, s, 7)
	now := time.Now()
	age(t, shard, now)
	require.Equal(t, []string{first}, listed(t, s, ""))
	put(t, other, second, nil)
	age(t, shard, now)
	require.Equal(t, []string{first, second}, listed(t, s, ""))
	require.NoError(t, other.Delete(t.Context(), first, ""))
	age(t, shard, now)
	require.Equal(t, []string{second}, listed(t, s, ""))
}

func TestTheNamesOfAShardAreKeptWhileNobodyChangesIt(t *testing.T) {
	dir := t.TempDir()
	s, other := opened(t, dir), opened(t, dir)
	long := strings.Repeat("L", 1000)
	shard := madeShard(t, s, placeOf(long).shard)
	put(t, other, long, nil)
	age(t, shard, time.Now().Add(-time.Minute))
	require.Equal(t, []string{long}, listed(t, s, ""))
	kept := shard.kept.Load()
	require.NotNil(t, kept)
	require.Equal(t, []string{long}, listed(t, s, "L"))
	require.Same(t, kept, shard.kept.Load(), "read anew though nothing changed")
	require.NoError(t, other.Delete(t.Context(), long, ""))
	require.Empty(t, listed(t, s, ""))
	age(t, shard, time.Now().Add(-time.Minute-1))
	require.Empty(t, listed(t, s, ""))
	require.Empty(t, shard.kept.Load().long, "what has gone must not be kept")
}

// The look at a shard that has lost a name may come from what is kept, from
// a reading beside others, or from one under the lock.
func TestNoListingLeavesOutWhatAPowerCutCouldBringBack(t *testing.T) {
	for what, since := range map[string]time.Duration{"just": 0, "long ago": -time.Minute} {
		t.Run(what, func(t *testing.T) {
			dir := t.TempDir()
			s := opened(t, dir)
			put(t, s, "key", nil)
			shard := madeShard(t, s, placeOf("key").shard)
			require.NoError(t, shard.mark(true)) // by a delete that was killed
			require.NoError(t, os.Remove(fileOf(dir, "key")))
			age(t, shard, time.Now().Add(since))
			var count syncs
			count.of(s)
			require.Empty(t, listed(t, s, ""))
			require.Equal(t, 1, count.done)
			count.fail = unix.EIO
			require.NoError(t, shard.mark(true))
			age(t, shard, time.Now().Add(since+1))
			_, err := s.List(t.Context(), store.ListOptions{})
			require.ErrorIs(t, err, store.ErrUnavailable)
		})
	}
}

// Two stores on one directory: what one acknowledged, the other lists at once,
// and what one deleted it does not, at the pace of the disk in memory.
func TestAListingThroughAnotherStoreShowsExactlyWhatWasAcknowledged(t *testing.T) {
	const writers, each = 4, 150
	dir := filepath.Join(tmpfs(t, "64m"), "store")
	views := []*Store{opened(t, dir), opened(t, dir)}
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			prefix, there := fmt.Sprint(w, "/"), []string{}
			for i := range each {
				a, b := views[i%2], views[(i+1)%2]
				var err error
				if i%3 == 2 {
					err = a.Delete(context.Background(), there[0], "")
					there = there[1:]
				} else {
					key := fmt.Sprintf("%s%03d", prefix, i)
					err = putError(a, key, []byte(key))
					there = append(there, key)
				}
				page, lerr := b.List(context.Background(), store.ListOptions{Prefix: prefix})
				got := []string{}
				for _, info := range page.Objects {
					got = append(got, info.Key)
				}
				if err != nil || lerr != nil || !slices.Equal(got, there) {
					t.Errorf("writer %d, step %d: got %q, want %q; errors %v, %v", w, i, got, there, err, lerr)
					return
				}
			}
		})
	}
	all.Wait()
}

// A listing tells the description of the write that it shows: a key is replaced
// again and again, and the tags must be those that were answered.
func TestAListingNeverDescribesAnEarlierWrite(t *testing.T) {
	dir := filepath.Join(tmpfs(t, "16m"), "store")
	s, other := opened(t, dir), opened(t, dir)
	for i := range 300 {
		info := put(t, other, "k", []byte{byte(i)}) // as long as the one before
		if i%50 == 49 {
			age(t, madeShard(t, s, placeOf("k").shard), time.Now().Add(-time.Minute))
		}
		page, err := s.List(t.Context(), store.ListOptions{})
		require.NoError(t, err)
		require.Len(t, page.Objects, 1)
		require.Equal(t, info.ETag, page.Objects[0].ETag)
	}
}

func TestWhatListingsKeepIsBounded(t *testing.T) {
	var infos infoCache
	for i := range 200_000 {
		infos.put(fmt.Sprint("key ", i), cachedInfo{meta: map[string]string{"m": strings.Repeat("v", 500)}})
	}
	held := len(infos.recent) + len(infos.before)
	require.Greater(t, held, maxInfos/2/900)
	require.Less(t, held, maxInfos/800)
	_, ok := infos.get("key 199999")
	require.True(t, ok)
	for range 200_000 {
		infos.put("the same", cachedInfo{})
	}
	_, ok = infos.get("key 199999")
	require.True(t, ok, "one key, put again and again, must push nothing out")

	var names keptNames
	dirs := make([]directory, 100)
	for range 3 {
		for i := range dirs {
			names.keep(&dirs[i], &snapshot{bytes: 1 << 20})
		}
		held, sum := 0, int64(0)
		for i := range dirs {
			if kept := dirs[i].kept.Load(); kept != nil {
				held, sum = held+1, sum+kept.bytes
			}
		}
		require.LessOrEqual(t, sum, int64(maxKeptNames))
		require.Equal(t, sum, names.bytes.Load())
		require.Greater(t, held, 60)
	}
}
