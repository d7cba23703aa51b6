package main

import (
	"bufio"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// syscallEvent is one finished system call of a trace. Calls of different
// threads overlap: start and end are the places in the trace where it was
// entered and left.
type syscallEvent struct {
	name, args, result string
	start, end         int
}

var (
	wholeCall   = regexp.MustCompile(`^(\d+) +(\w+)\((.*)\) += (.*)$`)
	beginOfCall = regexp.MustCompile(`^(\d+) +(\w+)\((.*) <unfinished \.\.\.>$`)
	endOfCall   = regexp.MustCompile(`^(\d+) +<\.\.\. (\w+) resumed>(.*)\) += (.*)$`)
	firstFD     = regexp.MustCompile(`^(\d+)<([^>]*)>`)
	allFDs      = regexp.MustCompile(`(\d+|AT_FDCWD)<([^>]*)>`)
)

// parseTrace reads what `strace -f -y` wrote, ordered by when calls ended.
func parseTrace(text string) []syscallEvent {
	var events []syscallEvent
	open := map[string]syscallEvent{} // by thread
	lines := bufio.NewScanner(strings.NewReader(text))
	lines.Buffer(nil, 1<<20)
	for at := 0; lines.Scan(); at++ {
		line := lines.Text()
		if m := wholeCall.FindStringSubmatch(line); m != nil {
			events = append(events, syscallEvent{m[2], m[3], m[4], at, at})
		} else if m := beginOfCall.FindStringSubmatch(line); m != nil {
			open[m[1]] = syscallEvent{name: m[2], args: m[3], start: at}
		} else if m := endOfCall.FindStringSubmatch(line); m != nil {
			e := open[m[1]]
			e.args, e.result, e.end = e.args+m[3], m[4], at
			events = append(events, e)
		}
	}
	return events
}

func (e syscallEvent) worked() bool { return !strings.HasPrefix(e.result, "-") }

// isAcknowledgement says whether the event sends the acknowledgement of a new object or of
// a replaced one (the test reads nothing, so every 200 is a PUT's).
func (e syscallEvent) isAcknowledgement() bool {
	return e.name == "write" && (strings.Contains(e.args, `"HTTP/1.1 201 `) || strings.Contains(e.args, `"HTTP/1.1 200 `))
}

// fd is the descriptor that the call is about.
func (e syscallEvent) fd() int {
	m := firstFD.FindStringSubmatch(e.args)
	if m == nil {
		return -1
	}
	n, _ := strconv.Atoi(m[1])
	return n
}

// commits returns the directory in which the call gave an object its name.
func (e syscallEvent) commits() (dir string, ok bool) {
	if !e.worked() || e.name != "linkat" && e.name != "renameat" && e.name != "renameat2" {
		return "", false
	}
	fds := allFDs.FindAllStringSubmatch(e.args, -1)
	return fds[len(fds)-1][2], true
}

// checkOrder returns what is wrong with a trace of PUTs sent one after another:
// between one acknowledgement and the next there have to be, each ended before
// the next begins, the last write to a new file, the sync of its data, the call
// that gives it its name, and the sync of the directory of that name.
func checkOrder(events []syscallEvent) (acknowledged int, err error) {
	var wrong []error
	var since []syscallEvent
	for _, e := range events {
		if e.isAcknowledgement() {
			acknowledged++
			if err := checkPut(since, e); err != nil {
				wrong = append(wrong, fmt.Errorf("acknowledgement %d: %w", acknowledged, err))
			}
			since = nil
		}
		since = append(since, e)
	}
	return acknowledged, errors.Join(wrong...)
}

func checkPut(since []syscallEvent, acknowledgement syscallEvent) error {
	draft, committed := -1, syscallEvent{}
	var dir string
	for _, e := range since {
		if e.name == "openat" && e.worked() && (strings.Contains(e.args, "O_TMPFILE") || strings.Contains(e.args, "O_EXCL")) {
			fd, _, _ := strings.Cut(e.result, "<")
			draft, _ = strconv.Atoi(fd)
		}
		if into, ok := e.commits(); ok {
			dir, committed = into, e
		}
	}
	if draft < 0 || dir == "" {
		return errors.New("no new file was made and named")
	}
	last := func(name string, match func(syscallEvent) bool) (found syscallEvent) {
		for _, e := range since {
			if strings.HasPrefix(e.name, name) && e.worked() && match(e) {
				found = e
			}
		}
		return found
	}
	onDraft := func(e syscallEvent) bool { return e.fd() == draft && e.end < committed.start }
	// Named or not, a descriptor of the draft may be used again after its
	// close: only what came before the naming is about the draft.
	written := last("pwrite", onDraft)
	if w := last("write", onDraft); w.end > written.end {
		written = w
	}
	data := last("fdatasync", onDraft)
	names := last("fsync", func(e syscallEvent) bool {
		m := firstFD.FindStringSubmatch(e.args)
		return m != nil && m[2] == dir && e.start > committed.end
	})
	switch {
	case written.name == "":
		return errors.New("nothing was written")
	case data.name == "" || data.start < written.end:
		return errors.New("no data sync between the last write and the naming")
	case names.name == "" || names.end > acknowledgement.start:
		return fmt.Errorf("no sync of %s between the naming and the answer", filepath.Base(dir))
	}
	return nil
}

// traced runs the server under strace, stores objects one after another, and
// returns the trace. It is skipped where strace is missing, but not in CI.
func traced(t *testing.T) (events []syscallEvent, puts int) {
	t.Helper()
	strace, err := exec.LookPath("strace")
	if err != nil && os.Getenv("CI") == "" {
		t.Skip("strace is not installed")
	}
	require.NoError(t, err)
	trace := filepath.Join(t.TempDir(), "trace")
	app := start(t, []string{strace, "-f", "-y", "-s", "32", "-o", trace,
		"-e", "trace=openat,write,pwrite64,fdatasync,fsync,linkat,renameat,renameat2"},
		"--store", "file:"+filepath.Join(t.TempDir(), "data"))
	require.NotEmpty(t, app.url, app.out.String())
	for round := range 3 { // new keys, then the same ones replaced, twice
		for i, size := range []int{0, 1, 4096, 300_000, 2 << 20} {
			body := strings.NewReader(strings.Repeat("x", size))
			status, text, err := call(http.DefaultClient, "PUT", fmt.Sprint(app.url, "/v1/objects/", i), body)
			require.NoError(t, err)
			want := 200
			if round == 0 {
				want = 201
			}
			require.Equal(t, want, status, text)
			puts++
		}
	}
	require.NoError(t, syscall.Kill(app.pid, syscall.SIGTERM))
	require.Equal(t, 0, app.exitCode(), app.out.String())
	text, err := os.ReadFile(trace)
	require.NoError(t, err)
	return parseTrace(string(text)), puts
}

func TestBothSyncsComeBeforeEveryAcknowledgement(t *testing.T) {
	events, puts := traced(t)
	acknowledged, err := checkOrder(events)
	require.NoError(t, err)
	require.Equal(t, puts, acknowledged)

	// The checker is worth something: with any one sync left out, made to
	// fail, or done after the answer, it names just the one PUT.
	tried := 0
	for i, e := range events {
		if e.name != "fdatasync" && e.name != "fsync" {
			continue
		}
		which := countAcknowledgements(events[:i]) + 1
		if which > puts || countAcknowledgements(events[:i]) == 0 {
			continue // of the start and the end, not of a PUT
		}
		without := slices.Delete(slices.Clone(events), i, i+1)
		if _, err := checkOrder(without); err == nil {
			continue // of something else than an object: see the count below
		} else {
			require.Regexp(t, fmt.Sprintf(`^acknowledgement %d: no [^\n]*$`, which), err.Error())
		}
		tried++
		failed := slices.Clone(events)
		failed[i].result = "-1 EIO (Input/output error)"
		_, err := checkOrder(failed)
		require.Error(t, err, "a failed sync counted")
		late := slices.Clone(events)
		late[i].start, late[i].end = 1<<30, 1<<30
		_, err = checkOrder(late)
		require.Error(t, err, "a sync after the answer counted")
	}
	require.GreaterOrEqual(t, tried, 2*(puts-1), "two syncs for each PUT were not both needed")
}

func countAcknowledgements(events []syscallEvent) (n int) {
	for _, e := range events {
		if e.isAcknowledgement() {
			n++
		}
	}
	return n
}

// Two threads' calls overlap in a trace: what counts is begin and end.
func TestAnOverlappingSyncIsNoSyncBefore(t *testing.T) {
	const put = `10 openat(5</d/a>, ".", O_WRONLY|O_TMPFILE|O_CLOEXEC, 0600) = 9</d/a/#1 (deleted)>
10 write(9</d/a/#1 (deleted)>, "x"..., 1) = 1
10 fdatasync(9</d/a/#1 (deleted)>) = 0
10 linkat(AT_FDCWD</>, "/proc/self/fd/9", 5</d/a>, "k", AT_SYMLINK_FOLLOW) = 0
10 fsync(5</d/a>) = 0
11 write(7<TCP:[1]>, "HTTP/1.1 201 Created\r\n"..., 300) = 300
`
	n, err := checkOrder(parseTrace(put))
	require.NoError(t, err)
	require.Equal(t, 1, n)

	overlapping := strings.Replace(put, "10 fsync(5</d/a>) = 0\n", "10 fsync(5</d/a> <unfinished ...>\n", 1) + "10 <... fsync resumed>) = 0\n"
	_, err = checkOrder(parseTrace(overlapping))
	require.EqualError(t, err, "acknowledgement 1: no sync of a between the naming and the answer")
	other := strings.Replace(put, "fsync(5</d/a>)", "fsync(5</d/b>)", 1)
	_, err = checkOrder(parseTrace(other))
	require.EqualError(t, err, "acknowledgement 1: no sync of a between the naming and the answer")
	early := strings.Replace(put, `10 fdatasync(9</d/a/#1 (deleted)>) = 0`, `10 fdatasync(9</d/a/#1 (deleted)>) = 0
10 write(9</d/a/#1 (deleted)>, "y"..., 1) = 1`, 1)
	_, err = checkOrder(parseTrace(early))
	require.EqualError(t, err, "acknowledgement 1: no data sync between the last write and the naming")
}
