package filestore

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/app/store/filestore/powerfs"
)

// powerCuts is how many cuts a store has to survive; FILESTORE_CUTS makes it
// more. FILESTORE_SEED begins with that seed instead of a new one.
func powerCuts(t *testing.T) (cuts int, seed uint64) {
	cuts, seed = 300, uint64(time.Now().UnixNano())
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
	t.Logf("FILESTORE_SEED=%d", seed)
	done := tally{}
	for ; done.cuts < cuts; seed++ {
		told, err := live(t, seed, realDisk())
		require.NoError(t, err, "FILESTORE_SEED=%d, after %+v", seed, told)
		done.add(told)
	}
	t.Logf("%+v", done)
	require.Greater(t, done.acknowledged, 5*done.cuts, "hardly anything was written")
	require.Greater(t, done.unknown, done.cuts, "hardly any cut hit a write")
	require.Greater(t, done.refused, done.cuts, "hardly any condition failed")
}

// Each of these stores is right but for one sync that it leaves out.
func TestThePowerCutsFindEverySyncThatIsLeftOut(t *testing.T) {
	moreThreads(t)
	const cuts = 600 // some need a hundred
	_, seed := powerCuts(t)
	of := func(name string) func(*os.File) bool {
		return func(file *os.File) bool { return filepath.Base(file.Name()) == name }
	}
	above := func(name string) func(*os.File) bool {
		return func(file *os.File) bool { return filepath.Base(filepath.Dir(file.Name())) == name }
	}
	not := func(is func(*os.File) bool) func(*os.File) bool {
		return func(file *os.File) bool { return !is(file) }
	}
	for name, c := range map[string]struct {
		data bool // a file's sync, not a directory's
		left func(*os.File) bool
	}{
		"of an object's data":               {true, not(of(formatUnborn))},
		"of what the format file is to say": {true, of(formatUnborn)},
		"of an object's name":               {false, above(objectsDir)},
		"of a new shard's name":             {false, of(objectsDir)},
		"of the names that Open makes":      {false, rootSync(2)},
		"of the store's own name":           {false, above("fd")}, // the mount lies in /proc/self/fd
	} {
		t.Run(name, func(t *testing.T) {
			broken := realDisk()
			sync := &broken.syncDir
			if c.data {
				sync = &broken.syncData
			}
			real := *sync
			*sync = func(file *os.File) error {
				if c.left(file) {
					return nil
				}
				return real(file)
			}
			done := tally{}
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

// A store whose files say from the beginning that their names are synced shows
// what the cut then takes away.
func TestThePowerCutsFindReadsThatTrustAnUnsyncedName(t *testing.T) {
	moreThreads(t)
	const cuts = 600
	_, seed := powerCuts(t)
	broken := realDisk()
	real := broken.syncData
	broken.syncData = func(file *os.File) error {
		return errors.Join(file.Chmod(0o440), real(file))
	}
	done := tally{}
	var err error
	for ; err == nil && done.cuts < cuts; seed++ {
		var told tally
		told, err = live(t, seed, broken)
		done.add(told)
	}
	require.Error(t, err, "not found: FILESTORE_SEED=%d, %+v", seed, done)
	t.Logf("found by cut %d: %v", done.cuts, err)
	require.ErrorAs(t, err, new(lostError), "found for another reason")
}

// Whatever step of making a store the cut hits, and whatever is left of it.
func TestAStoreThatWasCutWhileItWasMadeOpens(t *testing.T) {
	moreThreads(t)
	require.NoError(t, cutWhileMade(t, realDisk()))
}

func TestTheCutsOfTheMakingFindAFormatFileWithoutASyncedName(t *testing.T) {
	moreThreads(t)
	broken, first := realDisk(), rootSync(1)
	real := broken.syncDir
	broken.syncDir = func(dir *os.File) error {
		if first(dir) {
			return nil
		}
		return real(dir)
	}
	require.ErrorContains(t, cutWhileMade(t, broken), `it holds "objects" and is no store`)
}

// rootSync says whether a sync is the first or the second one that an Open does
// of the store's directory. Stores are opened one after the other here.
func rootSync(number int) func(*os.File) bool {
	var last *os.File
	return func(file *os.File) bool {
		if filepath.Base(file.Name()) != storeDir {
			return false
		}
		first := file != last
		last = file
		return first == (number == 1)
	}
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
