package load

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"bogops/validator/oracle"
	"bogops/validator/target"
)

// stub is a platform in memory that is wrong in at most one way, and counts how
// often it was.
type stub struct {
	wrong string // flip, truncate, stale, lose, or nothing

	mu      sync.Mutex
	from    time.Time // nothing is answered from then
	until   time.Time // until then
	objects map[string][]state
	lost    map[string]bool
	gets    int
	puts    int
	done    int // wrong answers so far
}

// state is one version of an object.
type state struct {
	body           []byte
	begun, visible time.Time // when its PUT arrived, and was answered
}

// every is how many requests pass between two wrongs.
const every = 7

// apart is how long versions must lie apart for the older one to be stale
// beyond doubt, as a client sees it.
const apart = 250 * time.Millisecond

func newStub(wrong string) *stub {
	return &stub{wrong: wrong, objects: map[string][]state{}, lost: map[string]bool{}}
}

// serve answers on l until stop is called.
func (s *stub) serve(l net.Listener) (stop func()) {
	server := &http.Server{Handler: s, ReadHeaderTimeout: time.Minute}
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(l) })
	return func() {
		_ = server.Close()
		serving.Wait()
	}
}

// stubTarget is where a stub that listens on address is reached.
func stubTarget(address string) target.Target {
	return target.Target{ID: "stub", URL: &url.URL{Scheme: "http", Host: address}, Contest: "selftest"}
}

func (s *stub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Bogops-Instance", "stub")
	if r.URL.Path == "/.well-known/bogops.json" {
		_, _ = io.WriteString(w, `{"contest":"selftest"}`)
		return
	}
	s.pause(r.Context())
	key := strings.TrimPrefix(r.URL.Path, "/v1/objects/")
	if r.Method == http.MethodPut {
		s.put(w, r, key)
		return
	}
	body, ok := s.get(key)
	if !ok {
		http.NotFound(w, r)
		return
	}
	if chain := r.URL.Query().Get("process"); chain != "" {
		processed, err := oracle.Apply(chain, body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		body = processed
	}
	_, _ = w.Write(body)
}

func (s *stub) put(w http.ResponseWriter, r *http.Request, key string) {
	begun := time.Now()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, "the body broke off", http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	w.WriteHeader(http.StatusCreated)
	s.puts++
	if s.wrong == "lose" && len(s.objects[key]) == 0 && s.puts%every == 0 {
		s.lost[key] = true
		return
	}
	delete(s.lost, key) // where it was lost before, it is there after all
	s.objects[key] = append(s.objects[key], state{body, begun, time.Now()})
}

func (s *stub) get(key string) (body []byte, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	versions := s.objects[key]
	if len(versions) == 0 {
		return nil, false
	}
	s.gets++
	last := versions[len(versions)-1]
	switch {
	case s.wrong == "stale" && len(versions) > 1:
		before := versions[len(versions)-2]
		if last.begun.Sub(before.visible) > apart && time.Since(last.visible) > apart {
			s.done++
			return before.body, true
		}
	case s.wrong == "flip" && s.gets%every == 0:
		s.done++
		flipped := append([]byte(nil), last.body...)
		flipped[s.gets%len(flipped)] ^= 1 << (s.gets % 8)
		return flipped, true
	case s.wrong == "truncate" && s.gets%every == 0:
		s.done++
		return last.body[:len(last.body)/2], true
	}
	return last.body, true
}

func (s *stub) wrongs() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.done + len(s.lost)
}

// stall lets nothing be answered from one moment to another.
func (s *stub) stall(from, until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.from, s.until = from, until
}

func (s *stub) pause(ctx context.Context) {
	s.mu.Lock()
	from, until := s.from, s.until
	s.mu.Unlock()
	if now := time.Now(); now.After(from) && now.Before(until) {
		sleepUntil(ctx, until)
	}
}

// wire is how a self-test's engine and its stub are connected.
type wire interface {
	listen() (net.Listener, error)
	dial(ctx context.Context, network, address string) (net.Conn, error)
}

// loopback is the machine's own network.
type loopback struct{}

func (loopback) listen() (net.Listener, error) { return net.Listen("tcp", "127.0.0.1:0") }

func (loopback) dial(ctx context.Context, network, address string) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, network, address)
}
