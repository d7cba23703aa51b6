package main

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The clients and the checker of the kills are tried on platforms that are
// right but for one thing, which what stands in front of them does now and then.
func TestTheKillsWouldFindAPlatformThatIsWrongInOneThing(t *testing.T) {
	for name, c := range map[string]struct {
		wrong func(right http.Handler, late *sync.WaitGroup) http.Handler
		want  string // empty: nothing is wrong
	}{
		"nothing":                       {func(right http.Handler, _ *sync.WaitGroup) http.Handler { return right }, ""},
		"an acknowledged write is lost": {loses, "no order of these operations"},
		"deletes are acknowledged before they happen":     {answersEarly, "no order of these operations"},
		"a write that failed happens much later":          {appliesLate, "no order of these operations"},
		"a write without an answer happens twice":         {appliesTwice, "no order of these operations"},
		"an object is torn":                               {tears, "never sent whole: torn"},
		"two creators win":                                {ignoresConditions, "no order of these operations"},
		"a read is answered with what was there before":   {readsStale, "no order of these operations"},
		"a delete is acknowledged and does not happen":    {keeps, "no order of these operations"},
		"a write is answered with an error of the server": {breaks, "status 500"},
	} {
		t.Run(name, func(t *testing.T) {
			app, _ := startHere(t, "--store", "mem:")
			target, err := url.Parse(app.url)
			require.NoError(t, err)
			right := httputil.NewSingleHostReverseProxy(target)
			var late sync.WaitGroup
			defer late.Wait()
			front := httptest.NewServer(c.wrong(right, &late))
			defer front.Close()
			l := newLoad(1)
			l.instances[0].Store(&front.URL)
			ctx, stop := context.WithCancel(t.Context())
			var running sync.WaitGroup
			running.Go(func() { l.run(ctx, 1) })
			for l.failure() == nil && l.noted() < 2000 {
				time.Sleep(time.Millisecond)
			}
			stop()
			running.Wait()
			if err = l.audit(); c.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.want)
		})
	}
}

func (l *load) noted() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.ops)
}

// some lets wrong answer every 20th of the PUTs without a condition.
func some(right http.Handler, wrong http.HandlerFunc) http.Handler {
	var seen atomic.Int64
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		plain := r.Header.Get("If-Match") == "" && r.Header.Get("If-None-Match") == ""
		if r.Method == "PUT" && plain && seen.Add(1)%20 == 0 {
			wrong(w, r)
			return
		}
		right.ServeHTTP(w, r)
	})
}

// again is r once more, with its body.
func again(r *http.Request, body []byte) *http.Request {
	copied := r.Clone(context.WithoutCancel(r.Context()))
	copied.Body, copied.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return copied
}

// after sends r when so much time has passed.
func after(late *sync.WaitGroup, d time.Duration, to http.Handler, r *http.Request) {
	late.Go(func() {
		time.Sleep(d)
		to.ServeHTTP(httptest.NewRecorder(), r)
	})
}

func bodyOf(r *http.Request) []byte {
	body, _ := io.ReadAll(r.Body) // what a client of this process sends
	return body
}

func loses(right http.Handler, _ *sync.WaitGroup) http.Handler {
	return some(right, func(w http.ResponseWriter, r *http.Request) {
		_ = bodyOf(r)
		w.Header().Set("ETag", `"lost"`)
		w.WriteHeader(http.StatusOK)
	})
}

// As a store does that answers before the name is gone.
func answersEarly(right http.Handler, late *sync.WaitGroup) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != "DELETE" || r.Header.Get("If-Match") != "" {
			right.ServeHTTP(w, r)
			return
		}
		later := again(r, nil)
		after(late, 2*time.Millisecond, right, later)
		w.WriteHeader(http.StatusNoContent)
	})
}

// muchLater is long enough for others to have written the key meanwhile, on a
// slow machine too: before that a late write harms nobody.
const muchLater = 150 * time.Millisecond

func appliesLate(right http.Handler, late *sync.WaitGroup) http.Handler {
	return some(right, func(w http.ResponseWriter, r *http.Request) {
		later := again(r, bodyOf(r))
		after(late, muchLater, right, later)
		w.WriteHeader(http.StatusServiceUnavailable)
	})
}

func appliesTwice(right http.Handler, late *sync.WaitGroup) http.Handler {
	return some(right, func(w http.ResponseWriter, r *http.Request) {
		body := bodyOf(r)
		later := again(r, body)
		right.ServeHTTP(httptest.NewRecorder(), again(r, body))
		after(late, muchLater, right, later)
		w.WriteHeader(http.StatusServiceUnavailable)
	})
}

func tears(right http.Handler, _ *sync.WaitGroup) http.Handler {
	return some(right, func(w http.ResponseWriter, r *http.Request) {
		body := bodyOf(r)
		clear(body[len(body)/2:])
		right.ServeHTTP(w, again(r, body))
	})
}

func ignoresConditions(right http.Handler, _ *sync.WaitGroup) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Del("If-None-Match")
		right.ServeHTTP(w, r)
	})
}

// Every 20th read gets the answer of the 10th before it.
func readsStale(right http.Handler, _ *sync.WaitGroup) http.Handler {
	var mu sync.Mutex
	reads, kept := 0, map[string]*httptest.ResponseRecorder{}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != "GET" {
			right.ServeHTTP(w, r)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		reads++
		answer := kept[r.URL.Path]
		if reads%20 != 0 || answer == nil {
			answer = httptest.NewRecorder()
			right.ServeHTTP(answer, r)
		}
		if reads%20 == 10 {
			kept[r.URL.Path] = answer
		}
		maps.Copy(w.Header(), answer.Header())
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	})
}

func keeps(right http.Handler, _ *sync.WaitGroup) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == "DELETE" && r.Header.Get("If-Match") == "" {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		right.ServeHTTP(w, r)
	})
}

func breaks(right http.Handler, _ *sync.WaitGroup) http.Handler {
	return some(right, func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "an error that no kill excuses", http.StatusInternalServerError)
	})
}
