package powerfs

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func mounted(t *testing.T, d *Disk) string {
	t.Helper()
	if _, err := os.Stat("/dev/fuse"); err != nil || os.Geteuid() != 0 {
		if os.Getenv("CI") != "" {
			t.Fatal("left out on CI: it takes root and /dev/fuse")
		}
		t.Skip("left out: it takes root and /dev/fuse")
	}
	m, err := d.Mount()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	return m.Path()
}

func write1(t *testing.T, path, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
}

// synced is fsync of a file or a directory.
func synced(t *testing.T, path string) {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	require.NoError(t, f.Sync())
}

// described is a disk in one line.
func described(files map[string]string) string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(files)) {
		out = append(out, strings.TrimSuffix(fmt.Sprintf("%s=%s", name, files[name]), "="))
	}
	return strings.Join(out, " ")
}

// What each program leaves when it is cut at its end: every outcome that is
// listed comes up, and no other one.
func TestACutLeavesWhatTheProgramSyncedAndAnyOfTheRest(t *testing.T) {
	for name, c := range map[string]struct {
		program func(t *testing.T, root string)
		leaves  []string
	}{
		"nothing was synced": {
			func(t *testing.T, root string) { write1(t, root+"/a", "one") },
			[]string{"", "a", "a=one", "a=\x00\x00\x00"},
		},
		"only the data were synced": {
			func(t *testing.T, root string) { write1(t, root+"/a", "one"); synced(t, root+"/a") },
			[]string{"", "a=one"},
		},
		"only the directory was synced": {
			func(t *testing.T, root string) { write1(t, root+"/a", "one"); synced(t, root) },
			[]string{"a", "a=one", "a=\x00\x00\x00"},
		},
		"both were synced": {
			func(t *testing.T, root string) { write1(t, root+"/a", "one"); synced(t, root+"/a"); synced(t, root) },
			[]string{"a=one"},
		},
		"a file was removed after the sync": {
			func(t *testing.T, root string) {
				write1(t, root+"/a", "one")
				synced(t, root+"/a")
				synced(t, root)
				require.NoError(t, os.Remove(root+"/a"))
			},
			[]string{"", "a=one"},
		},
		"a file was replaced by a rename": {
			func(t *testing.T, root string) {
				write1(t, root+"/a", "old")
				synced(t, root+"/a")
				write1(t, root+"/b", "new")
				synced(t, root+"/b")
				synced(t, root)
				require.NoError(t, os.Rename(root+"/b", root+"/a"))
			},
			[]string{"a=new", "a=old b=new"}, // never without a, never torn
		},
		"a rename across directories, the target synced": {
			func(t *testing.T, root string) {
				moved(t, root)
				synced(t, root+"/to")
			},
			[]string{"from/ from/a=x to/ to/a=x", "from/ to/ to/a=x"},
		},
		"a rename across directories, the source synced": {
			func(t *testing.T, root string) {
				moved(t, root)
				synced(t, root+"/from")
			},
			[]string{"from/ to/ to/a=x"},
		},
		"a rename across directories, none synced": {
			moved,
			[]string{"from/ from/a=x to/", "from/ from/a=x to/ to/a=x", "from/ to/ to/a=x"},
		},
		"a directory without its name": {
			func(t *testing.T, root string) {
				require.NoError(t, os.Mkdir(root+"/d", 0o700))
				write1(t, root+"/d/a", "one")
				synced(t, root+"/d/a")
				synced(t, root+"/d")
			},
			[]string{"", "d/ d/a=one"},
		},
		"a name without its directory": {
			func(t *testing.T, root string) {
				require.NoError(t, os.Mkdir(root+"/d", 0o700))
				write1(t, root+"/d/a", "one")
				synced(t, root+"/d/a")
				synced(t, root)
			},
			[]string{"d/", "d/ d/a=one"},
		},
		"a file without a name that got one": {
			func(t *testing.T, root string) {
				linked(t, root, "a", "one")
				synced(t, root)
			},
			[]string{"a=one"},
		},
		"a file without a name": {
			func(t *testing.T, root string) {
				linked(t, root, "", "one")
				synced(t, root)
			},
			[]string{""},
		},
		"two writes after the sync": {
			func(t *testing.T, root string) {
				write1(t, root+"/a", "one")
				synced(t, root+"/a")
				synced(t, root)
				f, err := os.OpenFile(root+"/a", os.O_WRONLY, 0)
				require.NoError(t, err)
				defer f.Close()
				for _, text := range []string{"two", "three"} {
					_, err = f.WriteAt([]byte(text), 0)
					require.NoError(t, err)
				}
			},
			// One sector holds all of it, so it is not torn inside; its length may
			// be that of another moment.
			[]string{"a=one", "a=two", "a=three", "a=thr", "a=one\x00\x00"},
		},
		"a file was made shorter after the sync": {
			func(t *testing.T, root string) {
				write1(t, root+"/a", "one")
				synced(t, root+"/a")
				synced(t, root)
				require.NoError(t, os.Truncate(root+"/a", 1))
			},
			[]string{"a=one", "a=o"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			want := map[string]bool{}
			for _, left := range c.leaves {
				want[left] = true
			}
			got := map[string]bool{}
			for seed := range uint64(120) {
				d := New()
				c.program(t, mounted(t, d))
				got[described(d.Cut(seed).Files())] = true
			}
			require.Equal(t, want, got)
		})
	}
}

