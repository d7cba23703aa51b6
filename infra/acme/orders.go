package acme

import (
	"encoding/json"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
)

// orders stands in front of Pebble and remembers every order that it accepted.
// Pebble enforces no rate limit, so counting is the only way to see a client
// that a real authority would have locked out for a week.
type orders struct {
	next    http.Handler
	located bool

	// registering keeps new accounts one at a time: two instances that share
	// an account key and register at once race inside Pebble (2.10.1).
	registering sync.Mutex

	mu  sync.Mutex
	ids []string
}

func (o *orders) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	seen := &statusWriter{ResponseWriter: w}
	o.serve(seen, r)
	if seen.status != http.StatusCreated || !isOrder(seen.body) {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ids = append(o.ids, path.Base(w.Header().Get("Location")))
}

// Pebble's paths: for new accounts, and before the number of an order.
const (
	newAccount = "/sign-me-up"
	order      = "/my-order/"
	finalize   = "/finalize-order/"
)

func (o *orders) serve(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == newAccount {
		o.registering.Lock()
		defer o.registering.Unlock()
	}
	if number, ok := strings.CutPrefix(r.URL.Path, finalize); ok && o.located {
		w.Header().Set("Location", "https://"+r.Host+order+number)
	}
	o.next.ServeHTTP(w, r)
}

// isOrder reports whether a created resource is an order: of all that ACME
// creates, only an order has a URL to finalize it (RFC 8555 section 7.1.3).
func isOrder(body []byte) bool {
	var order struct {
		Finalize string `json:"finalize"`
	}
	return json.Unmarshal(body, &order) == nil && order.Finalize != ""
}

func (o *orders) accepted() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.ids)
}

// statusWriter keeps the status, and the body where something was created.
type statusWriter struct {
	http.ResponseWriter
	status int
	body   []byte
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Write(p []byte) (int, error) {
	if w.status == http.StatusCreated {
		w.body = append(w.body, p...)
	}
	return w.ResponseWriter.Write(p)
}
