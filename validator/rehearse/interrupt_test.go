package rehearse

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/validator/journal"
)

// told is a writer that tests may read while it is written.
type told struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (w *told) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(p)
}

func (w *told) has(part string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Contains(w.text.String(), part)
}

// processesNaming lists the processes whose command line names path.
func processesNaming(t *testing.T, path string) []string {
	t.Helper()
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	require.NoError(t, err)
	var found []string
	for _, file := range lines {
		if line, err := os.ReadFile(file); err == nil && bytes.Contains(line, []byte(path)) {
			found = append(found, strings.ReplaceAll(string(line), "\x00", " "))
		}
	}
	return found
}

func TestAnInterruptedRehearsalLeavesOnlyItsRecordBehind(t *testing.T) {
	app := buildApp(t)
	temporary, out := t.TempDir(), filepath.Join(t.TempDir(), "rehearsal")
	t.Setenv("TMPDIR", temporary)
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	var said told
	ended := make(chan error, 1)
	go func() {
		ended <- Run(ctx, Options{App: app, Out: out, Listen: "127.0.0.1:0", Locale: "en", Version: "test", Stderr: &said})
	}()
	require.Eventually(t, func() bool { return said.has("Loutres start their platform") }, time.Minute, 50*time.Millisecond)
	require.NotEmpty(t, processesNaming(t, temporary), "instances run, of the witness at least")
	page, err := http.Get(wallIn(t, &said))
	require.NoError(t, err)
	page.Body.Close()
	require.Equal(t, http.StatusOK, page.StatusCode)

	interrupt()
	select {
	case err := <-ended:
		require.NoError(t, err)
	case <-time.After(30 * time.Second):
		t.Fatal("the rehearsal did not end")
	}
	require.Empty(t, processesNaming(t, temporary))
	left, err := os.ReadDir(temporary)
	require.NoError(t, err)
	require.Empty(t, left)
	_, err = journal.Read(filepath.Join(out, "journal.jsonl"))
	require.NoError(t, err, "the record so far is whole")
}

// wallIn finds the wall's address in what was said.
func wallIn(t *testing.T, said *told) string {
	t.Helper()
	said.mu.Lock()
	defer said.mu.Unlock()
	_, after, found := strings.Cut(said.text.String(), "The wall: ")
	require.True(t, found)
	address, _, _ := strings.Cut(after, "\n")
	return address
}
