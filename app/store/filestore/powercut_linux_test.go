package filestore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/app/store"
	"bogops/app/store/filestore/powerfs"
)

// powerCuts is how many cuts a store has to survive; FILESTORE_CUTS makes it
// more. FILESTORE_SEED begins with that seed instead of a new one.
func powerCuts(t *testing.T) (cuts int, seed uint64) {
	cuts, seed = 150, uint64(time.Now().UnixNano())
	if testing.Short() {
		cuts = 30
	}
	var err error
	if text := os.Getenv("FILESTORE_CUTS"); text != "" {
		cuts, err = strconv.Atoi(text)
		require.NoError(t, err, "FILESTORE_CUTS: want a number")
	}
	if text := os.Getenv("FILESTORE_SEED"); text != "" {
		seed, err = strconv.ParseUint(text, 10, 64)
		require.NoError(t, err, "FILESTORE_SEED: want a number")
	}
	return cuts, seed
}

// The disk is served by this process: a call that waits for it holds a thread
// of those that Go code may run on.
func moreThreads(t *testing.T) {
	if _, err := os.Stat("/dev/fuse"); err != nil || os.Geteuid() != 0 {
		leftOut(t, "cutting the power takes root and /dev/fuse")
	}
	before := runtime.GOMAXPROCS(8)
	t.Cleanup(func() { runtime.GOMAXPROCS(before) })
}

func TestNothingAcknowledgedIsLostAndNothingTornIsServedWhenThePowerIsCut(t *testing.T) {
	moreThreads(t)
	cuts, seed := powerCuts(t)
	for name, change := range map[string]func(*disk){"syncs alone": func(*disk) {}, "syncs in a crowd": crowded} {
		t.Run(name, func(t *testing.T) {
			t.Logf("FILESTORE_SEED=%d", seed)
			below, done := realDisk(), tally{}
			change(&below)
			for seed := seed; done.cuts < cuts; seed++ {
				told, err := live(t, seed, below)
				require.NoError(t, err, "FILESTORE_SEED=%d, after %+v", seed, told)
				done.add(told)
			}
			t.Logf("%+v", done)
			require.Greater(t, done.acknowledged, 5*done.cuts, "hardly anything was written")
			require.Greater(t, done.unknown, done.cuts, "hardly any cut hit a write")
			require.Greater(t, done.refused, done.cuts, "hardly any condition failed")
		})
	}
}

// Each of these stores is right but for one thing.
func TestThePowerCutsFindEverySyncThatIsLeftOutOrComesAtTheWrongTime(t *testing.T) {
	moreThreads(t)
	const cuts = 600 // some need a hundred
	_, seed := powerCuts(t)
	for name, breaks := range map[string]func(*disk){
		"no sync of an object's data":               leavesOutData(not(of(formatUnborn))),
		"no sync of what the format file is to say": leavesOutData(of(formatUnborn)),
		"no sync of an object's name":               leavesOut(above(objectsDir)),
		"no sync of a new shard's name":             leavesOut(of(objectsDir)),
		"no sync of the names that Open makes":      leavesOut(rootSync(2)),
		"no sync of the store's own name":           leavesOut(above("fd")), // the mount lies in /proc/self/fd
		"nothing synced in a crowd":                 syncsNothing,
		"data synced after they have a name":        syncsDataLate,
		"a directory synced before it has the name": syncsDirectoryEarly,
	} {
		t.Run(name, func(t *testing.T) {
			broken, done := realDisk(), tally{}
			breaks(&broken)
			var err error
			for seed := seed; err == nil && done.cuts < cuts; seed++ {
				var told tally
				told, err = live(t, seed, broken)
				done.add(told)
			}
			require.Error(t, err, "not found: FILESTORE_SEED=%d, %+v", seed, done)
			t.Logf("found by cut %d: %v", done.cuts, err)
			require.ErrorAs(t, err, new(lostError), "found for another reason")
		})
	}
}