func moved(t *testing.T, root string) {
	for _, dir := range []string{"/from", "/to"} {
		require.NoError(t, os.Mkdir(root+dir, 0o700))
	}
	write1(t, root+"/from/a", "x")
	for _, path := range []string{"/from/a", "/from", "/to", "/"} {
		synced(t, root+path)
	}
	require.NoError(t, os.Rename(root+"/from/a", root+"/to/a"))
}

func linked(t *testing.T, root, name, text string) {
	fd, err := unix.Open(root, unix.O_WRONLY|unix.O_TMPFILE|unix.O_CLOEXEC, 0o600)
	require.NoError(t, err)
	f := os.NewFile(uintptr(fd), "nameless")
	defer f.Close()
	_, err = f.WriteString(text)
	require.NoError(t, err)
	require.NoError(t, unix.Fdatasync(fd))
	if name != "" {
		from := fmt.Sprintf("/proc/self/fd/%d", fd)
		require.NoError(t, unix.Linkat(unix.AT_FDCWD, from, unix.AT_FDCWD, root+"/"+name, unix.AT_SYMLINK_FOLLOW))
	}
}

func TestATornFileHasBlocksOfBeforeAndOfNow(t *testing.T) {
	const blocks = 16
	seen := map[string]bool{}
	for seed := range uint64(60) {
		d := New()
		root := mounted(t, d)
		write1(t, root+"/a", strings.Repeat("o", blocks*512))
		synced(t, root+"/a")
		synced(t, root)
		f, err := os.OpenFile(root+"/a", os.O_WRONLY, 0)
		require.NoError(t, err)
		_, err = f.WriteAt(bytes.Repeat([]byte("n"), blocks*512), 0)
		require.NoError(t, err)
		require.NoError(t, f.Close())
		left := d.Cut(seed).Files()["a"]
		require.Len(t, left, blocks*512)
		pattern := ""
		for at := 0; at < len(left); at += 512 {
			require.Equal(t, strings.Repeat(left[at:at+1], 512), left[at:at+512])
			pattern += left[at : at+1]
		}
		seen[pattern] = true
	}
	require.Contains(t, seen, strings.Repeat("o", blocks))
	require.Contains(t, seen, strings.Repeat("n", blocks))
	require.Greater(t, len(seen), 8, "hardly any was torn")
}

func TestAModeThatWasNotSyncedMayBeLost(t *testing.T) {
	for name, c := range map[string]struct {
		sync func(fd int) error
		want map[fs.FileMode]bool
	}{
		"not":       {func(int) error { return nil }, map[fs.FileMode]bool{0o600: true, 0o640: true}},
		"fdatasync": {unix.Fdatasync, map[fs.FileMode]bool{0o600: true, 0o640: true}},
		"fsync":     {unix.Fsync, map[fs.FileMode]bool{0o640: true}},
	} {
		t.Run(name, func(t *testing.T) {
			got := map[fs.FileMode]bool{}
			for seed := range uint64(20) {
				d := New()
				root := mounted(t, d)
				write1(t, root+"/a", "")
				synced(t, root)
				f, err := os.Open(root + "/a")
				require.NoError(t, err)
				require.NoError(t, f.Chmod(0o640))
				require.NoError(t, c.sync(int(f.Fd())))
				require.NoError(t, f.Close())
				got[d.Cut(seed).Modes()["a"]] = true
			}
			require.Equal(t, c.want, got)
		})
	}
}

