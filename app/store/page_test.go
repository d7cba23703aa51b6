package store_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"bogops/app/store"
)

func keys() *rapid.Generator[[]string] {
	return rapid.Custom(func(t *rapid.T) []string {
		all := rapid.SliceOfN(rapid.StringOfN(rapid.RuneFrom([]rune("ab/-é")), 1, 6, -1), 0, 40).Draw(t, "keys")
		slices.Sort(all)
		return slices.Compact(all)
	})
}

// entries is what a listing shows in all, by the definition: no pages, no
// shortcuts.
func entries(keys []string, prefix, delimiter string) []string {
	var all []string
	for _, key := range keys {
		rest, ok := strings.CutPrefix(key, prefix)
		if !ok {
			continue
		}
		if before, _, found := strings.Cut(rest, delimiter); found && delimiter != "" {
			key = prefix + before + delimiter
			all = append(all, "prefix "+key)
			continue
		}
		all = append(all, "object "+key)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func TestPagesOfAnyLengthTogetherShowEveryEntryOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		keys := keys().Draw(t, "all")
		opts := store.ListOptions{
			Prefix:    rapid.SampledFrom([]string{"", "a", "a/", "/", "b-", "é"}).Draw(t, "prefix"),
			Delimiter: rapid.SampledFrom([]string{"", "/", "-", "é"}).Draw(t, "delimiter"),
			Limit:     rapid.IntRange(0, 5).Draw(t, "limit"),
		}
		var got []string
		for {
			objects, prefixes, more := store.Select(keys, opts)
			page := store.Page{Prefixes: prefixes}
			for _, key := range objects {
				page.Objects = append(page.Objects, store.Info{Key: key})
				got = append(got, "object "+key)
			}
			for _, prefix := range prefixes {
				got = append(got, "prefix "+prefix)
			}
			require.True(t, slices.IsSorted(objects) && slices.IsSorted(prefixes))
			if !more {
				break
			}
			require.Len(t, append(objects, prefixes...), opts.Limit)
			require.Greater(t, page.Last(), opts.After, "pages must go on")
			opts.After = page.Last()
		}
		slices.Sort(got)
		require.Equal(t, entries(keys, opts.Prefix, opts.Delimiter), got)
	})
}
