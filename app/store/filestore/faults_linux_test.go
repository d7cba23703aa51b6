package filestore

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"bogops/app/store"
)

func TestADiskThatIsReallyFullLosesNothingAndRecovers(t *testing.T) {
	const writers, size = 8, 50_000
	dir := filepath.Join(tmpfs(t, "4m"), "store")
	s := opened(t, dir)
	stored := make([]int, writers) // keys of each that were acknowledged
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for refused := 0; refused < 5; {
				err := putError(s, fmt.Sprint("k", w, "/", stored[w]), noise(uint64(w), size))
				if err == nil {
					stored[w]++
				} else if refused++; !errors.Is(err, store.ErrFull) {
					t.Errorf("got error %v, want %q", err, store.ErrFull)
				}
			}
		})
	}
	all.Wait()
	require.ErrorIs(t, putError(s, "k0/0", noise(99, 500_000)), store.ErrFull)
	require.Equal(t, store.Degraded, s.Health(t.Context()).State)
	again, sum := opened(t, dir), 0
	for w, n := range stored {
		for i := range n {
			got, err := read(again, t, fmt.Sprint("k", w, "/", i), store.Whole)
			require.NoError(t, err)
			require.True(t, bytes.Equal(noise(uint64(w), size), got))
		}
		sum += n
	}
	require.Greater(t, sum, 50)
	page, err := again.List(t.Context(), store.ListOptions{})
	require.NoError(t, err)
	require.Len(t, page.Objects, sum, "what was refused must not be there")
	require.Empty(t, drafts(t, dir))
	require.NoError(t, s.Delete(t.Context(), page.Objects[0].Key, ""))
	put(t, s, "again", noise(1, size-1000)) // the space of what was refused and deleted is free
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
