package s3store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"bogops/app/store"
	"bogops/app/store/versioned"
	infra "bogops/infra/s3"
)

// A head too long for one glance is asked for twice. One that goes home in
// between is no longer there; that the object does not exist is for Ceph to say.
func TestALongHeadThatGoesBetweenTwoGlancesIsNothing(t *testing.T) {
	second := fmt.Sprintf("bytes=0-%d", headFixed+maxHeader-1)
	gone := false
	server := bent(t, infra.StartMoto(t), func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet && r.Header.Get("Range") == second {
				gone = true
				w.WriteHeader(http.StatusNotFound)
				_, _ = io.WriteString(w, "<Error><Code>NoSuchKey</Code></Error>")
				return
			}
			next.ServeHTTP(w, r)
		})
	})
	p := openAway(t, server).Area(1)
	d, err := p.Stage(t.Context(), "k", strings.NewReader("x"), store.PutOptions{Size: 1})
	require.NoError(t, err)
	defer d.Discard()
	_, err = d.Commit(t.Context(), versioned.Head{}, versioned.Head{
		Version: version(1, 1), Info: store.Info{Meta: map[string]string{"long": strings.Repeat("x", headGlance)}},
	})
	require.NoError(t, err)
	head, err := p.Head(t.Context(), "k")
	require.NoError(t, err)
	require.True(t, head.Version.IsZero())
	require.True(t, gone)
}

