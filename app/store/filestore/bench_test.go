package filestore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"bogops/app/store"
)

// benchDir is a new directory. FILESTORE_BENCH_DIR says where, and keeps it:
// on ext4 what is created after a mass of deletes takes up to ten times as
// long, so that rounds of a comparison must not clean up between them.
func benchDir(b *testing.B) string {
	parent := os.Getenv("FILESTORE_BENCH_DIR")
	if parent == "" {
		return b.TempDir()
	}
	dir, err := os.MkdirTemp(parent, "bench")
	if err != nil {
		b.Fatal(err)
	}
	return dir
}

// 64 clients whatever the machine; the ceiling to compare with is create and
// fdatasync of as many files on the same disk.
func BenchmarkPut4KiBDurableBy64Clients(b *testing.B) {
	s, err := Open(benchDir(b))
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	data := noise(1, 4096)
	var n atomic.Int64
	b.SetBytes(4096)
	b.SetParallelism(32)
	defer cpu(b)()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			key := fmt.Sprint("bench/", n.Add(1))
			if _, err := s.Put(context.Background(), key, bytes.NewReader(data), store.PutOptions{Size: 4096}); err != nil {
				b.Error(err)
			}
		}
	})
}

func BenchmarkGet(b *testing.B) {
	for _, size := range []int{4 << 10, 1 << 20} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			s, err := Open(benchDir(b))
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			if _, err := s.Put(b.Context(), "k", bytes.NewReader(noise(1, size)), store.PutOptions{Size: int64(size)}); err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(size))
			b.ReportAllocs()
			defer cpu(b)()
			for b.Loop() {
				r, _, err := s.Get(b.Context(), "k", store.Whole)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := io.Copy(io.Discard, r); err != nil {
					b.Fatal(err)
				}
				r.Close()
			}
		})
	}
}

// What the disk gives at best to one file per object: create and sync, no
// name made durable.
func BenchmarkCeilingCreateAndSync4KiBBy64Clients(b *testing.B) {
	dir, data := benchDir(b), noise(1, 4096)
	var n atomic.Int64
	b.SetBytes(4096)
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			file, err := os.Create(filepath.Join(dir, fmt.Sprint(n.Add(1))))
			if err == nil {
				_, err = file.Write(data)
			}
			if err = errors.Join(err, syncData(file), file.Close()); err != nil {
				b.Error(err)
			}
		}
	})
}

// cpu reports the processor's time for each operation beside the clock's: on
// a machine that others use too, ratios of it are steadier. Call it at the end.
func cpu(b *testing.B) func() {
	spent := func() int64 {
		var used unix.Rusage
		_ = unix.Getrusage(unix.RUSAGE_SELF, &used) // cannot fail
		return used.Utime.Nano() + used.Stime.Nano()
	}
	from := spent()
	return func() { b.ReportMetric(float64(spent()-from)/float64(b.N), "cpu-ns/op") }
}

// benchStore holds 100,000 objects of 4 KiB each. FILESTORE_BENCH_STORE keeps
// it from one run to the next.
func benchStore(b *testing.B) *Store {
	const objects = 100_000
	dir := os.Getenv("FILESTORE_BENCH_STORE")
	if dir == "" {
		dir = benchDir(b)
	}
	s, err := Open(dir)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	key := func(i int) string { return fmt.Sprintf("bench/%02d/object-%06d", i%100, i) }
	if _, err := s.Stat(b.Context(), key(objects-1)); err == nil {
		return s
	}
	s.disk.syncData, s.disk.syncDir = func(*os.File) error { return nil }, func(*os.File) error { return nil }
	data := noise(1, 4096)
	for i := range objects {
		if err := putError(s, key(i), data); err != nil {
			b.Fatal(err)
		}
	}
	unix.Sync()
	s.disk = realDisk()
	return s
}

// A page of 1,000 out of 100,000, to be compared with BenchmarkGet/4096: cold is
// the first one of a process, next a page that was not listed before, warm the
// same page again, written while another goroutine puts as fast as it can.
func BenchmarkList1000Of100000(b *testing.B) {
	s := benchStore(b)
	page := func(b *testing.B, after string) string {
		page, err := s.List(b.Context(), store.ListOptions{After: after, Limit: 1000})
		if err != nil || len(page.Objects) != 1000 {
			b.Fatal(len(page.Objects), err)
		}
		return page.Last()
	}
	forget := func() {
		s.infos = infoCache{}
	}
	b.Run("cold", func(b *testing.B) {
		defer cpu(b)()
		for b.Loop() {
			forget()
			for i := range s.shards {
				if shard := s.shards[i].Load(); shard != nil {
					shard.kept.Store(nil)
				}
			}
			s.names.bytes.Store(0)
			page(b, "")
		}
	})
	b.Run("next", func(b *testing.B) {
		defer cpu(b)()
		after, pages := "", 0
		for b.Loop() {
			if pages++; pages == 90 {
				b.StopTimer()
				forget()
				after, pages = "", 0
				b.StartTimer()
			}
			after = page(b, after)
		}
	})
	b.Run("warm", func(b *testing.B) {
		page(b, "")
		defer cpu(b)()
		for b.Loop() {
			page(b, "")
		}
	})
	b.Run("written", func(b *testing.B) {
		ctx, cancel := context.WithCancel(b.Context())
		var writer sync.WaitGroup
		writer.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				_ = putError(s, fmt.Sprint("zz/", i%1000), []byte("x"))
			}
		})
		for b.Loop() {
			page(b, "")
		}
		cancel()
		writer.Wait()
	})
}
