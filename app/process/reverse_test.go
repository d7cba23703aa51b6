package process

import (
	"bytes"
	"context"
	"io"
	"slices"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestReverseYieldsTheLastByteFirstWhereverItHoldsItsInput(t *testing.T) {
	for _, size := range []int{0, 1, onHeap - 1, onHeap, onHeap + 1, 3*onHeap + 7} {
		in := make([]byte, size)
		for i := range in {
			in[i] = byte(i) ^ byte(i>>8)
		}
		want := slices.Clone(in)
		slices.Reverse(want)
		out, err := io.ReadAll(iotest.HalfReader(reverse(t.Context(), bytes.NewReader(in), int64(size))))
		require.NoError(t, err)
		require.True(t, bytes.Equal(want, out), "%d bytes", size)
	}
}

func TestReverseGivesItsMemoryBackWithTheLastByte(t *testing.T) {
	const size = onHeap + 1
	b := reverse(t.Context(), bytes.NewReader(make([]byte, size)), size).(*backwards)
	_, err := io.ReadFull(b, make([]byte, size-1))
	require.NoError(t, err)
	require.NotNil(t, b.held)
	_, err = io.ReadFull(b, make([]byte, 1))
	require.NoError(t, err)
	require.Nil(t, b.held)
	for range 2 {
		_, err = b.Read(make([]byte, 1))
		require.ErrorIs(t, err, io.EOF)
	}
}

func TestReverseOfAnInputThatEndsEarlyFailsAndHoldsNothing(t *testing.T) {
	const size = onHeap + 1
	b := reverse(t.Context(), bytes.NewReader(make([]byte, size-1)), size).(*backwards)
	for range 2 {
		_, err := b.Read(make([]byte, 1))
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		require.Nil(t, b.held)
	}
	b = reverse(t.Context(), bytes.NewReader(nil), size).(*backwards)
	_, err := b.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
}

func TestReverseGivesItsMemoryBackWhenNobodyReadsToTheEnd(t *testing.T) {
	const size = onHeap + 1
	ctx, cancel := context.WithCancel(t.Context())
	b := reverse(ctx, bytes.NewReader(make([]byte, size)), size).(*backwards)
	_, err := io.ReadFull(b, make([]byte, 10))
	require.NoError(t, err)
	cancel()
	require.Eventually(t, func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.held == nil
	}, time.Minute, time.Millisecond)
	_, err = b.Read(make([]byte, 10))
	require.ErrorIs(t, err, context.Canceled)
}
