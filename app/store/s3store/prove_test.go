package s3store

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/app/store"
	"bogops/infra/s3"
)

// at are options for a bucket that nobody else has.
func at(server s3.Server) Options {
	var name [8]byte
	rand.Read(name[:])
	return Options{
		Bucket: "bogops-" + hex.EncodeToString(name[:]), Create: true, Endpoint: server.Endpoint, Region: "us-east-1",
		PathStyle: true, AccessKey: server.AccessKey, SecretKey: server.SecretKey,
	}
}

// bent is a server on the way to which a request or its answer is changed.
func bent(t testing.TB, server s3.Server, bend func(next http.Handler) http.Handler) s3.Server {
	way, err := s3.NewSerial(server.Endpoint)
	require.NoError(t, err)
	front := httptest.NewServer(bend(way))
	t.Cleanup(func() {
		front.Close()
		way.Close()
	})
	server.Endpoint = front.URL
	return server
}

// without drops headers from the requests of a method.
func without(method string, names ...string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			for _, name := range names {
				if r.Method == method {
					r.Header.Del(name)
				}
			}
			next.ServeHTTP(w, r)
		})
	}
}

// lets decides on creators before it takes their bodies, and not again: those
// that come at once are all let in, and one after the other only the first.
func lets(header string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		var mu sync.Mutex
		waiting := map[string]int{}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			raced := path.Base(r.URL.Path) == "created" || path.Base(r.URL.Path) == "swapped"
			if r.Method != http.MethodPut || r.Header.Get(header) == "" || !raced {
				next.ServeHTTP(w, r)
				return
			}
			mu.Lock()
			waiting[r.URL.Path]++
			mu.Unlock()
			time.Sleep(50 * time.Millisecond) // the race is the fault that is built here
			mu.Lock()
			crowd := waiting[r.URL.Path] > 1
			mu.Unlock()
			if crowd {
				r.Header.Del(header)
			}
			next.ServeHTTP(w, r)
		})
	}
}

func TestAServerThatBreaksItsWordIsRefused(t *testing.T) {
	moto := s3.StartMoto(t)
	for what, test := range map[string]struct {
		bend func(http.Handler) http.Handler
		want string
	}{
		"ignores If-None-Match":       {without(http.MethodPut, "If-None-Match"), "it wrote with If-None-Match: * over an object"},
		"ignores If-Match":            {without(http.MethodPut, "If-Match"), "it wrote with If-Match of a stale tag"},
		"lets creators in at once":    {lets("If-None-Match"), "of 8 writers at once were told that they had won"},
		"lets swappers in at once":    {lets("If-Match"), "of 8 writers at once were told that they had won"},
		"has one tag for all objects": {oneTag, "stands for other bytes too"},
		"refuses all conditions":      {refuses, "it refused to write with If-None-Match: *"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			_, err := Open(t.Context(), at(bent(t, moto, test.bend)))
			require.ErrorIs(t, err, errLies)
			require.ErrorContains(t, err, test.want)
		})
	}
}

func oneTag(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("If-Match") == `"one"` {
			r.Header.Del("If-Match")
		}
		next.ServeHTTP(&tagging{w}, r)
	})
}

type tagging struct{ http.ResponseWriter }

func (w *tagging) WriteHeader(status int) {
	if w.Header().Get("Etag") != "" {
		w.Header().Set("Etag", `"one"`)
	}
	w.ResponseWriter.WriteHeader(status)
}

func refuses(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut && r.Header.Get("If-None-Match")+r.Header.Get("If-Match") != "" {
			w.WriteHeader(http.StatusPreconditionFailed)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func TestTheTraitsOfAServerAreFoundOut(t *testing.T) {
	moto := s3.StartMoto(t)
	for what, test := range map[string]struct {
		bend func(http.Handler) http.Handler
		want traits
	}{
		"moto as it is":                           {as, traits{deleteMatch: true}},
		"with completions under a condition":      {completing, traits{deleteMatch: true, completeMatch: true}},
		"with deletes that ignore the condition":  {without(http.MethodDelete, "If-Match"), traits{}},
		"with completions that ignore conditions": {without(http.MethodPost, "If-None-Match", "If-Match"), traits{deleteMatch: true}},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s, err := Open(t.Context(), at(bent(t, moto, test.bend)))
			require.NoError(t, err)
			got, err := s.watch.proven(t.Context())
			require.NoError(t, err)
			require.Equal(t, test.want, got)
			require.NoError(t, s.Close())
		})
	}
}

func as(next http.Handler) http.Handler { return next }

// completing adds to moto what AWS has: If-Match when an upload is completed.
func completing(next http.Handler) http.Handler {
	var mu sync.Mutex
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		want := r.Header.Get("If-Match")
		if r.Method == http.MethodPost && want != "" {
			now := httptest.NewRecorder()
			head := r.Clone(r.Context())
			head.Method, head.URL.RawQuery, head.Body = http.MethodHead, "", http.NoBody
			head.Header.Del("If-Match")
			next.ServeHTTP(now, head)
			if now.Header().Get("Etag") != want {
				w.WriteHeader(http.StatusPreconditionFailed)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

func TestAStoreWhoseServerIsAwayIsDownAndComesBack(t *testing.T) {
	moto := s3.StartMoto(t)
	var mu sync.Mutex
	away := true
	opts := at(bent(t, moto, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			gone := away
			mu.Unlock()
			if gone {
				panic(http.ErrAbortHandler)
			}
			next.ServeHTTP(w, r)
		})
	}))
	opts.Watch = 10 * time.Millisecond
	s, err := Open(t.Context(), opts)
	require.NoError(t, err)
	defer s.Close()
	health := s.Health(t.Context())
	require.Equal(t, store.Down, health.State)
	require.NotEmpty(t, health.Reason)
	_, err = s.Put(t.Context(), "k", strings.NewReader("x"), store.PutOptions{Size: 1})
	require.ErrorIs(t, err, store.ErrUnavailable)
	_, err = s.Stat(t.Context(), "k")
	require.ErrorIs(t, err, store.ErrUnavailable, "away is not empty")
	mu.Lock()
	away = false
	mu.Unlock()
	require.Eventually(t, func() bool { return s.Health(context.Background()).State == store.Healthy }, time.Minute, 10*time.Millisecond)
	_, err = s.Put(t.Context(), "k", strings.NewReader("x"), store.PutOptions{Size: 1})
	require.NoError(t, err)
}

func TestBadOptionsSayWhatIsWanted(t *testing.T) {
	for want, opts := range map[string]Options{
		"the bucket's name is empty; want the name of a bucket":                                   {},
		"one of access key and secret key is given; want both, or neither and what the SDK finds": {Bucket: "b", AccessKey: "a"},
		"the endpoint is no URL of a server; want http://host:port or https://host":               {Bucket: "b", Endpoint: "host:1"},
		`the spool "/no/such/directory" is no directory; want one that can be written to`:         {Bucket: "b", Spool: "/no/such/directory"},
	} {
		_, err := Open(t.Context(), opts)
		require.EqualError(t, err, "s3store: "+want)
	}
}
