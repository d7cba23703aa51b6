package filestore

import (
	"bufio"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// call is a system call in a trace by strace -f -y.
type call struct {
	name string
	args []string // as strace prints them
	ok   bool
}

var (
	wholeCall = regexp.MustCompile(`^\d+ +(\w+)\((.*)\) += (-?\d+)`)
	cutCall   = regexp.MustCompile(`^(\d+) +(\w+)\((.*?),? *<unfinished \.\.\.>$`)
	restCall  = regexp.MustCompile(`^(\d+) +<\.\.\. \w+ resumed>,? *(.*)\) += (-?\d+)`)
	shardPath = regexp.MustCompile(`/objects/[0-9a-f]{2}$`)
	openFile  = regexp.MustCompile(`^(\d+)<(.*)>(\(deleted\))?$`)
)

// parseTrace returns the calls in the order in which they ended; an answer, a
// write to standard output, counts from its beginning.
func parseTrace(trace string) []call {
	var calls []call
	cut := map[string]call{}
	lines := bufio.NewScanner(strings.NewReader(trace))
	for lines.Scan() {
		line := lines.Text()
		if m := wholeCall.FindStringSubmatch(line); m != nil {
			calls = append(calls, call{m[1], strings.Split(m[2], ", "), m[3][0] != '-'})
		} else if m := cutCall.FindStringSubmatch(line); m != nil {
			c := call{m[2], strings.Split(m[3], ", "), true}
			if cut[m[1]] = c; c.name == "write" {
				calls = append(calls, c)
			}
		} else if m := restCall.FindStringSubmatch(line); m != nil {
			if c := cut[m[1]]; c.name != "write" {
				if m[2] != "" {
					c.args = append(slices.Clone(c.args), strings.Split(m[2], ", ")...)
				}
				c.ok = m[3][0] != '-'
				calls = append(calls, c)
			}
		}
	}
	return calls
}

// order follows one write at a time through a trace.
type order struct {
	at       string            // the write that has begun
	synced   map[string]bool   // files of drafts: false once written to
	files    map[string]string // descriptors, and names in the writing directory, to files
	unsynced map[string]bool   // directories that hold a new name, or lack an old one
	marked   map[string]bool   // shards that say that they may have lost a name
	changed  bool              // an object has its name, or has lost it
	answered int
}

// checkOrder returns how many writes the trace shows, and an error for the
// first that is answered, or named, before what it needs is on the disk.
func checkOrder(calls []call) (int, error) {
	o := order{}
	for _, c := range calls {
		if err := o.step(c); err != nil {
			return o.answered, fmt.Errorf("write %s: %w", o.at, err)
		}
	}
	if o.at != "" {
		return o.answered, fmt.Errorf("write %s has no answer", o.at)
	}
	return o.answered, nil
}

func (o *order) step(c call) error {
	if c.name == "write" && strings.HasPrefix(c.args[0], "1<") {
		return o.say(strings.Fields(strings.Trim(strings.ReplaceAll(c.args[1], `\n`, ""), `"`)))
	}
	if o.at == "" || !c.ok {
		return nil // the store is being opened, or nothing happened
	}
	fd, path := descriptor(c.args[0])
	switch c.name {
	case "write", "writev", "pwrite64", "pwritev", "ftruncate":
		o.synced[path], o.files[fd] = false, path
	case "fdatasync", "fsync":
		delete(o.unsynced, path)
		if _, is := o.synced[path]; is {
			o.synced[path] = true
		}
	case "linkat", "renameat", "renameat2":
		_, dir := descriptor(c.args[2])
		return o.name(o.source(path, c.args[1]), dir, c.args[3])
	case "mkdirat":
		o.unsynced[path] = true
	case "unlinkat":
		if strings.Contains(path, "/objects/") {
			if !o.marked[path] {
				return fmt.Errorf("%s loses a name and does not say so", path)
			}
			o.changed, o.unsynced[path] = true, true
		}
	case "fchmod":
		return o.mark(path, c.args[1])
	}
	return nil
}

// mark follows the modes that tell readers what may not be synced yet.
func (o *order) mark(path, mode string) error {
	bits, err := strconv.ParseUint(mode, 8, 32)
	if err != nil {
		return err
	}
	settled := bits&unsettledFile == 0
	if shardPath.MatchString(path) {
		settled = bits&unsettledShard == 0
		o.marked[path] = !settled
	}
	if settled && len(o.unsynced) > 0 {
		return fmt.Errorf("%s is said to be settled before %v is synced", path, o.unsynced)
	}
	return nil
}

func (o *order) say(words []string) error {
	switch {
	case words[0] == "begin":
		*o = order{at: words[1], answered: o.answered, synced: map[string]bool{}, unsynced: map[string]bool{},
			files: map[string]string{}, marked: map[string]bool{}}
		return nil
	case !o.changed:
		return fmt.Errorf("answered before the object has its name")
	case len(o.unsynced) > 0:
		return fmt.Errorf("answered before %v is synced", o.unsynced)
	}
	o.at = ""
	o.answered++
	return nil
}

// source is the file that is linked or renamed: by descriptor, or by name.
func (o *order) source(dir, name string) string {
	name = strings.Trim(name, `"`)
	if fd, ok := strings.CutPrefix(name, "/proc/self/fd/"); ok {
		return o.files[fd]
	}
	if file, ok := o.files[dir+"/"+name]; ok {
		return file
	}
	return dir + "/" + name
}

func (o *order) name(file, dir, name string) error {
	if !strings.Contains(dir, "/objects/") {
		o.files[dir+"/"+strings.Trim(name, `"`)] = file
		return nil
	}
	synced, written := o.synced[file]
	if !written {
		return fmt.Errorf("%s has an object's name and was never written", file)
	}
	if !synced {
		return fmt.Errorf("%s has an object's name before its data are synced", file)
	}
	if len(o.unsynced) > 0 {
		return fmt.Errorf("%s has an object's name in a directory whose own is not synced: %v", file, o.unsynced)
	}
	o.changed, o.unsynced[dir] = true, true
	return nil
}

// descriptor splits 5</a/b>(deleted) into 5 and /a/b.
func descriptor(arg string) (fd, path string) {
	if m := openFile.FindStringSubmatch(arg); m != nil {
		return m[1], m[2]
	}
	return "", strings.TrimSuffix(strings.TrimPrefix(arg, "AT_FDCWD<"), ">")
}

// soundTrace is a create without a name in a new directory, a replacement, a delete, and a create
// with a name, one of whose calls another thread's output cuts in two.
const soundTrace = `9 fsync(5</s/objects>) = 0
9 write(1<pipe:[7]>, "begin 0\n", 8) = 8
9 mkdirat(6</s/objects>, "d1", 0750) = 0
9 fsync(6</s/objects>) = 0
9 pwrite64(5</s/objects/d1/#10>(deleted), "bogops\r\n"..., 68, 0) = 68
9 fdatasync(5</s/objects/d1/#10>(deleted)) = 0
9 linkat(AT_FDCWD</home>, "/proc/self/fd/5", 22</s/objects/d1>, "k0", AT_SYMLINK_FOLLOW) = 0
9 --- SIGURG {si_signo=SIGURG, si_code=SI_TKILL} ---
9 fsync(22</s/objects/d1>) = 0
9 fchmod(5</s/objects/d1/k0>, 0440) = 0
9 write(1<pipe:[7]>, "done 0\n", 7) = 7
9 write(1<pipe:[7]>, "begin 1\n", 8) = 8
9 pwrite64(5</s/objects/d1/#11>(deleted), "j\346, x"..., 20004, 68) = 20004
9 pwrite64(5</s/objects/d1/#11>(deleted), "bogops\r\n"..., 68, 0) = 68
9 fdatasync(5</s/objects/d1/#11>(deleted)) = 0
9 linkat(AT_FDCWD</home>, "/proc/self/fd/5", 22</s/objects/d1>, "k0", AT_SYMLINK_FOLLOW) = -1 EEXIST (File exists)
9 linkat(AT_FDCWD</home>, "/proc/self/fd/5", 8</s/writing>, "00b7", AT_SYMLINK_FOLLOW) = 0
9 renameat(8</s/writing>, "00b7", 22</s/objects/d1>, "k0") = 0
9 fsync(22</s/objects/d1>) = 0
9 write(1<pipe:[7]>, "done 1\n", 7) = 7
9 write(1<pipe:[7]>, "begin 2\n", 8) = 8
9 fchmod(22</s/objects/d1>, 01750) = 0
9 unlinkat(22</s/objects/d1>, "k0", 0) = 0
9 fsync(22</s/objects/d1>) = 0
9 fchmod(22</s/objects/d1>, 0750) = 0
9 write(1<pipe:[7]>, "done 2\n", 7) = 7
9 write(1<pipe:[7]>, "begin 3\n", 8) = 8
9 pwrite64(5</s/writing/ec74>, "bogops\r\n"..., 68, 0) = 68
9 fdatasync(5</s/writing/ec74> <unfinished ...>
8 write(2<pipe:[8]>, "noise", 5) = 5
9 <... fdatasync resumed>) = 0
9 linkat(8</s/writing>, "ec74", 22</s/objects/d1>, "k1", 0) = 0
9 fsync(22</s/objects/d1>) = 0
9 write(1<pipe:[7]>, "done 3\n", 7) = 7
`

func TestTheOrderOfASoundTraceIsRight(t *testing.T) {
	writes, err := checkOrder(parseTrace(soundTrace))
	require.NoError(t, err)
	require.Equal(t, 4, writes)
}

// tells says whether a call lets someone know of a write.
func tells(c call) bool {
	return c.ok && (c.name == "write" && strings.HasPrefix(c.args[0], "1<") || len(c.args) > 2 && strings.Contains(c.args[2], "/objects/"))
}

// requireEverySyncNeeded takes one sync away, lets it fail, or moves it behind
// the name or the answer that it belongs before: no such trace may pass.
func requireEverySyncNeeded(t *testing.T, calls []call, syncs int) {
	t.Helper()
	tried, begun := 0, false
	for i, c := range calls {
		begun = begun || c.name == "write" && strings.HasPrefix(c.args[0], "1<")
		if !begun || c.name != "fdatasync" && c.name != "fsync" {
			continue
		}
		tried++
		without := slices.Delete(slices.Clone(calls), i, i+1)
		failed := slices.Clone(calls)
		failed[i].ok = false
		behind := i + 1 + slices.IndexFunc(calls[i+1:], tells)
		later := slices.Insert(slices.Clone(without), behind, c)
		for what, spoiled := range map[string][]call{"missing": without, "failing": failed, "late": later} {
			_, err := checkOrder(spoiled)
			require.Error(t, err, "sync %d (%v) %s", tried, c, what)
		}
	}
	require.Equal(t, syncs, tried)
}

func TestATraceWithOneSyncMissingOrFailingOrLateIsFound(t *testing.T) {
	requireEverySyncNeeded(t, parseTrace(soundTrace), 8)
}

func TestAMarkThatIsMissingOrTakenOffTooEarlyIsFound(t *testing.T) {
	calls := parseTrace(soundTrace)
	marks := 0
	for i, c := range calls {
		if c.name != "fchmod" {
			continue
		}
		marks++
		without := slices.Delete(slices.Clone(calls), i, i+1)
		if c.args[1] == "01750" {
			_, err := checkOrder(without)
			require.ErrorContains(t, err, "does not say so")
			continue
		}
		_, err := checkOrder(slices.Insert(without, i-1, c)) // before the sync
		require.ErrorContains(t, err, "settled before")
	}
	require.Equal(t, 3, marks)
}

func TestAnAnswerWithoutAWriteIsFound(t *testing.T) {
	for _, drop := range []string{"pwrite64", "linkat", "renameat", "unlinkat"} {
		calls := slices.DeleteFunc(parseTrace(soundTrace), func(c call) bool { return c.name == drop })
		_, err := checkOrder(calls)
		require.Error(t, err, drop)
	}
	calls := parseTrace(soundTrace)
	_, err := checkOrder(calls[:len(calls)-1])
	require.ErrorContains(t, err, "has no answer")
}
