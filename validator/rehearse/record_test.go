package rehearse

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestARecordReplacesAnEarlierOneAndNothingElse(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "rehearsal")
	lock, err := openRecord(dir)
	require.NoError(t, err)
	old := filepath.Join(dir, "journal.jsonl")
	require.NoError(t, os.WriteFile(old, []byte("old"), 0o600))

	_, err = openRecord(dir)
	require.ErrorIs(t, err, ErrUsage)
	require.ErrorContains(t, err, "another rehearsal is writing there")
	require.FileExists(t, old)

	require.NoError(t, lock.Close())
	lock, err = openRecord(dir)
	require.NoError(t, err)
	defer lock.Close()
	require.NoFileExists(t, old)
	require.DirExists(t, filepath.Join(dir, "logs"))
}

func TestADirectoryOfSomebodyElseIsLeftAlone(t *testing.T) {
	dir := t.TempDir()
	precious := filepath.Join(dir, "thesis.txt")
	require.NoError(t, os.WriteFile(precious, nil, 0o600))
	_, err := openRecord(dir)
	require.ErrorContains(t, err, "holds other things than a rehearsal's record")
	require.FileExists(t, precious)
}

func TestOnlyTheFileOfTheObjectIsLost(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a", "b"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("description, body of "+name), 0o600))
	}
	require.ErrorContains(t, loseObject(dir, []byte("body of c")), "no file below the store")
	require.NoError(t, loseObject(dir, []byte("body of a")))
	require.NoFileExists(t, filepath.Join(dir, "a"))
	require.FileExists(t, filepath.Join(dir, "b"))
}
