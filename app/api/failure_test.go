package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"bogops/app/admit"
	"bogops/app/process"
	"bogops/app/store"
	"bogops/app/store/memstore"
)

func TestAnErrorOfTheStoreBecomesItsStatus(t *testing.T) {
	for _, c := range []struct {
		err    error
		status int
		retry  bool
		calls  string // that the store may fail so
	}{
		{store.ErrUnavailable, 503, true, "PUT GET HEAD DELETE"},
		{store.ErrUnknown, 503, true, "PUT GET HEAD DELETE"},
		{store.ErrFull, 507, true, "PUT DELETE"},
		{store.ErrNotFound, 404, false, "GET HEAD"},
		{store.ErrTruncated, 400, false, "PUT"},
		{store.ErrTooLarge, 413, false, "PUT"},
		{store.ErrCondition, 412, false, "PUT DELETE"},
		{store.ErrDigest, 400, false, "PUT"},
		{store.ErrBadKey, 400, false, "PUT GET HEAD DELETE"},
		{context.DeadlineExceeded, 503, true, "PUT GET HEAD DELETE"},
		{errors.New("disk sda3 is on fire"), 500, false, "PUT GET HEAD DELETE"},
	} {
		b := newBench(t, withStore(failing{memstore.New(), fmt.Errorf("filestore: /srv/secret-place: %w", c.err)}))
		for method := range strings.FieldsSeq(c.calls) {
			got := b.do(method, "/v1/objects/k", "")
			if method == "HEAD" {
				require.Equal(t, c.status, got.status)
				continue
			}
			b.wantProblem(got, c.status)
			require.Equal(t, c.retry, got.header.Get("Retry-After") == "1", "%v", c.err)
			require.NotContains(t, got.body, "secret-place", "inner texts are for the log")
			require.NotContains(t, got.body, "sda3")
			if c.status >= 500 {
				require.Contains(t, b.log.String(), "secret-place", "a failure of ours is not in the log")
				require.Contains(t, b.log.String(), got.header.Get("Request-Id"))
			}
		}
	}
}

func TestWhatIsInDoubtIsNeverDeniedNorConfirmed(t *testing.T) {
	for _, doubt := range []error{store.ErrUnknown, store.ErrUnavailable} {
		for _, plain := range []error{store.ErrNotFound, store.ErrCondition, store.ErrTruncated, store.ErrFull, context.Canceled} {
			b := newBench(t, withStore(failing{memstore.New(), fmt.Errorf("%w: %w", plain, doubt)}))
			for _, c := range [][]string{
				{"PUT"}, {"PUT", "If-None-Match: *"}, {"PUT", `If-Match: "a", "b"`}, {"PUT", `If-Match: "a"`}, {"DELETE"}, {"DELETE", "If-Match: *"},
				{"GET"}, {"GET", "If-Match: *"}, {"GET", `If-None-Match: "e"`}, {"GET", "Range: bytes=0-1"}, {"HEAD"}, {"HEAD", `If-Match: "a"`},
			} {
				got := b.do(c[0], "/v1/objects/k", "", c[1:]...)
				require.Equal(t, 503, got.status, "%v, %v, %v", c, plain, doubt)
				require.Equal(t, "1", got.header.Get("Retry-After"))
			}
			require.Equal(t, 503, b.do("GET", "/v1/objects/k?process=sha256", "").status)
			require.Equal(t, 503, b.do("GET", "/v1/objects", "").status)
		}
	}
}

// midway fails after some bytes were sent.
type midway struct{ *memstore.Store }

func (m midway) Get(ctx context.Context, key string, rng store.Range) (io.ReadCloser, store.Info, error) {
	info := store.Info{Key: key, Size: 300_000, ETag: `"e"`}
	body := io.MultiReader(bytes.NewReader(make([]byte, 200_000)), iotest.ErrReader(store.ErrUnavailable))
	return io.NopCloser(body), info, nil
}

func TestAReadThatBreaksMidwayIsNeverAWholeAnswer(t *testing.T) {
	b := newBench(t, withStore(midway{memstore.New()}), func(c *Config) { c.Limits.Process = 1 << 20 })
	for _, query := range []string{"", "?process=upper", "?process=base64"} {
		r, err := http.NewRequest("GET", b.url+"/v1/objects/k"+query, nil)
		require.NoError(t, err)
		r.Header.Set("Authorization", "Bearer "+judgeToken)
		answer, err := http.DefaultTransport.RoundTrip(r)
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
		require.ErrorIs(t, err, io.ErrUnexpectedEOF, query)
	}
	got := b.do("GET", "/v1/objects/k?process=sha256", "")
	b.wantProblem(got, 503) // a digest needs all bytes first: nothing was sent
	require.Empty(t, got.header.Get("ETag"))
}

