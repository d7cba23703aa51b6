package journal

import (
	"bytes"
	"errors"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// slowSink takes a batch only when it is let, and counts batches and lines.
type slowSink struct {
	let     chan error
	batches []int
}

func (s *slowSink) write(lines []byte) error {
	s.batches = append(s.batches, bytes.Count(lines, []byte{'\n'}))
	return <-s.let
}

func (s *slowSink) close() error { return nil }

// queued starts count appends and waits until the first is at the sink and the
// others wait behind it.
func queued(t *testing.T, j *Journal, count int) (results chan error, all *sync.WaitGroup) {
	t.Helper()
	results, all = make(chan error, count), &sync.WaitGroup{}
	for range count {
		all.Go(func() {
			_, err := j.Append(KindNote, Note{Text: "x"})
			results <- err
		})
	}
	for deadline := time.Now().Add(10 * time.Second); ; runtime.Gosched() {
		j.mu.Lock()
		chained, atSink := int(j.last.Seq), j.writing
		j.mu.Unlock()
		if atSink && chained == count {
			return results, all
		}
		require.True(t, time.Now().Before(deadline), "%d of %d appends are queued", chained, count)
	}
}

func TestAppendersThatWaitShareOneSync(t *testing.T) {
	sink := &slowSink{let: make(chan error)}
	j := newJournal(sink, nil, time.Now)
	results, all := queued(t, j, 20)
	require.Empty(t, j.Entries(), "nothing is visible before it is on disk")
	require.Equal(t, genesis, j.Head())
	sink.let <- nil
	sink.let <- nil
	all.Wait()
	for range 20 {
		require.NoError(t, <-results)
	}
	require.Len(t, sink.batches, 2)
	require.Equal(t, 20, sink.batches[0]+sink.batches[1])
	require.Len(t, j.Entries(), 20)
	require.NoError(t, j.Close())
}

func TestAFailedSyncAcknowledgesNothingAndEndsTheJournal(t *testing.T) {
	sink := &slowSink{let: make(chan error)}
	j := newJournal(sink, nil, time.Now)
	readers := j.Subscribe(t.Context(), 0)
	results, all := queued(t, j, 20)
	full := errors.New("the disk is full")
	sink.let <- full
	all.Wait()
	for range 20 {
		require.ErrorIs(t, <-results, full)
	}
	require.Len(t, sink.batches, 1, "after a failure nothing more is written")
	require.Empty(t, j.Entries())
	_, open := <-readers
	require.False(t, open, "subscribers are told that nothing will come")
	require.NoError(t, j.Close())
}
