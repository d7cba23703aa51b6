//go:build ceph

package radosstore

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/app/store"
	"bogops/app/store/versioned"
)

// What the index costs a put of 4 KiB by 64 clients: the same heads, with it and
// without it, in turns, and with several numbers of shards.
func BenchmarkAPutOf4KiB(b *testing.B) {
	body := pattern(4 << 10)
	for _, shards := range []int{0, 8, 16, 32, 64, 0, 8, 16, 32, 64} {
		name := fmt.Sprintf("shards=%d", shards)
		if shards == 0 {
			name = "no-index"
		}
		b.Run(name, func(b *testing.B) {
			home := realHome(b, namespace(b))
			if shards > 0 {
				home.index.fresh = shards
			}
			var n atomic.Int64
			crowd(b, 64, func(ctx context.Context) error {
				key := fmt.Sprintf("k/%08d", n.Add(1))
				next := head{Head: nextOf(versioned.Head{})}
				next.Info.Key, next.Info.Size, next.bodySum = key, int64(len(body)), sumOf(body)
				var err error
				if shards == 0 {
					_, err = home.writeHead(ctx, versioned.Head{}, next, body, nil)
				} else {
					_, err = home.replace(ctx, "commit", versioned.Head{}, next, body, nil)
				}
				return err
			})
		})
	}
}

// crowd has so many clients do b.N things in all, and reports how many a second.
func crowd(b *testing.B, clients int, do func(context.Context) error) {
	var left atomic.Int64
	left.Store(int64(b.N))
	var all sync.WaitGroup
	b.ResetTimer()
	for range clients {
		all.Go(func() {
			for left.Add(-1) >= 0 {
				if err := do(b.Context()); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "op/s")
}

// What a page of 1,000 of 10,000 keys costs, by shards.
func BenchmarkAPageOf1000Of10000(b *testing.B) {
	for _, shards := range []int{8, 16, 32, 64} {
		b.Run(fmt.Sprintf("shards=%d", shards), func(b *testing.B) {
			home := realHome(b, namespace(b))
			home.index.fresh = shards
			_, err := home.index.open(b.Context())
			require.NoError(b, err)
			sets := map[int]map[string][]byte{}
			for n := range 10_000 {
				e := entry{key: fmt.Sprintf("k/%08d", n), version: nextOf(versioned.Head{}).Version, settled: true, put: time.Now()}
				e.info = store.Info{Size: 4096, Modified: time.Now(), ContentType: "application/octet-stream", SHA256: make([]byte, 32)}
				at := shardOf(e.key, shards)
				if sets[at] == nil {
					sets[at] = map[string][]byte{}
				}
				sets[at][e.name()] = e.value()
			}
			for at, set := range sets {
				require.NoError(b, home.pool.change(b.Context(), shardName(at), change{set: set}))
			}
			b.ResetTimer()
			for n := range b.N {
				page, err := home.List(b.Context(), store.ListOptions{After: fmt.Sprintf("k/%08d", n*977%9000), Limit: 1000})
				require.NoError(b, err)
				require.Len(b, page.Objects, 1000)
			}
		})
	}
}
