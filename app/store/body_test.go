package store_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"bogops/app/store"
)

func TestVerifyEndsAsTheBodyAndItsAnnouncementSay(t *testing.T) {
	data := []byte("ten bytes!")
	right, wrong := sha256.Sum256(data), sha256.Sum256(nil)
	cut := errors.New("cut")
	for name, try := range map[string]struct {
		opts store.PutOptions
		body io.Reader
		want error
	}{
		"as announced":                 {store.PutOptions{Size: 10}, bytes.NewReader(data), nil},
		"unknown":                      {store.PutOptions{Size: -1}, bytes.NewReader(data), nil},
		"unknown, at its limit":        {store.PutOptions{Size: -1, MaxSize: 10}, bytes.NewReader(data), nil},
		"end together with last bytes": {store.PutOptions{Size: 10}, iotest.DataErrReader(bytes.NewReader(data)), nil},
		"byte by byte":                 {store.PutOptions{Size: 10, SHA256: right[:]}, iotest.OneByteReader(bytes.NewReader(data)), nil},
		"short":                        {store.PutOptions{Size: 11}, bytes.NewReader(data), store.ErrTruncated},
		"short, wrong digest":          {store.PutOptions{Size: 11, SHA256: wrong[:]}, bytes.NewReader(data), store.ErrTruncated},
		"long":                         {store.PutOptions{Size: 9}, bytes.NewReader(data), store.ErrTooLarge},
		"nothing announced":            {store.PutOptions{}, bytes.NewReader(data), store.ErrTooLarge},
		"over the limit":               {store.PutOptions{Size: -1, MaxSize: 9}, bytes.NewReader(data), store.ErrTooLarge},
		"announced over the limit":     {store.PutOptions{Size: 10, MaxSize: 9}, iotest.ErrReader(cut), store.ErrTooLarge},
		"failing":                      {store.PutOptions{Size: 10}, io.MultiReader(bytes.NewReader(data), iotest.ErrReader(cut)), cut},
		"failing is truncated":         {store.PutOptions{Size: -1}, iotest.ErrReader(cut), store.ErrTruncated},
		"an unexpected end":            {store.PutOptions{Size: -1}, iotest.ErrReader(io.ErrUnexpectedEOF), store.ErrTruncated},
		"wrong digest":                 {store.PutOptions{Size: 10, SHA256: wrong[:]}, bytes.NewReader(data), store.ErrDigest},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := io.ReadAll(store.Verify(t.Context(), try.body, try.opts))
			if try.want == nil {
				require.NoError(t, err)
				require.Equal(t, data, got)
				return
			}
			require.ErrorIs(t, err, try.want)
		})
	}
}

func TestVerifyGivesUpWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	r := store.Verify(ctx, iotest.OneByteReader(bytes.NewReader(make([]byte, 10))), store.PutOptions{Size: 10})
	_, err := r.Read(make([]byte, 5))
	require.NoError(t, err)
	cancel()
	_, err = io.ReadAll(r)
	require.ErrorIs(t, err, context.Canceled)
}

func TestARangeIsClippedToTheObject(t *testing.T) {
	const far = 1 << 62
	for rng, want := range map[store.Range][2]int64{
		store.Whole: {0, 10}, {}: {0, 0}, {Offset: 3, Length: 4}: {3, 7}, {Offset: 3, Length: 8}: {3, 10}, {Offset: 10, Length: 1}: {10, 10},
		{Offset: 11, Length: -1}: {10, 10}, {Offset: far, Length: far}: {10, 10}, {Offset: 1, Length: 1<<63 - 1}: {1, 10}, {Offset: -5, Length: 2}: {0, 2},
	} {
		from, to := rng.Clip(10)
		require.Equal(t, want, [2]int64{from, to}, "%+v", rng)
	}
}

func TestConditionsHoldOnlyWhereTheyShould(t *testing.T) {
	for _, try := range []struct {
		opts store.PutOptions
		etag string
		ok   bool
	}{
		{store.PutOptions{}, "", true}, {store.PutOptions{}, `"a"`, true},
		{store.PutOptions{IfAbsent: true}, "", true}, {store.PutOptions{IfAbsent: true}, `"a"`, false},
		{store.PutOptions{IfMatch: `"a"`}, `"a"`, true}, {store.PutOptions{IfMatch: `"b"`}, `"a"`, false}, {store.PutOptions{IfMatch: `"a"`}, "", false},
		{store.PutOptions{IfMatch: `W/"a"`}, `"a"`, false}, {store.PutOptions{IfMatch: "*"}, `"a"`, true}, {store.PutOptions{IfMatch: "*"}, "", false},
		{store.PutOptions{IfAbsent: true, IfMatch: "*"}, `"a"`, false}, {store.PutOptions{IfAbsent: true, IfMatch: "*"}, "", false},
	} {
		err := try.opts.Check(try.etag)
		require.Equal(t, try.ok, err == nil, "%+v on %q", try.opts, try.etag)
		if !try.ok {
			require.ErrorIs(t, err, store.ErrCondition)
		}
	}
}
