// Package concoursefake is a MOCK of Concourse: it runs no container and keeps
// its state in memory, so that tests and rogues can bend it. What the judge's
// client and checks do with such answers is shown here; that a real Concourse
// answers so is held by the suite of validator/concourse, which asks the same of
// both, and by a test that lays recorded answers beside those of the mock.
//
// Its answers are written with types of its own: were they the client's, a
// renamed member would compile on both sides. Left out are all routes that the
// judge does not ask, builds that versions trigger by themselves, and logs in a
// browser.
package concoursefake

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

// Host is the name that the mock's own certificate is for.
const Host = "concourse.test"

// Options say what a mock begins with. The zero Options are a Concourse with
// which nothing is wrong.
type Options struct {
	State       *State           // nil: Normed()
	Certificate *tls.Certificate // nil: one for Host of a root of its own
	Now         func() time.Time // nil: time.Now

	// Deploy is called by each build of app-deploy, and does what the pipeline
	// does; nil: nothing, and the build succeeds.
	Deploy func(ctx context.Context, r Run) Result
	// Wrap stands in front of every answer; nil: nothing does.
	Wrap func(http.Handler) http.Handler
}

// Server is a mock that runs, at URL as Resolve says, with a certificate that
// ends in Roots (empty where Options gave one). Its methods may be called
// concurrently.
type Server struct {
	URL     string
	Address string            // host:port
	Resolve map[string]string // Host → Address
	Roots   *x509.CertPool

	o      Options
	http   *http.Server
	ctx    context.Context
	cancel context.CancelFunc
	group  sync.WaitGroup

	mu      sync.Mutex
	state   *State
	builds  []*build
	tokens  map[string]*token
	changed chan struct{} // closed and replaced with every change
	open    int           // event streams being served
}

// Start runs the mock on a loopback port until Close.
func Start(o Options) (*Server, error) {
	if o.State == nil {
		o.State = Normed()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	certificate, roots, err := o.Certificate, x509.NewCertPool(), error(nil)
	if certificate == nil {
		if certificate, roots, err = identity(); err != nil {
			return nil, fmt.Errorf("concoursefake: a certificate of its own: %w", err)
		}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("concoursefake: %w", err)
	}
	s := &Server{
		URL: "https://" + Host, Address: listener.Addr().String(), Roots: roots,
		Resolve: map[string]string{Host: listener.Addr().String()},
		o:       o, state: o.State, tokens: map[string]*token{}, changed: make(chan struct{}),
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	for _, job := range s.state.Jobs {
		if job.Name == deployJob && job.Run == nil && o.Deploy != nil {
			job.Run = o.Deploy
		}
	}
	s.settle()
	s.serve(tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{*certificate}, MinVersion: tls.VersionTLS12}))
	return s, nil
}

func (s *Server) serve(listener net.Listener) {
	handler := s.routes()
	if s.o.Wrap != nil {
		handler = s.o.Wrap(handler)
	}
	s.http = &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second,
		BaseContext: func(net.Listener) context.Context { return s.ctx },
		ErrorLog:    log.New(io.Discard, "", 0), // clients that hang up are the rule
	}
	s.group.Go(func() {
		if err := s.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			panic(err) // the listener is ours alone
		}
	})
}

// Close ends all builds and connections, and waits for them.
func (s *Server) Close() error {
	s.cancel()
	err := s.http.Close()
	s.group.Wait()
	return err
}

// Bend changes the state while nothing else reads it. What waits for a change,
// as a pending build does, sees it at once.
func (s *Server) Bend(change func(*State)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s.state)
	s.touch()
}

// Streams is how many streams of events are being served.
func (s *Server) Streams() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open
}

// Forget makes every token unknown, as a Concourse does that has lost its
// database.
func (s *Server) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens = map[string]*token{}
}

// touch wakes what waits for a change. The caller holds mu.
func (s *Server) touch() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// until waits, with mu held, until met holds, and says whether it did before
// ctx ended.
func (s *Server) until(ctx context.Context, met func() bool) bool {
	for !met() {
		changed := s.changed
		s.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
		}
		s.mu.Lock()
		if ctx.Err() != nil {
			return false
		}
	}
	return true
}
