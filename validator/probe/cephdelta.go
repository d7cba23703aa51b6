package probe

import (
	"context"
	"fmt"
	"time"

	"bogops/validator/ceph"
	"bogops/validator/verdict"
)

// DefaultSettling is how long a pool's statistics may take to show a write.
const DefaultSettling = 25 * time.Second

// deltaBytes is what is put at once to see the pool grow, and deltaShare the
// least part of it that must show: monitors round.
const (
	deltaBytes = 8 << 20
	deltaShare = 0.9
)

// cephDelta compares what the monitors say of the pool before and after a PUT.
// It is tolerant to whoever else writes or deletes: it wants the largest rise
// between any two looks, not the sum. Others that write make it easier, which
// is why it proves nothing by itself and is a bonus; others that delete in the
// same moment may hide it, and then nothing is concluded.
func cephDelta(ctx context.Context, s *Session) (string, error) {
	cluster := s.ceph()
	pool, err := s.provenPool(ctx)
	if err != nil {
		return "", err
	}
	var seen growth
	if err := s.look(ctx, cluster, pool, &seen); err != nil {
		return "", err
	}
	if err := s.Store(ctx, s.Key(s.Word(12)), s.Bytes(deltaBytes)); err != nil {
		return "", err
	}
	for begin := time.Now(); time.Since(begin) < s.Env.Settling; {
		if err := s.look(ctx, cluster, pool, &seen); err != nil {
			return "", err
		}
		if float64(seen.rise) >= deltaShare*deltaBytes {
			s.note("growth", seen.all)
			return fmt.Sprintf("pool %s grew by %.1f MiB when %s were put", pool, float64(seen.rise)/(1<<20), size(deltaBytes)), nil
		}
		pause(ctx, s.Env.Settling/25)
	}
	s.note("growth", seen.all)
	got, want := fmt.Sprintf("a rise of %d bytes at most", seen.rise), fmt.Sprintf("about %d within %s", deltaBytes, s.Env.Settling)
	if seen.fell {
		return "", verdict.New(verdict.NotChecked, "The pool shrank meanwhile: somebody else deletes", got, want)
	}
	return "", verdict.New(verdict.Unproven, "The pool does not grow by what is put", got, want)
}

func (s *Session) look(ctx context.Context, cluster *ceph.Cluster, pool string, seen *growth) error {
	stored, _, err := cluster.Stored(ctx, pool)
	if err != nil {
		return ceph.Settle(ctx, s.Target, err, "the size of pool "+pool)
	}
	seen.add(stored)
	return nil
}

// growth is a series of sizes, and its largest rise from any moment to any
// later one.
type growth struct {
	all  []int64
	low  int64
	rise int64
	fell bool
}

func (g *growth) add(size int64) {
	if n := len(g.all); n == 0 {
		g.low = size
	} else {
		g.fell = g.fell || size < g.all[n-1]
	}
	g.all = append(g.all, size)
	g.low = min(g.low, size)
	g.rise = max(g.rise, size-g.low)
}
