package filestore

import (
	"bytes"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"bogops/app/store"
)

func opened(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(dir)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// noise returns n bytes that are the same for the same seed.
func noise(seed uint64, n int) []byte {
	var key [32]byte
	key[0], key[1] = byte(seed), byte(seed>>8)
	data := make([]byte, n)
	_, _ = rand.NewChaCha8(key).Read(data) // never fails
	return data
}

func put(t *testing.T, s *Store, key string, data []byte) store.Info {
	t.Helper()
	info, err := s.Put(t.Context(), key, bytes.NewReader(data), store.PutOptions{Size: int64(len(data))})
	require.NoError(t, err)
	return info
}

func read(s *Store, t *testing.T, key string, rng store.Range) ([]byte, error) {
	t.Helper()
	r, _, err := s.Get(t.Context(), key, rng)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

func TestEveryRangeAcrossBlocksReadsTheBytesThatWereWritten(t *testing.T) {
	s := opened(t, t.TempDir())
	for _, size := range []int{0, 1, blockLen - 1, blockLen, blockLen + 1, 3*blockLen - 1, 3 * blockLen, 3*blockLen + 7} {
		data := noise(uint64(size), size)
		put(t, s, "k", data)
		for _, from := range []int{0, 1, blockLen - 1, blockLen, blockLen + 1, 2 * blockLen, size - 1, size, size + 1} {
			for _, length := range []int{-1, 0, 1, 2, blockLen, blockLen + 2, size} {
				if from < 0 {
					continue
				}
				rng := store.Range{Offset: int64(from), Length: int64(length)}
				lo, hi := rng.Clip(int64(size))
				got, err := read(s, t, "k", rng)
				require.NoError(t, err)
				require.True(t, bytes.Equal(data[lo:hi], got), "size %d, range %+v", size, rng)
			}
		}
	}
}
