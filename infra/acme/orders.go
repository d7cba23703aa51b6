package acme

import (
	"encoding/json"
	"net/http"
	"path"
	"slices"
	"sync"
)

// orders stands in front of Pebble and remembers every order that it accepted.
// Pebble enforces no rate limit, so counting is the only way to see a client
// that a real authority would have locked out for a week.
type orders struct {
	next http.Handler

	mu  sync.Mutex
	ids []string
}

func (o *orders) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	seen := &statusWriter{ResponseWriter: w}
	o.next.ServeHTTP(seen, r)
	if seen.status != http.StatusCreated || !isOrder(seen.body) {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ids = append(o.ids, path.Base(w.Header().Get("Location")))
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
