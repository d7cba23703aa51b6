package process

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

// applyGzip applies a chain that ends in gzip and decompresses what it makes.
func applyGzip(t require.TestingT, raw string, in []byte) []byte {
	chain := parse(t, raw)
	size, err := chain.Plan(int64(len(in)), 1<<40)
	require.NoError(t, err)
	require.EqualValues(t, Unknown, size)
	require.Equal(t, "application/gzip", chain.MediaType())
	packed, err := gzip.NewReader(chain.Apply(context.Background(), bytes.NewReader(in), int64(len(in))))
	require.NoError(t, err)
	out, err := io.ReadAll(packed)
	require.NoError(t, err)
	return out
}

func TestGzipOfAnythingDecompressesToIt(t *testing.T) {
	noise := make([]byte, 300_001)
	_, _ = rand.Read(noise)
	for _, in := range [][]byte{nil, []byte("x"), bytes.Repeat([]byte("abc"), 100_000), noise, noise[:32<<10], noise[:32<<10+1]} {
		require.True(t, bytes.Equal(in, applyGzip(t, "gzip", in)), "%d bytes", len(in))
	}
	require.Equal(t, "OTTER", string(applyGzip(t, "upper,gzip", []byte("otter"))))
}

// A gzip stream without its trailer is known to be cut; one with it would be
// the proof of half an object.
func TestAGzipStreamOfAnObjectThatEndsEarlyNeverDecompressesWhole(t *testing.T) {
	chain := parse(t, "gzip")
	packed, err := io.ReadAll(chain.Apply(t.Context(), strings.NewReader("short"), 6))
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	if unzip, err := gzip.NewReader(bytes.NewReader(packed)); err == nil {
		_, err = io.ReadAll(unzip)
		require.Error(t, err)
	}
}

func TestGzipHoldsWhatItSays(t *testing.T) {
	chain := parse(t, "gzip")
	for _, size := range []int64{0, 1, 8 << 20} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := io.Copy(io.Discard, chain.Apply(t.Context(), zeros{}, size))
		runtime.ReadMemStats(&after)
		require.NoError(t, err)
		require.LessOrEqual(t, int64(after.TotalAlloc-before.TotalAlloc), chain.Holds(size)+256<<10, "%d bytes", size)
	}
}

func TestXORTwiceIsNothingAndItsNonceGoesOnWhereAReadEnds(t *testing.T) {
	in := bytes.Repeat([]byte("\x00\xffotter"), 5000)
	for _, nonce := range []string{"n", "abc", "0123456", strings.Repeat("x_-9", 16)} {
		require.True(t, bytes.Equal(in, apply(t, "xor:"+nonce+",xor:"+nonce, in)), nonce)
		for at, got := range apply(t, "xor:"+nonce, in) {
			require.Equal(t, in[at]^nonce[at%len(nonce)], got, "%s at byte %d", nonce, at)
		}
	}
	chain := parse(t, "xor:abc")
	slow := chain.Apply(t.Context(), iotest.OneByteReader(bytes.NewReader(in)), int64(len(in)))
	got, err := io.ReadAll(slow)
	require.NoError(t, err)
	require.True(t, bytes.Equal(apply(t, "xor:abc", in), got))
}

func TestAChainEndsWithItsContext(t *testing.T) {
	for _, raw := range append(everyStep[:], "sha256,stretch:n:100000,stretch:n:100000") {
		ctx, cancel := context.WithCancel(t.Context())
		// The request is abandoned while the object is being read.
		in := io.MultiReader(strings.NewReader("some bytes"), readFunc(func(p []byte) (int, error) {
			cancel()
			return zeros{}.Read(p[:1])
		}))
		_, err := io.Copy(io.Discard, parse(t, raw).Apply(ctx, in, 4<<20))
		require.ErrorIs(t, err, context.Canceled, raw)
	}
}

func TestStretchDoesNotBeginOnceItsContextHasEnded(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	in := readFunc(func(p []byte) (int, error) {
		cancel() // with the last byte, after which nothing is read
		p[0] = 'x'
		return 1, io.EOF
	})
	_, err := io.ReadAll(parse(t, "stretch:n:100000").Apply(ctx, in, 1))
	require.ErrorIs(t, err, context.Canceled)
}

type readFunc func([]byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }
