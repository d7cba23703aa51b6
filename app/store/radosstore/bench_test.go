//go:build ceph

package radosstore

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/app/store"
	"bogops/app/store/versioned"
)

// TestMeasure prints what the store does beside `rados bench` on the same pool
// with as many clients. It judges nothing: figures depend on the machine.
func TestMeasure(t *testing.T) {
	if os.Getenv("BOGOPS_MEASURE") == "" {
		t.Skip("a measurement, not a test: BOGOPS_MEASURE=1 runs it")
	}
	home := realHome(t, namespace(t))
	s := versioned.Alone(home, versioned.Options{})
	const clients = 16
	for _, size := range []int{4 << 10, 64 << 20} {
		body := pattern(size)
		span, clients := 3*time.Second, clients
		if size > chunkSize {
			clients = 4
		}
		var count, sum atomic.Int64
		put := measure(t, clients, span, func(ctx context.Context, n int64) error {
			_, err := s.Put(ctx, fmt.Sprintf("b/%d/%d", size, n), bytes.NewReader(body), store.PutOptions{Size: int64(size)})
			count.Add(1)
			return err
		})
		stored := count.Load()
		get := measure(t, clients, span, func(ctx context.Context, n int64) error {
			r, _, err := s.Get(ctx, fmt.Sprintf("b/%d/%d", size, n%stored), store.Whole)
			if err != nil {
				return err
			}
			defer r.Close()
			got, err := io.Copy(io.Discard, r)
			sum.Add(got)
			return err
		})
		t.Logf("%d bytes, %d clients: PUT %.1f/s %.1f MiB/s, GET %.1f/s %.1f MiB/s", size, clients,
			put, put*float64(size)/(1<<20), get, get*float64(size)/(1<<20))
	}
}

func measure(t *testing.T, clients int, span time.Duration, do func(context.Context, int64) error) float64 {
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
	return float64(done.Load()) / time.Since(began).Seconds()
}
