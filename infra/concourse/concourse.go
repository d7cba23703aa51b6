// Package concourse runs a real Concourse on this machine for whoever wants one:
// tests, the rehearsal, a reader at a terminal. It lives in namespaces of its
// own, so that nothing of it touches the machine's network, mounts or processes.
// The work is done by two shell scripts, which come with the package; the type
// Server is their face in Go.
package concourse

import (
	"context"
	"errors"
)

// Variable is the environment variable that names the directory of a Concourse
// which runs already.
const Variable = "BOGOPS_CONCOURSE"

// ErrNone says that no Concourse was named.
var ErrNone = errors.New("concourse: " + Variable + " names no Concourse")

// A Server is a Concourse in one directory of this machine. Its methods may be
// called from several goroutines.
type Server struct{}

// Open returns the Concourse in dir, which somebody else started and will stop.
// Close gives back what Open took. It wants root.
func Open(dir string) (*Server, error) { return nil, errors.New("concourse: Open is not there yet") }

// Find returns the Concourse that the environment names, or ErrNone.
func Find(getenv func(string) string) (*Server, error) {
	if dir := getenv(Variable); dir != "" {
		return Open(dir)
	}
	return nil, ErrNone
}

// Dir is the directory that everything of it lies in.
func (s *Server) Dir() string { return "" }

// URL is where a client on this machine finds it: http://127.0.0.1:PORT, or
// https://Name where TLS was asked for, which is to be looked for at Address.
func (s *Server) URL() string { return "" }

// Address is the host:port, on this machine's loopback, that a client of URL
// connects to.
func (s *Server) Address() string { return "" }

// Admin is a login that may do everything.
func (s *Server) Admin() (user, password string) { return "", "" }

// Inside makes a TCP service on the host's loopback reachable from task
// containers, and returns the address to use there: 10.80.0.1:PORT. The same
// hostAddress gives the same answer. It ends with Close or Stop.
func (s *Server) Inside(ctx context.Context, hostAddress string) (address string, err error) {
	return "", errors.New("concourse: Inside is not there yet")
}

// Team makes a team, or changes it, with one user who owns it and one who may
// read, trigger, rerun, check and abort, and no more. The users are made where
// they are missing; one that is there gets the password given. An operator
// without a name leaves the team without one.
func (s *Server) Team(ctx context.Context, name string, owner, operator Login) error {
	return errors.New("concourse: Team is not there yet")
}

// Fly runs fly as the administrator, logged in to the team main, and returns
// what it printed. It must not name a target (-t).
func (s *Server) Fly(ctx context.Context, args ...string) ([]byte, error) {
	return nil, errors.New("concourse: Fly is not there yet")
}

// LoseWorker ends the worker as a power cut does, its containers too. Concourse
// notices within seconds.
func (s *Server) LoseWorker(ctx context.Context) error {
	return errors.New("concourse: LoseWorker is not there yet")
}

// BringWorker starts a worker where none runs, with a new name and nothing
// cached, and returns when Concourse gives it work.
func (s *Server) BringWorker(ctx context.Context) error {
	return errors.New("concourse: BringWorker is not there yet")
}

// Close ends the forwarding that this Server does, of URL and Inside. The
// Concourse goes on.
func (s *Server) Close() error { return nil }

// Stop ends Concourse and removes its directory; nothing is left: no process,
// mount, namespace or cgroup. A second call does nothing.
func (s *Server) Stop() error { return nil }
