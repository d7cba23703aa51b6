package journal_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"bogops/validator/journal"
)

// TestMain lets this binary be the judge that is killed, and the one that runs
// out of room.
func TestMain(m *testing.M) {
	switch os.Getenv("JOURNAL_TEST_ROLE") {
	case "appender":
		appendForever(os.Getenv("JOURNAL_TEST_PATH"))
	case "cramped":
		os.Exit(appendWithoutRoom(os.Getenv("JOURNAL_TEST_PATH")))
	}
	os.Exit(m.Run())
}

// child runs this test binary in another role.
func child(t *testing.T, role, path string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), "JOURNAL_TEST_ROLE="+role, "JOURNAL_TEST_PATH="+path)
	return cmd
}

func appendForever(path string) {
	j, err := journal.Create(path, journal.Opened{}, time.Now)
	for i := 0; err == nil; i++ {
		var e journal.Entry
		if e, err = j.Append(journal.KindNote, journal.Note{Text: strings.Repeat("x", i%5000)}); err == nil {
			fmt.Println(e.Hash) // the promise: what is printed is on disk
		}
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func TestWhatAppendAcknowledgedOutlivesAKilledJudge(t *testing.T) {
	for round := range 5 {
		path := filepath.Join(t.TempDir(), "day.jsonl")
		cmd := child(t, "appender", path)
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		var last string
		lines := bufio.NewScanner(out)
		for n := 0; n < 20+7*round && lines.Scan(); n++ {
			last = lines.Text()
		}
		require.NoError(t, cmd.Process.Kill())
		for lines.Scan() {
			last = lines.Text() // acknowledged before the signal arrived
		}
		_ = cmd.Wait() // killed
		if len(last) != 64 {
			last = "" // the last line of its output was cut by the kill
		}

		j, err := journal.Resume(path, time.Now)
		require.NoError(t, err)
		entries := j.Entries()
		require.Equal(t, journal.KindResumed, entries[len(entries)-1].Kind)
		require.NoError(t, journal.Verify(entries, j.Head()))
		if last != "" {
			require.Contains(t, hashes(entries), last)
		}
		require.NoError(t, j.Close())
	}
}

func hashes(entries []journal.Entry) []string {
	var all []string
	for _, e := range entries {
		all = append(all, e.Hash)
	}
	return all
}

// roomFor is how many bytes the cramped judge may write to a file.
const roomFor = 4096

// appendWithoutRoom appends until the limit, which the kernel enforces in the
// middle of a line as a full disk does.
func appendWithoutRoom(path string) int {
	limit := unix.Rlimit{Cur: roomFor, Max: roomFor}
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &limit); err != nil {
		fmt.Println(err)
		return 1
	}
	j, err := journal.Create(path, journal.Opened{}, time.Now)
	for range 100 {
		if err == nil {
			_, err = j.Append(journal.KindNote, journal.Note{Text: strings.Repeat("x", 200)})
		}
	}
	if err == nil {
		fmt.Println("100 entries fitted into the limit")
		return 1
	}
	if _, again := j.Append(journal.KindNote, journal.Note{}); again == nil || again.Error() != err.Error() {
		fmt.Println("after a failed write an append is taken:", again)
		return 1
	}
	fmt.Println(err)
	return 0
}

func TestAJournalOutOfRoomSaysSoAndKeepsOnlyWholeLines(t *testing.T) {
	path := filepath.Join(t.TempDir(), "day.jsonl")
	out, err := child(t, "cramped", path).CombinedOutput()
	require.NoError(t, err, string(out))
	require.Equal(t, "journal "+path+" cannot be written (file too large): make room on its disk and resume it\n", string(out))
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.True(t, strings.HasSuffix(string(text), "}\n"), "no half line is left")
	require.Greater(t, len(text), roomFor/2)
	j, err := journal.Resume(path, time.Now)
	require.NoError(t, err)
	require.NoError(t, j.Close())
}

func TestAReadOnlyDirectoryIsOneSentence(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Chmod(dir, 0o500))
	if os.Getuid() == 0 {
		dir = "/sys" // root writes everywhere but into the kernel's own tree
	}
	path := filepath.Join(dir, "day.jsonl")
	_, err := journal.Create(path, journal.Opened{}, time.Now)
	require.Error(t, err)
	require.Regexp(t, `^journal `+path+` cannot be created \((permission denied|read-only file system|operation not permitted)\): give a file in a directory that can be written to$`, err.Error())
	require.NoFileExists(t, path)
}
