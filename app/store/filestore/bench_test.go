package filestore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

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
