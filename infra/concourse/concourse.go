// Package concourse runs a real Concourse on this machine for whoever wants one:
// tests, the rehearsal, a reader at a terminal. It lives in namespaces of its
// own, so that nothing of it touches the machine's network, mounts or processes.
// The work is done by two shell scripts, which come with the package; the type
// Server is their face in Go.
package concourse

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// Variable is the environment variable that names the directory of a Concourse
// which runs already.
const Variable = "BOGOPS_CONCOURSE"

// ErrNone says that no Concourse was named.
var ErrNone = errors.New("concourse: " + Variable + " names no Concourse")

// A Server is a Concourse in one directory of this machine. Its methods may be
// called from several goroutines.
type Server struct {
	dir         string
	settings    map[string]string // what ci.sh decided at the first start
	password    string
	environment []string
	log         io.Writer
	guard       *guard
	network     *network
	web         *forwarder

	mu       sync.Mutex
	services map[string]service // by their address on the host
	vault    *vault             // nil until there are secrets
	closed   bool
	stopped  bool
}

// Open returns the Concourse in dir, which somebody else started and will stop.
// Close gives back what Open took. It wants root.
func Open(dir string) (*Server, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, log: io.Discard}
	return s, s.open()
}

// Find returns the Concourse that the environment names, or ErrNone.
func Find(getenv func(string) string) (*Server, error) {
	dir := getenv(Variable)
	if dir == "" {
		return nil, ErrNone
	}
	s, err := Open(dir)
	if err != nil {
		return nil, fmt.Errorf("%s is %q, wanted the directory of a Concourse that runs: %w", Variable, dir, err)
	}
	return s, nil
}

// open learns what was decided at the first start, and makes the way in.
func (s *Server) open() error {
	text, err := os.ReadFile(filepath.Join(s.dir, "settings"))
	if err != nil {
		return err
	}
	s.settings = map[string]string{}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		s.settings[name] = strings.Trim(value, "'") // '' is empty; what is read here has nothing to quote
	}
	password, err := os.ReadFile(filepath.Join(s.dir, "keys", "admin"))
	if err != nil {
		return err
	}
	s.password = string(password)
	return s.connect(context.Background())
}

// Dir is the directory that everything of it lies in.
func (s *Server) Dir() string { return s.dir }

// URL is where a client on this machine finds it: http://127.0.0.1:PORT, or
// https://Name where TLS was asked for, which is to be looked for at Address.
func (s *Server) URL() string {
	if name := s.settings["name"]; name != "" {
		return "https://" + name
	}
	return "http://" + s.Address()
}

// Address is the host:port, on this machine's loopback, that a client of URL
// connects to.
func (s *Server) Address() string { return s.web.listener.Addr().String() }

// Admin is a login that may do everything.
func (s *Server) Admin() (user, password string) { return "admin", s.password }

// Fly runs fly as the administrator, logged in to the team main, and returns
// what it printed, also with an error. It must not name a target (-t).
func (s *Server) Fly(ctx context.Context, args ...string) ([]byte, error) {
	return s.run(ctx, "", append([]string{"fly"}, args...)...)
}

// LoseWorker ends the worker as a power cut does, its containers too, and returns
// when Concourse has noticed, some ten seconds later.
func (s *Server) LoseWorker(ctx context.Context) error {
	_, err := s.run(ctx, "", "lose")
	return err
}

// BringWorker starts a worker where none runs, with a new name and nothing
// cached, and returns when Concourse gives it work.
func (s *Server) BringWorker(ctx context.Context) error {
	_, err := s.run(ctx, "", "bring")
	return err
}

// Stop ends Concourse and removes its directory; nothing is left: no process,
// mount, namespace or cgroup. A second call does nothing.
func (s *Server) Stop() error {
	closed := s.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return nil
	}
	_, err := s.run(context.Background(), "", "destroy")
	s.stopped = err == nil
	return errors.Join(closed, err, s.guard.end())
}