func refusedBodiesLeaveNothing(t *testing.T, a *Away) {
	p, cut := a.Area(1), errors.New("cut")
	for _, size := range []int{10, maxInline + 1, 2*partSize + 1} {
		data := bytesOf(size)
		for want, try := range map[error]struct {
			body io.Reader
			opts store.PutOptions
		}{
			store.ErrTruncated: {bytes.NewReader(data), store.PutOptions{Size: int64(size) + 1}},
			cut:                {io.MultiReader(bytes.NewReader(data), iotest.ErrReader(cut)), store.PutOptions{Size: -1}},
			store.ErrTooLarge:  {bytes.NewReader(data), store.PutOptions{Size: -1, MaxSize: int64(size) - 1}},
			store.ErrDigest:    {bytes.NewReader(data), store.PutOptions{Size: int64(size), SHA256: make([]byte, 32)}},
		} {
			_, err := p.Stage(t.Context(), "k", try.body, try.opts)
			require.ErrorIs(t, err, want)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	_, err := p.Stage(ended, "k", io.MultiReader(bytes.NewReader(bytesOf(partSize+1)), ender(cancel)), store.PutOptions{Size: -1})
	require.ErrorIs(t, err, context.Canceled)
	d, err := p.Stage(t.Context(), "k", bytes.NewReader(bytesOf(maxInline+1)), store.PutOptions{Size: -1})
	require.NoError(t, err)
	d.Discard()
	d.Discard()
	keys, _, err := a.b.list(t.Context(), store.ListOptions{Prefix: areas}, -1)
	require.NoError(t, err)
	require.Empty(t, keys)
	require.Empty(t, uploads(t, &Store{bucket: a.b}))
	require.True(t, a.b.memory.TryAcquire(defaultMemory), "memory that was not given back")
	a.b.memory.Release(defaultMemory)
}

func headsComeInPages(t *testing.T, a *Away) {
	p := a.Area(1)
	want := map[string]versioned.Version{}
	for i := range 7 {
		key := fmt.Sprint("k", i)
		want[key] = kept(t, p, key, bytesOf(i*maxInline/3), versioned.Head{}).Version // some have bodies apart
	}
	kept(t, a.Area(10), "other", nil, versioned.Head{})
	for limit := 1; limit <= 8; limit++ {
		got := map[string]versioned.Version{}
		for cursor := ""; ; {
			heads, next, err := a.Heads(t.Context(), 1, cursor, limit)
			require.NoError(t, err)
			require.LessOrEqual(t, len(heads), limit)
			for _, head := range heads {
				require.NotContains(t, got, head.Info.Key)
				got[head.Info.Key] = head.Version
			}
			if next == "" {
				break
			}
			cursor = next
		}
		require.Equal(t, want, got)
	}
}

func areasComeInOrder(t *testing.T, a *Away) {
	epochs, err := a.Areas(t.Context())
	require.NoError(t, err)
	require.Empty(t, epochs)
	var head versioned.Head
	for _, epoch := range []uint64{10, 9, 1<<64 - 1, 2} {
		head = kept(t, a.Area(epoch), "k", nil, versioned.Head{})
	}
	_, err = a.Write(t.Context(), "control", []byte("1"), "")
	require.NoError(t, err)
	epochs, err = a.Areas(t.Context())
	require.NoError(t, err)
	require.Equal(t, []uint64{2, 9, 10, 1<<64 - 1}, epochs)
	require.NoError(t, a.Area(2).Remove(t.Context(), "k", head))
	epochs, err = a.Areas(t.Context())
	require.NoError(t, err)
	require.Equal(t, []uint64{9, 10, 1<<64 - 1}, epochs)
}

func sweepsTakeOrphans(t *testing.T, a *Away) {
	p, data := a.Area(1), bytesOf(maxInline+1)
	first := kept(t, p, "k", data, versioned.Head{})
	kept(t, p, "k", data, first) // the first body is an orphan now
	_, err := p.Stage(t.Context(), "never committed", bytes.NewReader(data), store.PutOptions{Size: -1})
	require.NoError(t, err)
	kept(t, p, "small", []byte("x"), versioned.Head{})
	other := a.Area(11)
	_, err = other.Stage(t.Context(), "k", bytes.NewReader(data), store.PutOptions{Size: -1})
	require.NoError(t, err)
	_, err = a.b.begin(t.Context(), a.area(1).name("k")+".unfinished", "", nil)
	require.NoError(t, err)
	removed, err := a.Sweep(t.Context(), 1)
	require.NoError(t, err)
	require.Equal(t, 2, removed)
	require.True(t, bytes.Equal(data, opened(t, p, "k", store.Whole)))
	require.Equal(t, "x", string(opened(t, p, "small", store.Whole)))
	require.Empty(t, uploads(t, &Store{bucket: a.b}))
	epochs, err := a.Areas(t.Context())
	require.NoError(t, err)
	require.Equal(t, []uint64{1, 11}, epochs)
}

func recordsChangeOverTheirTag(t *testing.T, a *Away) {
	_, _, err := a.Read(t.Context(), "control")
	require.ErrorIs(t, err, store.ErrNotFound)
	first, err := a.Write(t.Context(), "control", []byte("1"), "")
	require.NoError(t, err)
	_, err = a.Write(t.Context(), "control", []byte("2"), "")
	require.ErrorIs(t, err, versioned.ErrMoved)
	second, err := a.Write(t.Context(), "control", []byte("3"), first)
	require.NoError(t, err)
	_, err = a.Write(t.Context(), "control", []byte("4"), first)
	require.ErrorIs(t, err, versioned.ErrMoved)
	_, err = a.Write(t.Context(), "missing", []byte("4"), first)
	require.ErrorIs(t, err, versioned.ErrMoved)
	value, tag, err := a.Read(t.Context(), "control")
	require.NoError(t, err)
	require.Equal(t, "3", string(value))
	require.Equal(t, second, tag)
	for _, name := range []string{"health/b", "health/a", "healthy"} {
		_, err = a.Write(t.Context(), name, []byte(name), "")
		require.NoError(t, err)
	}
	names, err := a.Names(t.Context(), "health/")
	require.NoError(t, err)
	require.Equal(t, []string{"health/a", "health/b"}, names)
	for range 2 {
		require.NoError(t, a.Remove(t.Context(), "control"))
	}
	_, _, err = a.Read(t.Context(), "control")
	require.ErrorIs(t, err, store.ErrNotFound)
}
