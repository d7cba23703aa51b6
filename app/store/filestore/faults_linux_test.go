package filestore

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"bogops/app/store"
)

func TestADiskThatIsReallyFullLosesNothingAndRecovers(t *testing.T) {
	dir := filepath.Join(tmpfs(t, "2m"), "store")
	s := opened(t, dir)
	stored := 0
	for ; ; stored++ {
		err := putError(s, fmt.Sprint("k", stored), noise(uint64(stored), 100_000))
		if err != nil {
			require.ErrorIs(t, err, store.ErrFull)
			break
		}
		require.Less(t, stored, 30)
	}
	require.Greater(t, stored, 10)
	require.ErrorIs(t, putError(s, "k0", noise(99, 500_000)), store.ErrFull)
	require.Equal(t, store.Degraded, s.Health(t.Context()).State)
	for i := range stored {
		got, err := read(s, t, fmt.Sprint("k", i), store.Whole)
		require.NoError(t, err)
		require.True(t, bytes.Equal(noise(uint64(i), 100_000), got))
	}
	require.Empty(t, drafts(t, dir))
	require.NoError(t, s.Delete(t.Context(), "k1", ""))
	put(t, s, "k1", noise(1, 90_000))
	require.Equal(t, store.Healthy, s.Health(t.Context()).State)
}

func TestAReadOnlyDirectoryIsRefusedInOneSentence(t *testing.T) {
	want := "permission denied"
	dir := t.TempDir()
	if os.Geteuid() == 0 { // whom permissions do not stop
		want = "read-only file system"
		dir = tmpfs(t, "1m")
		require.NoError(t, unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""))
	} else {
		require.NoError(t, os.Chmod(dir, 0o555))
	}
	_, err := Open(dir)
	require.EqualError(t, err, fmt.Sprintf("filestore: cannot keep objects in %q: %s; want a directory that this process may write, empty or of a store", dir, want))
}

func TestAStoreOnADiskThatTurnedReadOnlyIsRefusedAtOpen(t *testing.T) {
	dir := tmpfs(t, "1m")
	s, err := Open(dir)
	require.NoError(t, err)
	put(t, s, "k", []byte("x"))
	require.NoError(t, s.Close())
	require.NoError(t, unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""))
	_, err = Open(dir)
	require.ErrorIs(t, err, unix.EROFS)
}
