//go:build ceph

package radosstore

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/app/store"
	"bogops/app/store/versioned"
)

// TestMeasure prints what the store does beside `rados bench` on the same pool
// with as many clients, three rounds of each in turn. It judges nothing: figures
// depend on the machine.
func TestMeasure(t *testing.T) {
	if os.Getenv("BOGOPS_MEASURE") == "" {
		t.Skip("a measurement, not a test: BOGOPS_MEASURE=1 runs it")
	}
	home := realHome(t, namespace(t))
	s := versioned.Alone(home, versioned.Options{})
	for _, m := range []struct{ size, clients, benchSize int }{{4 << 10, 16, 4 << 10}, {64 << 20, 4, 4 << 20}} {
		body := pattern(m.size)
		for round := range 3 {
			put := measure(t, m.clients, func(ctx context.Context, n int64) error {
				_, err := s.Put(ctx, fmt.Sprintf("b/%d/%d/%d", m.size, round, n), bytes.NewReader(body), store.PutOptions{Size: int64(m.size)})
				return err
			})
			stored := int64(put) // fewer than were stored
			get := measure(t, m.clients, func(ctx context.Context, n int64) error {
				r, _, err := s.Get(ctx, fmt.Sprintf("b/%d/%d/%d", m.size, round, n%stored), store.Whole)
				if err != nil {
					return err
				}
				defer r.Close()
				_, err = io.Copy(io.Discard, r)
				return err
			})
			benchPut := radosBench(t, home, "write", "-b", fmt.Sprint(m.benchSize), "-t", "16", "--no-cleanup")
			benchGet := radosBench(t, home, "rand", "-t", "16")
			mib := float64(m.size) / (1 << 20) / span.Seconds()
			t.Logf("%d bytes: PUT %.2f MiB/s, %.2f x rados bench; GET %.1f MiB/s, %.2f x", m.size,
				put*mib, put*mib/benchPut, get*mib, get*mib/benchGet)
		}
	}
}

// span is how long each is measured.
const span = 3 * time.Second

// radosBench returns the MiB per second of `rados bench` (which says MB).
func radosBench(t *testing.T, home *Home, args ...string) float64 {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "rados", append([]string{"-c", home.cfg.Conf, "-n", "client.objects", "-k", home.cfg.KeyFile,
		"-p", home.cfg.Pool, "-N", home.cfg.Namespace, "bench", fmt.Sprint(int(span.Seconds()))}, args...)...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	found := regexp.MustCompile(`Bandwidth \(MB/sec\): +([0-9.]+)`).FindSubmatch(out)
	require.NotNil(t, found, "%s", out)
	rate, err := strconv.ParseFloat(string(found[1]), 64)
	require.NoError(t, err)
	return rate
}

// measure returns how often clients did something within span; what was begun
// is done and counts as the part of it that lay within.
func measure(t *testing.T, clients int, do func(context.Context, int64) error) float64 {
	t.Helper()
	var next, done atomic.Int64
	var wait sync.WaitGroup
	began := time.Now()
	for range clients {
		wait.Go(func() {
			for time.Since(began) < span {
				if err := do(context.Background(), next.Add(1)-1); err != nil {
					t.Error(err)
					return
				}
				done.Add(1)
			}
		})
	}
	wait.Wait()
	require.Positive(t, done.Load())
	return float64(done.Load()) * span.Seconds() / time.Since(began).Seconds()
}
