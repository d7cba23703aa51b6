package s3store

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"bogops/app/store"
	"bogops/app/store/versioned"
	"bogops/infra/s3"
)

func TestAnAreaSaysWhichS3ObjectEndsWithTheBytes(t *testing.T) {
	opts := at(s3.StartMoto(t))
	away, err := NewAway(t.Context(), opts)
	require.NoError(t, err)
	defer away.Close()
	// The bucket, as a stranger sees it.
	raw, err := Open(t.Context(), opts)
	require.NoError(t, err)
	defer raw.Close()
	area := away.Area(3)
	locator := area.(store.Locator)
	_, err = locator.Locate(t.Context(), "k")
	require.ErrorIs(t, err, store.ErrNotFound)
	for n, size := range []int{0, 5, 9 << 20} {
		body := bytes.Repeat([]byte{byte(n + 1)}, size)
		base, err := area.Head(t.Context(), "k")
		require.NoError(t, err)
		draft, err := area.Stage(t.Context(), "k", bytes.NewReader(body), store.PutOptions{Size: int64(size)})
		require.NoError(t, err)
		next := versioned.Head{Version: versioned.Version{Epoch: 3, Generation: uint64(n + 1), Nonce: [16]byte{byte(n + 1)}}}
		_, err = draft.Commit(t.Context(), base, next)
		require.NoError(t, err)
		draft.Discard()
		where, err := locator.Locate(t.Context(), "k")
		require.NoError(t, err)
		require.Equal(t, "s3", where.Kind)
		require.EqualValues(t, size, where.Size)
		require.Equal(t, next.Version.ETag(), where.ETag)
		require.Equal(t, opts.Bucket, where.Bucket)
		r, info, err := raw.Get(t.Context(), where.Object, store.Whole)
		require.NoError(t, err)
		var there bytes.Buffer
		_, err = there.ReadFrom(r)
		require.NoError(t, err)
		r.Close()
		require.EqualValues(t, there.Len(), info.Size)
		require.True(t, bytes.HasSuffix(there.Bytes(), body), "other bytes lie there")
	}
}
