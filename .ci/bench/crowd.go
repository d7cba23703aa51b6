package main

import (
	"context"
	"errors"
	"os"
	"runtime/pprof"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"
)

// pace is what a crowd of clients got done.
type pace struct {
	done    int64   // those with a number below have been done
	count   float64 // how many in all
	seconds float64
	mean    float64 // seconds that one took
	cpu     time.Duration
}

// figures are MiB and how many a second, the mean in milliseconds, and the
// client's own processor time for one, in microseconds.
func (p pace) figures(size int) []float64 {
	rate := p.count / p.seconds
	return []float64{rate * float64(size) / (1 << 20), rate, 1000 * p.mean, float64(p.cpu.Microseconds()) / p.count}
}

// crowd has so many clients in this process do one thing after the other for as
// long as given. What was begun is done, and the time counts until then, as
// rados bench counts it.
func crowd(ctx context.Context, clients int, long time.Duration, do func(ctx context.Context, n int64) error) (pace, error) {
	var next atomic.Int64
	var took atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	before, err := ownCPU()
	if err != nil {
		return pace{}, err
	}
	began := time.Now()
	for range clients {
		group.Go(func() error {
			for time.Since(began) < long {
				started := time.Now()
				if err := do(ctx, next.Add(1)-1); err != nil {
					return err
				}
				took.Add(int64(time.Since(started)))
			}
			return nil
		})
	}
	err = group.Wait()
	elapsed := time.Since(began)
	after, failed := ownCPU()
	if err := errors.Join(err, failed); err != nil {
		return pace{}, err
	}
	count := next.Load()
	return pace{done: count, count: float64(count), seconds: elapsed.Seconds(),
		mean: time.Duration(took.Load()).Seconds() / float64(count), cpu: after - before}, nil
}

// ownCPU is the processor time of this process so far.
func ownCPU() (time.Duration, error) {
	var used unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &used); err != nil {
		return 0, err
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano()), nil
}

// profiled writes a CPU profile of this process while do runs.
func profiled(path string, do func() error) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		return errors.Join(err, file.Close())
	}
	err = do()
	pprof.StopCPUProfile()
	return errors.Join(err, file.Close())
}
