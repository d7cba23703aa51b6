package content

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var maker = New([]byte("seed"), "run")

func TestAnyPartEqualsThatPartOfTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := Object{"key", rapid.Uint64Range(1, 5).Draw(t, "version"), rapid.Int64Range(0, 100_000).Draw(t, "size")}
		offset := rapid.Int64Range(0, o.Size+10).Draw(t, "offset")
		length := rapid.Int64Range(0, o.Size+10).Draw(t, "length")
		whole := maker.Bytes(o)
		from := min(offset, o.Size)
		require.Equal(t, whole[from:min(o.Size, from+length)], maker.Part(o, offset, length))
	})
}

func TestTheReaderYieldsTheWholeObjectInPiecesOfAnySize(t *testing.T) {
	o := Object{"key", 3, 70_001}
	got, err := io.ReadAll(iotest.OneByteReader(maker.Reader(o)))
	require.NoError(t, err)
	require.Equal(t, maker.Bytes(o), got)
}

func TestTheCounterCarriesOver64Bits(t *testing.T) {
	iv := bytes.Repeat([]byte{0xff}, 16)
	iv[0] = 1
	require.Equal(t, append([]byte{2}, make([]byte, 15)...), counterAt(iv, 1))
}

func TestTheSameKeyDiffersByVersionSeedAndRun(t *testing.T) {
	o := Object{"key", 1, 200}
	base := maker.Bytes(o)[HeaderSize:]
	for _, other := range [][]byte{
		maker.Bytes(Object{"key", 2, 200}),
		maker.Bytes(Object{"kez", 1, 200}),
		New([]byte("other"), "run").Bytes(o),
		New([]byte("seed"), "other").Bytes(o),
	} {
		require.NotEqual(t, base, other[HeaderSize:])
	}
}

func TestABodyIsRecognisedForWhatItIs(t *testing.T) {
	now, old := Object{"key", 7, 100_000}, Object{"key", 3, 90_000}
	whole := maker.Bytes(now)
	flipped := func(at int) []byte {
		b := bytes.Clone(whole)
		b[at] ^= 1
		return b
	}
	forged := bytes.Clone(whole[:500])
	header := maker.header(hashKey("key"), 7, 100_000)
	copy(forged, header[:])
	forged[46], forged[47] = 500>>8, 500&255
	for _, c := range []struct {
		name string
		body []byte
		kind Kind
		at   int64
	}{
		{"the version wanted", whole, Whole, 0},
		{"an older version", maker.Bytes(old), Whole, 0},
		{"one bit flipped far in", flipped(99_999), Garbage, 99_999},
		{"one bit flipped in the header", flipped(50), Garbage, 50},
		{"cut after the header", whole[:5000], Truncated, 5000},
		{"cut in the header", whole[:30], Truncated, 30},
		{"cut at the header", whole[:HeaderSize], Truncated, HeaderSize},
		{"nothing at all", nil, Truncated, 0},
		{"one byte more", append(bytes.Clone(whole), 0), Extended, 100_000},
		{"another key's object", maker.Bytes(Object{"other", 7, 100_000}), OtherKey, 0},
		{"zeros", make([]byte, 100_000), Garbage, 0},
		{"another run's object", New([]byte("seed"), "yesterday").Bytes(now), Garbage, 8},
		{"cut, with a shorter length written in", forged, Garbage, 46},
		{"half old, half new", append(bytes.Clone(whole[:50_000]), maker.Bytes(old)[50_000:]...), Garbage, 50_000},
	} {
		found, err := maker.Identify("key", []Object{{Key: "key"}, now}, iotest.HalfReader(bytes.NewReader(c.body)))
		require.NoError(t, err, c.name)
		require.Equal(t, c.kind, found.Kind, c.name)
		require.InDelta(t, c.at, found.At, 1, c.name) // a forged length may differ in either of its bytes
		require.NotEmpty(t, found.String())
	}
	found, err := maker.Identify("key", []Object{now}, bytes.NewReader(maker.Bytes(old)))
	require.NoError(t, err)
	require.Equal(t, old, found.Object)
}

func TestAnObjectTooShortForAHeaderIsToldFromItsOtherVersions(t *testing.T) {
	for size := range int64(HeaderSize + 2) {
		versions := []Object{{"key", 1, size}, {"key", 2, size}}
		for _, o := range versions {
			found, err := maker.Identify("key", []Object{o}, bytes.NewReader(maker.Bytes(o)))
			require.NoError(t, err)
			require.Equal(t, Whole, found.Kind, fmt.Sprint(size))
			require.Equal(t, o, found.Object)
		}
	}
}

func TestAConnectionThatBreaksIsAnErrorAndNoFinding(t *testing.T) {
	o := Object{"key", 1, 1000}
	for _, n := range []int64{0, 10, HeaderSize, 500} {
		broken := io.MultiReader(bytes.NewReader(maker.Part(o, 0, n)), iotest.ErrReader(io.ErrUnexpectedEOF))
		_, err := maker.Identify("key", []Object{o}, broken)
		require.ErrorIs(t, err, io.ErrUnexpectedEOF, n)
	}
	_, err := maker.Identify("key", []Object{o}, iotest.ErrReader(errors.New("reset")))
	require.ErrorContains(t, err, "reset")
}

func BenchmarkVerify64KiB(b *testing.B) {
	o := Object{"key", 1, 64 << 10}
	body := maker.Bytes(o)
	b.SetBytes(o.Size)
	for b.Loop() {
		if found, _ := maker.Identify("key", nil, bytes.NewReader(body)); found.Kind != Whole {
			b.Fatal(found)
		}
	}
}
