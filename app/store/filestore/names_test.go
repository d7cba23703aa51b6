package filestore

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNamesAreReadableWhereKeysArePlain(t *testing.T) {
	for key, name := range map[string]string{
		"photo-1.png": "photo-1.png", "a/b": "a%2fb", "..": "%2e.", ".hidden": "%2ehidden", "A": "%41", "%": "%25", "~": "%7e", "é": "%c3%a9", "": "",
	} {
		require.Equal(t, name, placeOf(key).name)
	}
	long := placeOf(strings.Repeat("A", 1024))
	require.Len(t, long.name, 255)
	require.Equal(t, strings.Repeat("%41", 63)+"%~", long.name[:191])
}

// FuzzKeysAndNamesGoBothWays tries pairs of keys: each is found again from its
// name, and two have one place only where they are one.
func FuzzKeysAndNamesGoBothWays(f *testing.F) {
	long := strings.Repeat("k", 255)
	for _, pair := range [][2]string{
		{"a", "A"}, {"a/b", "a//b"}, {"a/b", "a%2fb"}, {".", ".."}, {"a", "a\x00"}, {"é", "e\u0301"}, {"~", "%7e"},
		{long, long + "k"}, {strings.Repeat("é", 512), strings.Repeat("é", 511) + "è"}, {"\xff", "\ufffd"},
		{placeOf(long + "k").name, long + "k"}, {strings.Repeat("/", 85), strings.Repeat("/", 86)},
	} {
		f.Add(pair[0], pair[1])
	}
	f.Fuzz(func(t *testing.T, one, other string) {
		for _, key := range []string{one, other} {
			at := placeOf(key)
			require.LessOrEqual(t, len(at.name), 255)
			require.NotContains(t, at.name, "/")
			require.NotContains(t, []string{".", ".."}, at.name)
			require.Equal(t, strings.ToLower(at.name), at.name, "must survive a file system that folds case")
			back, whole, ok := keyOf(at.shard, at.name)
			require.True(t, ok)
			require.True(t, strings.HasPrefix(key, back))
			require.Equal(t, whole, len(escape(key)) <= 255)
			if whole {
				require.Equal(t, key, back)
			}
			_, _, ok = keyOf((at.shard+1)%shards, at.name)
			require.False(t, ok, "a name in another's shard is no object")
		}
		require.Equal(t, one == other, placeOf(one) == placeOf(other))
	})
}

// FuzzForeignNamesAreNoObjects tries names that others may have made.
func FuzzForeignNamesAreNoObjects(f *testing.F) {
	for _, name := range []string{"%", "%4", "%zz", "%41", "%61", "A", ".a", "a~", "~" + strings.Repeat("0", 64), strings.Repeat("a", 191) + strings.Repeat("0", 64)} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		for shard := range shards {
			if key, whole, ok := keyOf(shard, name); ok && whole {
				require.Equal(t, place{shard, name}, placeOf(key))
			}
		}
	})
}