// The power goes the moment a reader has seen a write, or a delete, that is not
// acknowledged yet.
func TestWhatWasReadStaysWhenThePowerIsCutAtThatMoment(t *testing.T) {
	moreThreads(t)
	for seed := range uint64(24) {
		require.NoError(t, cutWhenRead(t, seed, realDisk()))
	}
}

func TestTheCutAtTheReadFindsAReadThatDoesNotWaitForTheSync(t *testing.T) {
	moreThreads(t)
	broken := realDisk()
	settlesEarly(&broken)
	var err error
	for seed := uint64(0); err == nil && seed < 24; seed++ {
		err = cutWhenRead(t, seed, broken)
	}
	require.ErrorAs(t, err, new(lostError))
}

func cutWhenRead(t *testing.T, seed uint64, below disk) error {
	d := powerfs.New()
	d.SyncTakes = 10 * time.Millisecond
	mount, err := d.Mount()
	require.NoError(t, err)
	defer func() { require.NoError(t, mount.Close()) }()
	writer, err := open(filepath.Join(mount.Path(), storeDir), below)
	require.NoError(t, err)
	defer writer.Close()
	reader, err := open(filepath.Join(mount.Path(), storeDir), below)
	require.NoError(t, err)
	defer reader.Close()
	put(t, writer, "k", []byte("old"))
	ended := make(chan error, 1)
	go func() {
		if seed%2 == 0 {
			ended <- writer.Delete(context.Background(), "k", "")
			return
		}
		_, err := writer.Put(context.Background(), "k", strings.NewReader("new"), store.PutOptions{Size: 3})
		ended <- err
	}()
	seen := "old"
	for seen == "old" && err == nil {
		seen, err = held(t, reader)
	}
	left := d.Cut(seed)
	<-ended // the write may have been cut
	require.NoError(t, err)
	again, err := left.Mount()
	require.NoError(t, err)
	defer func() { require.NoError(t, again.Close()) }()
	s, err := Open(filepath.Join(again.Path(), storeDir))
	require.NoError(t, err)
	defer s.Close()
	if now, err := held(t, s); err != nil || now != seen {
		return lost("%q was read, and %q after the cut (%w)", seen, now, err)
	}
	return nil
}

// held is what k holds; empty: nothing.
func held(t *testing.T, s *Store) (string, error) {
	data, err := read(s, t, "k", store.Whole)
	if errors.Is(err, store.ErrNotFound) {
		err = nil
	}
	return string(data), err
}

// Whatever step of making a store the cut hits, and whatever is left of it.
func TestAStoreThatWasCutWhileItWasMadeOpens(t *testing.T) {
	moreThreads(t)
	require.NoError(t, cutWhileMade(t, realDisk()))
}

func TestTheCutsOfTheMakingFindAFormatFileWithoutASyncedName(t *testing.T) {
	moreThreads(t)
	broken := realDisk()
	leavesOut(rootSync(1))(&broken)
	require.ErrorContains(t, cutWhileMade(t, broken), `it holds "objects" and is no store`)
}

func cutWhileMade(t *testing.T, below disk) error {
	opens := func(d *powerfs.Disk) error {
		mount, err := d.Mount()
		require.NoError(t, err)
		defer func() { require.NoError(t, mount.Close()) }()
		s, err := open(filepath.Join(mount.Path(), storeDir), below)
		if err != nil {
			return err
		}
		return s.Close()
	}
	for steps, cut := 1, true; cut; steps++ {
		for seed := range uint64(40) {
			d := powerfs.New()
			d.StopAfter(steps)
			cut = opens(d) != nil
			if err := opens(d.Cut(seed)); err != nil {
				return fmt.Errorf("cut after step %d, seed %d: %w", steps, seed, err)
			}
		}
	}
	return nil
}

// lostError is a promise that a cut broke.
type lostError struct{ error }

func lost(format string, args ...any) error { return lostError{fmt.Errorf(format, args...)} }
