//go:build ceph

package radosstore

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"bogops/app/store"
	"bogops/app/store/versioned"
)

// endless yields n bytes and keeps none.
type endless struct{ n int64 }

func (e *endless) Read(p []byte) (int, error) {
	if e.n == 0 {
		return 0, io.EOF
	}
	n := min(int64(len(p)), e.n)
	for i := range p[:n] {
		p[i] = byte(e.n) ^ byte(i)
	}
	e.n -= n
	return int(n), nil
}

func TestManyLargeBodiesAtOnceStayWithinTheirMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("moves 384 MiB both ways")
	}
	first := realHome(t, namespace(t))
	cfg := first.cfg
	cfg.Bytes = minBytes
	home, err := Open(cfg)
	require.NoError(t, err)
	defer home.Close()
	waitHealthy(t, home)
	const bodies, size = 6, 64 << 20
	ctx := t.Context()
	before := peakMemory(t)
	all := func(do func(key string) error) {
		var wait sync.WaitGroup
		for n := range bodies {
			wait.Go(func() {
				if err := do(fmt.Sprint(n)); err != nil {
					t.Error(err)
				}
			})
		}
		wait.Wait()
	}
	all(func(key string) error {
		draft, err := home.Stage(ctx, key, &endless{size}, store.PutOptions{Size: size})
		if err != nil {
			return err
		}
		defer draft.Discard()
		_, err = draft.Commit(ctx, versioned.Head{}, nextOf(versioned.Head{}))
		return err
	})
	all(func(key string) error {
		body, _, err := home.Open(ctx, key, store.Whole)
		if err != nil {
			return err
		}
		defer body.Close()
		n, err := io.Copy(io.Discard, body)
		if err == nil && n != size {
			err = fmt.Errorf("%d bytes read, want %d", n, size)
		}
		return err
	})
	grown := readMemory(t, "VmHWM") - before
	t.Logf("%d MiB in memory beside the %d MiB before, for %d MiB of bodies", grown>>20, before>>20, bodies*size>>20)
	require.Zero(t, home.Numbers().Held, "all memory was given back")
	require.Less(t, grown, int64(raceMemory*80<<20))
}

// peakMemory begins to count the peak anew (proc(5): clear_refs) and returns
// what there is now.
func peakMemory(t *testing.T) int64 {
	t.Helper()
	require.NoError(t, os.WriteFile("/proc/self/clear_refs", []byte("5"), 0))
	return readMemory(t, "VmRSS")
}

func readMemory(t *testing.T, field string) int64 {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	require.NoError(t, err)
	lines := bufio.NewScanner(bytes.NewReader(status))
	for lines.Scan() {
		if rest, ok := strings.CutPrefix(lines.Text(), field+":"); ok {
			var kib int64
			_, err := fmt.Sscan(rest, &kib)
			require.NoError(t, err)
			return kib << 10
		}
	}
	t.Fatalf("/proc/self/status has no %s", field)
	return 0
}
