package filestore

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"bogops/app/store"
)

// kills is how often the writer dies; FILESTORE_KILLS makes it more.
func kills(t *testing.T) int {
	text := os.Getenv("FILESTORE_KILLS")
	if text == "" {
		return 20
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err, "FILESTORE_KILLS: want a number")
	return n
}

// A write that was begun and not done may have happened or not; every other
// one that was done has. What the page cache would lose with the machine is
// the strace test's matter.
func TestNothingAcknowledgedIsLostAndNothingTornIsServedWhenTheWriterIsKilled(t *testing.T) {
	dir := t.TempDir()
	beside := opened(t, dir) // as another instance that lives on
	w, interrupted := newWitness(), 0
	for round := range kills(t) {
		mode := []string{"nameless", "named"}[round%2]
		w.killAfter(t, "write", mode, dir, 3+round*5%41)
		if len(w.begun) > 0 { // else it was between two writes
			interrupted++
		}
		require.NoError(t, w.check(t, beside))
		require.NoError(t, w.check(t, opened(t, dir)))
		require.Empty(t, drafts(t, dir), "left over after the next Open")
	}
	require.Positive(t, interrupted, "no kill came in the middle of a write")
	require.GreaterOrEqual(t, len(w.done), childWriters, "hardly anything was written")
}

func TestTheKillsFindAWriterThatAnswersTooEarly(t *testing.T) {
	dir := t.TempDir()
	w := newWitness()
	var err error
	for round := 0; round < 20 && err == nil; round++ {
		w.killAfter(t, "early", "nameless", dir, 3+round)
		err = w.check(t, opened(t, dir))
	}
	require.ErrorContains(t, err, "the last acknowledged")
}

// witness notes the last write of each key that was acknowledged, and the one
// that was begun and not answered.
type witness struct{ done, begun map[string]int }

func newWitness() *witness { return &witness{map[string]int{}, map[string]int{}} }

// killAfter kills the child -9 when it has said so many lines.
func (w *witness) killAfter(t *testing.T, task, mode, dir string, lines int) {
	t.Helper()
	first := 1 // the versions go on where those before ended
	for _, noted := range []map[string]int{w.done, w.begun} {
		for _, i := range noted {
			first = max(first, i+1)
		}
	}
	clear(w.begun)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	cmd := command(ctx, fmt.Sprintf("%s %d %s %s", task, first, mode, dir))
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	in := bufio.NewReader(out)
	for n := 0; ; n++ {
		line, err := in.ReadString('\n')
		if err == io.EOF {
			break // a line that is cut off was not said
		}
		require.NoError(t, err)
		w.note(t, line)
		if n == lines {
			require.NoError(t, cmd.Process.Kill())
		}
	}
	require.EqualError(t, cmd.Wait(), "signal: killed")
}

func (w *witness) note(t *testing.T, line string) {
	var verb, key string
	var i int
	_, err := fmt.Sscan(line, &verb, &key, &i)
	require.NoError(t, err, line)
	if verb == "begin" {
		w.begun[key] = i
		return
	}
	w.done[key] = i
	delete(w.begun, key)
}

// check compares every key with what was acknowledged.
func (w *witness) check(t *testing.T, s *Store) error {
	t.Helper()
	page, err := s.List(t.Context(), store.ListOptions{})
	if err != nil {
		return err
	}
	listed := map[string]bool{}
	for _, info := range page.Objects {
		listed[info.Key] = true
	}
	for writer := range childWriters {
		for k := range childKeys {
			key := fmt.Sprintf("w%d/k%d", writer, k)
			if err := w.checkKey(t, s, key, listed[key]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *witness) checkKey(t *testing.T, s *Store, key string, listed bool) error {
	got, err := read(s, t, key, store.Whole)
	there := err == nil
	if !there && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if there != listed {
		return fmt.Errorf("%s: there %t, listed %t", key, there, listed)
	}
	is := func(i int) bool {
		data, wanted := versionOf(key, i)
		return there == wanted && bytes.Equal(got, data)
	}
	i, pending := w.begun[key]
	switch {
	case is(w.done[key]):
	case pending && is(i):
		w.done[key] = i // it has landed: from here on it must stay
	default:
		return fmt.Errorf("%s: got %.30q, want write %d, the last acknowledged, or %d where begun (%t)", key, got, w.done[key], i, pending)
	}
	return nil
}
