package logbuf

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// output counts its writes, and stands still while it is held.
type output struct {
	held sync.Mutex

	mu     sync.Mutex
	text   strings.Builder
	writes int
}

func (o *output) Write(p []byte) (int, error) {
	o.held.Lock()
	defer o.held.Unlock()
	o.mu.Lock()
	defer o.mu.Unlock()
	o.writes++
	return o.text.Write(p)
}

func (o *output) said() (string, int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String(), o.writes
}

func newBuffer(t *testing.T) (*Buffer, *output, chan time.Time) {
	out, tick := &output{}, make(chan time.Time)
	b := start(out, tick, func() {})
	t.Cleanup(b.Close)
	return b, out, tick
}

func TestAThousandLinesAreOneWrite(t *testing.T) {
	b, out, tick := newBuffer(t)
	for range 1000 {
		fmt.Fprintln(b.Lazy(), "line")
	}
	text, _ := out.said()
	require.Empty(t, text)
	tick <- time.Time{}
	tick <- time.Time{} // taken only when the first one's flush is over
	text, writes := out.said()
	require.Equal(t, strings.Repeat("line\n", 1000), text)
	require.Equal(t, 1, writes)
}

func TestAPromptLineGoesOutAtOnceAfterAllBeforeIt(t *testing.T) {
	b, out, _ := newBuffer(t)
	fmt.Fprintln(b.Lazy(), "1 request")
	fmt.Fprintln(b.Prompt(), "2 error")
	text, _ := out.said()
	require.Equal(t, "1 request\n2 error\n", text)
	fmt.Fprintln(b.Lazy(), "3 request")
	text, _ = out.said()
	require.NotContains(t, text, "3")
}

func TestManyLinesWakeTheWriterBeforeTheTick(t *testing.T) {
	b, out, _ := newBuffer(t)
	for range 2 {
		fmt.Fprint(b.Lazy(), strings.Repeat("x", flushAt/2))
	}
	require.Eventually(t, func() bool { text, _ := out.said(); return len(text) == flushAt }, 10*time.Second, time.Millisecond)
}

func TestCloseWritesWhatWaits(t *testing.T) {
	b, out, _ := newBuffer(t)
	fmt.Fprintln(b.Lazy(), "last")
	b.Close()
	b.Close()
	text, _ := out.said()
	require.Equal(t, "last\n", text)
	fmt.Fprintln(b.Prompt(), "too late")
	text, _ = out.said()
	require.Equal(t, "last\ntoo late\n", text)
}

func TestAnOutputThatStandsStillCostsLinesAndNotRequests(t *testing.T) {
	b, out, _ := newBuffer(t)
	line := strings.Repeat("x", 1<<10)
	out.held.Lock()
	for range 4 << 10 { // four times what may wait
		fmt.Fprint(b.Lazy(), line) // returns though nothing is written
	}
	out.held.Unlock()
	b.Close()
	text, _ := out.said()
	require.Positive(t, b.Dropped())
	require.EqualValues(t, 4<<10, b.Dropped()+int64(len(text)>>10), "every line was written or counted")
	require.LessOrEqual(t, len(text), 2*limit+flushAt)
}

func TestLinesOfManyWritersStayWholeAndComplete(t *testing.T) {
	b, out, tick := newBuffer(t)
	var writers sync.WaitGroup
	for w := range 8 {
		writers.Go(func() {
			for i := range 500 {
				to := b.Lazy()
				if i%50 == 0 {
					to = b.Prompt()
				}
				fmt.Fprintf(to, "%d %d\n", w, i)
			}
		})
	}
	tick <- time.Time{}
	writers.Wait()
	b.Close()
	text, _ := out.said()
	next := map[int]int{}
	for line := range strings.Lines(text) {
		var w, i int
		_, err := fmt.Sscanf(line, "%d %d\n", &w, &i)
		require.NoError(t, err)
		require.Equal(t, next[w], i, "writer %d", w)
		next[w]++
	}
	require.Len(t, next, 8)
	for w := range next {
		require.Equal(t, 500, next[w])
	}
}

// BenchmarkLine compares a line that waits with one that does not; the output
// is a pipe, as a server's usually is.
func BenchmarkLine(b *testing.B) {
	line := []byte(strings.Repeat("x", 250) + "\n")
	for name, choose := range map[string]func(*Buffer) io.Writer{"lazy": (*Buffer).Lazy, "prompt": (*Buffer).Prompt} {
		b.Run(name, func(b *testing.B) {
			read, write, err := os.Pipe()
			require.NoError(b, err)
			drained := make(chan struct{})
			go func() { defer close(drained); _, _ = io.Copy(io.Discard, read) }()
			buffer := New(write)
			to := choose(buffer)
			for b.Loop() {
				_, _ = to.Write(line)
			}
			buffer.Close()
			write.Close()
			<-drained
		})
	}
}
