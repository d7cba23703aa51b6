//go:build ceph

package radosstore

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestThePoolInMemoryAnswersAsTheRealOneDoes is what lets the other tests prove
// things over memory: whatever is done to both, both answer alike, and hold the
// same.
func TestThePoolInMemoryAnswersAsTheRealOneDoes(t *testing.T) {
	real := realHome(t, namespace(t)).pool
	memory := &memView{memPool: newMemPool()}
	ctx := t.Context()
	var run atomic.Int64
	few := rapid.SampledFrom([]string{"a", "a\x01b", "a/b", "é", "b"})
	bytesOf := rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 2}), 1, 3)
	flags := rapid.Bool()
	rapid.Check(t, func(rt *rapid.T) {
		name := fmt.Sprint("o", run.Add(1))
		both := func(rt *rapid.T, what string, do func(p pool) (string, error)) {
			is, isErr := do(memory)
			want, wantErr := do(real)
			for _, kind := range []error{nil, errMissing, errGuard} {
				if errors.Is(isErr, kind) != errors.Is(wantErr, kind) {
					rt.Fatalf("%s: memory answers %v, the cluster %v", what, isErr, wantErr)
				}
			}
			require.Equal(rt, want, is, what)
		}
		for range rapid.IntRange(1, 6).Draw(rt, "steps") {
			var c change
			c.create = rapid.IntRange(0, 9).Draw(rt, "create") == 0
			if flags.Draw(rt, "guarded") {
				c.guard = bytesOf.Draw(rt, "guard")
			}
			switch rapid.SampledFrom([]string{"full", "patch", "omap", "omap", "omap", "remove"}).Draw(rt, "what") {
			case "full":
				c.full = [][]byte{bytesOf.Draw(rt, "full"), nil, bytesOf.Draw(rt, "more")}
			case "patch":
				c.patch = bytesOf.Draw(rt, "patch")
			case "omap":
				if flags.Draw(rt, "set") {
					c.set = rapid.MapOfN(few, bytesOf, 1, 3).Draw(rt, "entries")
				}
				if flags.Draw(rt, "drop") || c.set == nil {
					c.drop = []string{few.Draw(rt, "dropped")}
					delete(c.set, c.drop[0])
				}
			case "remove":
				c.remove, c.create = true, false
			}
			both(rt, fmt.Sprintf("%+v", c), func(p pool) (string, error) { return "", p.change(ctx, name, c) })
			both(rt, "read", func(p pool) (string, error) {
				b := make([]byte, 10)
				n, err := p.read(ctx, name, b, 1)
				return string(b[:n]), err
			})
			both(rt, "size", func(p pool) (string, error) {
				n, err := p.size(ctx, name)
				return fmt.Sprint(n), err
			})
			after, prefix := few.Draw(rt, "after"), rapid.SampledFrom([]string{"", "a", "a/"}).Draw(rt, "prefix")
			limit := rapid.IntRange(1, 4).Draw(rt, "limit")
			both(rt, "entries", func(p pool) (string, error) {
				page, more, err := p.entries(ctx, name, after, prefix, limit)
				return fmt.Sprint(page, more), err
			})
		}
	})
}