// panicking is a store with a bug.
type panicking struct{ store.Store }

func (panicking) Stat(context.Context, string) (store.Info, error) { panic("a bug in the store") }
func (panicking) Delete(context.Context, string, string) error     { panic("a bug in the store") }

func TestAPanicIsA500AndTheServerLives(t *testing.T) {
	b := newBench(t, withStore(panicking{memstore.New()}))
	for range 3 {
		got := b.do("DELETE", "/v1/objects/k", "")
		b.wantProblem(got, 500)
		require.NotContains(t, got.body, "bug")
		require.Equal(t, 500, b.do("HEAD", "/v1/objects/k", "").status)
	}
	require.Contains(t, b.log.String(), "a bug in the store")
	require.Equal(t, 200, b.do("GET", "/healthz", "").status)
}

// hoard is a store whose readers wait, so that requests pile up.
type hoard struct {
	*memstore.Store
	began, release chan struct{}
}

func (h hoard) Get(ctx context.Context, key string, rng store.Range) (io.ReadCloser, store.Info, error) {
	body, info, err := h.Store.Get(ctx, key, rng)
	return &waiting{body, h}, info, err
}

type waiting struct {
	io.ReadCloser
	h hoard
}

func (w *waiting) Read(p []byte) (int, error) {
	select {
	case w.h.began <- struct{}{}:
	default:
	}
	<-w.h.release
	return w.ReadCloser.Read(p)
}

func TestWhatReverseHoldsIsBoundedOverAllRequests(t *testing.T) {
	h := hoard{memstore.New(), make(chan struct{}, 1), make(chan struct{})}
	b := newBench(t, withStore(h), func(c *Config) {
		c.Limits.Object, c.Limits.Process = 1<<20, 1<<20
		c.Gate = admit.New(admit.Config{Bytes: 960 << 10})
	})
	b.do("PUT", "/v1/objects/k", strings.Repeat("x", 200_000))
	const twice = "/v1/objects/k?process=reverse,reverse"
	first := make(chan reply)
	go func() { first <- b.do("GET", twice, "") }() // holds 400,000 and its buffers
	<-h.began
	got := b.do("GET", twice, "")
	b.wantProblem(got, 503)
	require.Equal(t, "1", got.header.Get("Retry-After"))
	close(h.release)
	require.Equal(t, 200, (<-first).status)
	require.Equal(t, 200, b.do("GET", twice, "").status, "what was held is not given back")
}

func TestOverloadIsRefusedAtOnceAndOnlyForObjects(t *testing.T) {
	h := hoard{memstore.New(), make(chan struct{}, 1), make(chan struct{})}
	b := newBench(t, withStore(h), func(c *Config) { c.Gate = admit.New(admit.Config{InFlight: 1}) })
	release := sync.OnceFunc(func() { close(h.release) })
	t.Cleanup(release) // or the server would wait for the first request
	b.do("PUT", "/v1/objects/k", "x")
	first := make(chan reply)
	go func() { first <- b.do("GET", "/v1/objects/k", "") }()
	<-h.began
	for _, method := range []string{"PUT", "GET", "DELETE"} {
		got := b.do(method, "/v1/objects/other", "")
		b.wantProblem(got, 503)
		require.Equal(t, "1", got.header.Get("Retry-After"))
	}
	require.Equal(t, 401, b.do("GET", "/v1/objects/k", "", "Authorization:").status)
	for _, path := range []string{"/healthz", "/readyz", "/.well-known/bogops.json"} {
		require.Equal(t, 200, b.do("GET", path, "").status, path)
	}
	release()
	require.Equal(t, 200, (<-first).status)
	require.Equal(t, 404, b.do("GET", "/v1/objects/other", "").status, "a place is not given back")
}

func TestEveryErrorOfTheTableIsReached(t *testing.T) {
	for _, o := range outcomes {
		require.Equal(t, o, outcomeOf(fmt.Errorf("wrapped: %w", o.err)), "an earlier row hides %v", o.err)
	}
	require.Equal(t, 422, outcomeOf(process.ErrTooLarge).status)
	require.Equal(t, 500, outcomeOf(io.ErrUnexpectedEOF).status)
}