func TestNothingIsAnsweredAfterTheCutAndTheNextMountShowsWhatIsLeft(t *testing.T) {
	d := New()
	root := mounted(t, d)
	write1(t, root+"/a", "one")
	synced(t, root+"/a")
	synced(t, root)
	f, err := os.OpenFile(root+"/a", os.O_RDWR, 0)
	require.NoError(t, err)
	defer f.Close()
	left := d.Cut(1)
	_, err = f.WriteAt([]byte("two"), 0)
	require.ErrorIs(t, err, unix.EIO)
	_, err = f.ReadAt(make([]byte, 1), 0)
	require.ErrorIs(t, err, unix.EIO)
	require.ErrorIs(t, f.Sync(), unix.EIO)
	_, err = os.ReadDir(root)
	require.ErrorIs(t, err, unix.EIO)
	require.ErrorIs(t, os.Mkdir(root+"/d", 0o700), unix.EIO)

	again := mounted(t, left)
	text, err := os.ReadFile(again + "/a")
	require.NoError(t, err)
	require.Equal(t, "one", string(text))
	write1(t, again+"/b", "")
	names, err := filepath.Glob(again + "/*")
	require.NoError(t, err)
	require.Equal(t, []string{again + "/a", again + "/b"}, names)
}

func TestTheCallAfterTheLastOneFails(t *testing.T) {
	d := New()
	root := mounted(t, d)
	d.StopAfter(2)
	require.NoError(t, os.Mkdir(root+"/a", 0o700))
	require.NoError(t, os.Mkdir(root+"/b", 0o700))
	_, err := os.ReadDir(root)
	require.NoError(t, err, "reads do not count")
	require.ErrorIs(t, os.Mkdir(root+"/c", 0o700), unix.EIO)
	<-d.Stopped()
	_, err = os.ReadDir(root)
	require.ErrorIs(t, err, unix.EIO)
	require.NotContains(t, d.Cut(1).Files(), "c/")
}

// begunSync syncs root in another goroutine, and returns when it has begun.
func begunSync(t *testing.T, d *Disk, root string) (end func() error) {
	const many = 1000
	dir, err := os.Open(root)
	require.NoError(t, err)
	d.StopAfter(many)
	result := make(chan error, 1)
	go func() { result <- errors.Join(dir.Sync(), dir.Close()) }()
	require.Eventually(t, func() bool {
		d.mu.Lock()
		defer d.mu.Unlock()
		return d.left == many
	}, 20*time.Second, 100*time.Microsecond)
	return func() error { return <-result }
}

func TestASyncUnderWayFailsWhenThePowerGoes(t *testing.T) {
	left := map[string]bool{}
	for seed := range uint64(20) {
		d := New()
		d.SyncTakes = 20 * time.Millisecond
		root := mounted(t, d)
		require.NoError(t, os.Mkdir(root+"/a", 0o700))
		end := begunSync(t, d, root)
		left[described(d.Cut(seed).Files())] = true
		require.ErrorIs(t, end(), unix.EIO)
	}
	require.Equal(t, map[string]bool{"": true, "a/": true}, left)
}

func TestASyncKeepsNothingThatWasDoneWhileItRan(t *testing.T) {
	left := map[string]bool{}
	for seed := range uint64(20) {
		d := New()
		d.SyncTakes = 100 * time.Millisecond
		root := mounted(t, d)
		require.NoError(t, os.Mkdir(root+"/a", 0o700))
		end := begunSync(t, d, root)
		require.NoError(t, os.Mkdir(root+"/b", 0o700))
		require.NoError(t, end())
		left[described(d.Cut(seed).Files())] = true
	}
	require.Equal(t, map[string]bool{"a/": true, "a/ b/": true}, left)
}

func TestTheSameSeedLeavesTheSame(t *testing.T) {
	once := func(seed uint64) string {
		d := New()
		root := mounted(t, d)
		for i := range 8 {
			write1(t, fmt.Sprintf("%s/%d", root, i), "text")
		}
		return described(d.Cut(seed).Files())
	}
	outcomes := map[string]bool{}
	for seed := range uint64(20) {
		left := once(seed)
		require.Equal(t, left, once(seed))
		outcomes[left] = true
	}
	require.Greater(t, len(outcomes), 10)
}

func TestFileLocksHoldBetweenOpenFiles(t *testing.T) {
	root := mounted(t, New())
	a, err := os.Open(root)
	require.NoError(t, err)
	defer a.Close()
	b, err := os.Open(root)
	require.NoError(t, err)
	defer b.Close()
	require.NoError(t, unix.Flock(int(a.Fd()), unix.LOCK_EX|unix.LOCK_NB))
	require.ErrorIs(t, unix.Flock(int(b.Fd()), unix.LOCK_EX|unix.LOCK_NB), unix.EWOULDBLOCK)
}

func TestARemovedDirectoryThatIsOpenHasNoLinks(t *testing.T) {
	root := mounted(t, New())
	require.NoError(t, os.Mkdir(root+"/d", 0o700))
	f, err := os.Open(root + "/d")
	require.NoError(t, err)
	defer f.Close()
	require.NoError(t, os.Remove(root+"/d"))
	var stat unix.Stat_t
	require.NoError(t, unix.Fstat(int(f.Fd()), &stat))
	require.Zero(t, stat.Nlink)
}
