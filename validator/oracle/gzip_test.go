package oracle

import (
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func zipped(t *testing.T, data []byte, level int) []byte {
	t.Helper()
	var stream bytes.Buffer
	w, err := gzip.NewWriterLevel(&stream, level)
	require.NoError(t, err)
	_, err = w.Write(data)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return stream.Bytes()
}

func TestEveryWayToPackTheSameBytesIsRight(t *testing.T) {
	data := bytes.Repeat([]byte("otter and panda "), 100)
	half := len(data) / 2
	for name, stream := range map[string][]byte{
		"stored": zipped(t, data, gzip.NoCompression), "small": zipped(t, data, gzip.BestCompression),
		"two members": slices.Concat(zipped(t, data[:half], 1), zipped(t, data[half:], 9)),
	} {
		got, err := Unzip(stream, len(data))
		require.NoError(t, err, name)
		require.Equal(t, data, got, name)
	}
	got, err := Unzip(zipped(t, nil, 1), 0)
	require.NoError(t, err)
	require.Empty(t, got)
}

func TestWhatIsNoWholeGzipStreamIsRefused(t *testing.T) {
	data := []byte("some bytes that are packed")
	stream := zipped(t, data, gzip.BestCompression)
	broken := slices.Clone(stream)
	broken[len(broken)-6] ^= 1 // of the checksum
	for name, bad := range map[string][]byte{
		"nothing": nil, "the bytes themselves": data, "half": stream[:len(stream)/2], "without its last byte": stream[:len(stream)-1],
		"a wrong checksum": broken, "something after the end": append(slices.Clone(stream), 'x'),
	} {
		_, err := Unzip(bad, len(data))
		require.ErrorIs(t, err, ErrGzip, name)
	}
}

func TestABombIsNotUnpackedBeyondTheRightSize(t *testing.T) {
	_, err := Unzip(zipped(t, make([]byte, 64<<20), gzip.BestSpeed), 100)
	require.ErrorIs(t, err, ErrGzip)
	require.ErrorContains(t, err, "more than 100 B inside")
}

func TestStreamsOfASecondLanguageUnpackToWhatTheOracleComputes(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 9))
	before, chains, bodies := []string{""}, []string{"gzip"}, [][]byte{[]byte("otter")}
	for range 50 {
		body := make([]byte, r.IntN(3000))
		chain := Draw(r, "silver", int64(len(body)))
		before, chains, bodies = append(before, chain), append(chains, chain+",gzip"), append(bodies, body)
	}
	for i, answer := range askPython(t, chains, bodies) {
		stream, err := hex.DecodeString(answer)
		require.NoError(t, err, "%s: %s", chains[i], answer)
		want := bodies[i]
		if before[i] != "" {
			want, err = Apply(before[i], bodies[i])
			require.NoError(t, err)
		}
		got, err := Unzip(stream, len(want))
		require.NoError(t, err, chains[i])
		require.True(t, bytes.Equal(want, got), chains[i])
	}
}
