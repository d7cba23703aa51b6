//go:build ceph

package proof

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// front is the way of one instance to S3. It can be cut, and can hold single
// requests up.
type front struct {
	*httptest.Server

	mu    sync.Mutex
	cut   chan struct{} // closed when the way is open again; nil: it is
	watch func(*http.Request)
}

// errCut ends an answer that comes back to a way that is cut by now.
var errCut = errors.New("the way to S3 is cut")

func newFront(t testing.TB, endpoint string) *front {
	t.Helper()
	target, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	f := &front{}
	wires := &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}
	way := &httputil.ReverseProxy{
		Transport: wires,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host // it is signed
		},
		ModifyResponse: func(*http.Response) error {
			if f.isCut() != nil {
				return errCut
			}
			return nil
		},
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if opened := f.isCut(); opened != nil {
			select {
			case <-opened: // nobody waits that long for an answer
			case <-r.Context().Done():
			}
			panic(http.ErrAbortHandler)
		}
		if watch := f.watching(); watch != nil {
			watch(r)
		}
		// What was sent arrives, whether its sender still waits or not.
		ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
		defer cancel()
		way.ServeHTTP(w, r.WithContext(ctx))
	}))
	t.Cleanup(func() {
		f.open()
		f.Close()
		wires.CloseIdleConnections()
	})
	return f
}

func (f *front) isCut() chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.cut
}

// shut cuts the way: no request gets through, and no answer comes back, not
// even a refusal.
func (f *front) shut() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.cut == nil {
		f.cut = make(chan struct{})
	}
}

func (f *front) open() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.cut != nil {
		close(f.cut)
		f.cut = nil
	}
}

func (f *front) watching() func(*http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.watch
}

// look has every request looked at before it is sent on; it waits as long as
// watch does. nil: none is.
func (f *front) look(watch func(*http.Request)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.watch = watch
}

// What is asked of S3, by its requests.

func readsControl(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/records/control")
}

func movesControl(r *http.Request) bool {
	return r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, "/records/control")
}

// listsArea is the reconciler, or a listing of a client.
func listsArea(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.HasPrefix(r.URL.Query().Get("prefix"), "fallback/")
}

func removesFromArea(r *http.Request) bool {
	return r.Method == http.MethodDelete && strings.Contains(r.URL.Path, "/fallback/")
}

func writesToArea(r *http.Request) bool {
	return r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/fallback/")
}
