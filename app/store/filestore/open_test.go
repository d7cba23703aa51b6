package filestore

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"bogops/app/store"
)

func TestOpenMakesTheDirectoryAndWhatItLiesIn(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b", "c")
	put(t, opened(t, dir), "k", nil)
	put(t, opened(t, dir), "k", nil)
}

func TestOpenRefusesWhatIsNoStoreInOneSentence(t *testing.T) {
	const want = "; want a directory that this process may write, empty or of a store"
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	past, future := t.TempDir(), t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(past, formatFile), []byte("1\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(future, formatFile), []byte("3\n"), 0o600))
	for dir, says := range map[string]string{
		file:                      "not a directory",
		filepath.Join(file, "in"): "not a directory",
		dir:                       `it holds "file" and is no store`,
		past:                      `its format is "1\n", this store's "2\n"`,
		future:                    `its format is "3\n", this store's "2\n"`,
	} {
		_, err := Open(dir)
		require.EqualError(t, err, `filestore: cannot keep objects in "`+dir+`": `+says+want)
	}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 1, "a refused Open must leave nothing behind")
}

func TestOpenFailsWhereTheDirectoryCannotBeSynced(t *testing.T) {
	d := realDisk()
	d.syncDir = func(*os.File) error { return unix.EIO }
	_, err := open(t.TempDir(), d)
	require.ErrorIs(t, err, unix.EIO)
}

func TestALostAndFoundDirectoryIsNoObstacle(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "lost+found"), 0o700))
	opened(t, dir)
}

func TestOpenRemovesTheDraftsOfTheDeadAndSparesThoseOfTheLiving(t *testing.T) {
	dir := t.TempDir()
	s := opened(t, dir)
	s.nameless = false
	left := filepath.Join(dir, writingDir, "0123456789abcdef0123456789abcdef")
	require.NoError(t, os.WriteFile(left, []byte("half"), 0o640))
	finish, result := putSlowly(t, s, "k")
	require.Len(t, drafts(t, dir), 2)
	opened(t, dir)
	require.NoFileExists(t, left)
	require.Len(t, drafts(t, dir), 1)
	finish()
	require.NoError(t, <-result)
	require.Empty(t, drafts(t, dir))
	got, err := read(s, t, "k", store.Whole)
	require.NoError(t, err)
	require.Equal(t, "x", string(got))
}

func TestARefusedWriteLeavesNoDraft(t *testing.T) {
	for _, nameless := range []bool{true, false} {
		dir := t.TempDir()
		s := opened(t, dir)
		s.nameless = s.nameless && nameless
		put(t, s, "k", []byte("old"))
		for _, opts := range []store.PutOptions{{Size: 5}, {Size: 1}, {Size: 3, IfMatch: `"x"`}, {Size: 3, SHA256: make([]byte, 32)}} {
			_, err := s.Put(t.Context(), "k", bytes.NewReader([]byte("new")), opts)
			require.Error(t, err)
			require.Empty(t, drafts(t, dir))
		}
		put(t, s, "k", []byte("new"))
		put(t, s, "k2", []byte("new"))
		require.Empty(t, drafts(t, dir))
	}
}
