package rogue

import (
	"net/http"
	"strings"
	"sync"
	"time"

	"bogops/validator/probe"
	"bogops/validator/verdict"
)

// silverGallery is the rogues that are judged at silver: mostly platforms, or
// what stands before them, that pass something over.
func silverGallery() []Rogue {
	mumble := verdict.Mumble
	rogues := []Rogue{
		{Name: "honest-silver", Why: "Nothing is wrong."},
		{Name: "bronze-only", Why: "It does what bronze asks for.", Wants: ofSilver(mumble),
			change: func(s *site) error { s.platform.silver = false; return nil }},
		{Name: "writes-unconditionally", Why: "A proxy drops the conditions of writes.",
			change: dropping(writes, "If-Match", "If-None-Match"),
			Wants:  checks(mumble, "api/create-only", "api/raced-create", "api/swap", "api/raced-swap", "api/delete-if-match")},
		{Name: "looks-then-writes", Why: "Two creators that look at the same time both find nothing.", change: handler(looksFirst),
			Wants: checks(mumble, "api/raced-create")},
		{Name: "never-304", Why: "A proxy drops the conditions of reads.", change: dropping(reads, "If-None-Match", "If-Modified-Since"),
			Wants: checks(mumble, "api/not-modified", "api/modified-since")},
		{Name: "never-206", Why: "A proxy drops ranges.", change: dropping(reads, "Range"),
			Wants: checks(mumble, "api/range", "api/range-edges", "api/if-range")},
		{Name: "forgets-if-range", Why: "A proxy drops If-Range.", change: dropping(reads, "If-Range"), Wants: checks(mumble, "api/if-range")},
		{Name: "blind-to-digests", Why: "A proxy drops Content-Digest.", change: dropping(writes, "Content-Digest"),
			Wants: checks(mumble, "api/digest", "api/digest-form")},
		{Name: "lists-late", Why: "The first listing after a write does not show it.", change: handler(listsLate), Wants: checks(mumble, "api/list-fresh")},
	}
	for i := range rogues {
		rogues[i].silver = true
	}
	return rogues
}

// ofSilver is every check that silver adds with this status.
func ofSilver(status verdict.Status) map[string]verdict.Status {
	wants := map[string]verdict.Status{}
	for _, p := range probe.All(probe.Silver) {
		if p.Check.Level == probe.Silver {
			wants[p.Check.ID] = status
		}
	}
	return wants
}

func writes(r *http.Request) bool { return r.Method == http.MethodPut || r.Method == http.MethodDelete }

func reads(r *http.Request) bool { return !writes(r) }

// dropping drops headers of some requests.
func dropping(of func(*http.Request) bool, names ...string) func(*site) error {
	return handler(func(honest http.Handler) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			for _, name := range names {
				if of(r) {
					r.Header.Del(name)
				}
			}
			honest.ServeHTTP(w, r)
		}
	})
}

// looksFirst asks whether a key is free, and then writes without a condition.
func looksFirst(honest http.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut && r.Header.Get("If-None-Match") == "*" && r.Header.Get("If-Match") == "" {
			look := &discarded{header: http.Header{}}
			asked := r.Clone(r.Context())
			asked.Method, asked.Body, asked.ContentLength = http.MethodHead, http.NoBody, 0
			asked.Header.Del("If-None-Match")
			honest.ServeHTTP(look, asked)
			if look.status == http.StatusNotFound {
				time.Sleep(100 * time.Millisecond) // a look at a database that is far away
				r.Header.Del("If-None-Match")
			}
		}
		honest.ServeHTTP(w, r)
	}
}

// discarded keeps only the status of an answer.
type discarded struct {
	header http.Header
	status int
}

func (d *discarded) Header() http.Header         { return d.header }
func (d *discarded) Write(b []byte) (int, error) { return len(b), nil }
func (d *discarded) WriteHeader(status int)      { d.status = status }

// listsLate answers the first listing after a write as if nothing was there.
func listsLate(honest http.Handler) http.HandlerFunc {
	var mu sync.Mutex
	written := map[string]bool{} // below each first segment, since its last listing
	return func(w http.ResponseWriter, r *http.Request) {
		path, _, _ := strings.Cut(r.RequestURI, "?")
		query := r.URL.Query()
		below, _, _ := strings.Cut(query.Get("prefix"), "/")
		mu.Lock()
		if r.Method == http.MethodPut {
			segment, _, _ := strings.Cut(strings.TrimPrefix(path, "/v1/objects/"), "/")
			written[segment] = true
		}
		if path == "/v1/objects" && written[below] {
			delete(written, below)
			query.Set("prefix", query.Get("prefix")+"\u2205")
			r.URL.RawQuery = query.Encode()
		}
		mu.Unlock()
		honest.ServeHTTP(w, r)
	}
}
