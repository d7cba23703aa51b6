//go:build ceph

package radosstore

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/app/store"
	"bogops/app/store/versioned"
)

func nextOf(base versioned.Head) versioned.Head {
	var next versioned.Head
	next.Version = versioned.Version{Epoch: 1, Generation: base.Version.Generation + 1}
	_, _ = rand.Read(next.Version.Nonce[:])
	next.Info.Modified = time.Now()
	next.Info.ContentType = "text/x"
	next.Info.Meta = map[string]string{"b": "2", "a": "\xff"}
	return next
}

func put(ctx context.Context, home *Home, key string, body []byte, base versioned.Head) (versioned.Head, error) {
	draft, err := home.Stage(ctx, key, bytes.NewReader(body), store.PutOptions{Size: int64(len(body))})
	if err != nil {
		return versioned.Head{}, err
	}
	defer draft.Discard()
	return draft.Commit(ctx, base, nextOf(base))
}

func get(ctx context.Context, home *Home, key string, rng store.Range) ([]byte, versioned.Head, error) {
	body, head, err := home.Open(ctx, key, rng)
	if err != nil || body == nil {
		return nil, head, err
	}
	defer body.Close()
	b, err := io.ReadAll(body)
	return b, head, err
}

func pattern(n int) []byte {
	b := make([]byte, n)
	rng := mathrand.NewChaCha8([32]byte{byte(n)})
	_, _ = rng.Read(b)
	return b
}

func TestABodyOfAnySizeComesBackWholeAndInParts(t *testing.T) {
	home := realHome(t, namespace(t))
	ctx := t.Context()
	for _, size := range []int{0, 1, 4 << 10, joined, joined + 1, firstRead + 1000, inlineLimit - 1, inlineLimit, inlineLimit + 1,
		chunkSize - 1, chunkSize, chunkSize + 1, 3*chunkSize + 5} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			key, body := fmt.Sprintf("size/%d", size), pattern(size)
			put, err := put(ctx, home, key, body, versioned.Head{})
			require.NoError(t, err)
			got, head, err := get(ctx, home, key, store.Whole)
			require.NoError(t, err)
			require.True(t, bytes.Equal(body, got), "the bytes of a body of %d", size)
			require.Equal(t, put, head)
			require.Equal(t, int64(size), head.Info.Size)
			sum := sha256.Sum256(body)
			require.Equal(t, sum[:], head.Info.SHA256)
			require.Equal(t, "\xff", head.Info.Meta["a"])
			stat, err := home.Head(ctx, key)
			require.NoError(t, err)
			require.Equal(t, put, stat)
			for _, rng := range ranges(int64(size)) {
				from, to := rng.Clip(int64(size))
				got, _, err := get(ctx, home, key, rng)
				require.NoError(t, err)
				require.True(t, bytes.Equal(body[from:to], got), "the bytes of %v of %d", rng, size)
			}
		})
	}
}

func ranges(size int64) []store.Range {
	var all []store.Range
	for _, r := range [][2]int64{{0, 1}, {1, 5}, {size - 1, -1}, {size / 2, 3}, {chunkSize - 1, 2}, {size, 4}, {5, 0}} {
		all = append(all, store.Range{Offset: r[0], Length: r[1]})
	}
	return all
}
