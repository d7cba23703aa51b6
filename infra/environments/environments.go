// Package environments makes platforms that live as long as a branch does: each
// a fleet of its own on this machine, with its own balancer, instances, objects
// and state in a directory of its own. A pipeline makes one, rolls out in it by
// the fleet's control API, and removes it when the branch has gone.
package environments

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"sync"

	"bogops/infra/fleet"
)

// Options describe the service.
type Options struct {
	// Dir holds one directory for each environment.
	Dir string
	// Token opens the service, and the control API of each environment's fleet.
	Token string
	// Args are what the instances of an environment are started with; dir is
	// where it may keep its objects. fleet.Options.Args says what else is asked.
	Args func(name, dir, instance, version string) []string
	// Env is the instances' environment.
	Env []string
	// ServerName is what health checks ask for.
	ServerName string
	// Size is how many instances one has; 0 is 1. Most is how many environments
	// there may be; 0 is 16: a machine is soon full.
	Size, Most int
	// Log gets what the fleets say; nil is nowhere.
	Log io.Writer
}

var (
	errName = errors.New("want a name of 1 to 40 of a-z, 0-9 and -, which begins and ends with neither")
	errFull = errors.New("there are as many environments as there may be")
	errNone = errors.New("there is no such environment")

	named = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$`)
)

// Service keeps environments. Its methods may be called concurrently.
type Service struct {
	o Options

	mu     sync.Mutex
	all    map[string]*environment
	closed bool
}

// environment is one that runs.
type environment struct {
	name      string
	fleet     *fleet.Group
	tls, http string // addresses of its balancer
}

// Open starts the environments that are in o.Dir, as they were left. Close ends
// what Open started.
func Open(ctx context.Context, o Options) (*Service, error) {
	if o.Dir == "" || o.Token == "" || o.Args == nil {
		return nil, errors.New("environments: Options: want Dir, Token and Args")
	}
	o.Size, o.Most = max(o.Size, 1), max(o.Most, 0)
	if o.Most == 0 {
		o.Most = 16
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("environments: %w", err)
	}
	s := &Service{o: o, all: map[string]*environment{}}
	there, err := os.ReadDir(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("environments: %w", err)
	}
	for _, entry := range there {
		if _, _, err := s.put(ctx, entry.Name()); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	return s, nil
}

// Close stops every environment. Their directories stay, for the next Open.
func (s *Service) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	var failed []error
	for name, e := range s.all {
		failed = append(failed, e.fleet.Stop())
		delete(s.all, name)
	}
	return errors.Join(failed...)
}

// put makes an environment, unless it is there.
func (s *Service) put(ctx context.Context, name string) (e *environment, fresh bool, err error) {
	if !named.MatchString(name) {
		return nil, false, fmt.Errorf("environment %.60q: %w", name, errName)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch e := s.all[name]; {
	case s.closed:
		return nil, false, fmt.Errorf("environment %s: the service was closed", name)
	case e != nil:
		return e, false, nil
	case len(s.all) >= s.o.Most:
		return nil, false, fmt.Errorf("environment %s: %w: %d", name, errFull, s.o.Most)
	}
	if e, err = s.start(ctx, name); err != nil {
		return nil, false, fmt.Errorf("environment %s: %w", name, err)
	}
	s.all[name] = e
	return e, true, nil
}

// start begins a fleet without a release, or with that of its directory.
func (s *Service) start(ctx context.Context, name string) (*environment, error) {
	secure, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, errors.Join(err, secure.Close())
	}
	objects := filepath.Join(s.o.Dir, name, "objects")
	if err := os.MkdirAll(objects, 0o700); err != nil {
		return nil, errors.Join(err, secure.Close(), plain.Close())
	}
	e := &environment{name: name, tls: secure.Addr().String(), http: plain.Addr().String()}
	e.fleet, err = fleet.Start(ctx, fleet.Options{
		ID: name, Dir: filepath.Join(s.o.Dir, name, "fleet"), Size: s.o.Size, Env: s.o.Env, Log: s.o.Log,
		ServerName: s.o.ServerName, TLS: secure, HTTP: plain, Token: s.o.Token,
		Args: func(instance, version string) []string { return s.o.Args(name, objects, instance, version) },
	})
	return e, err
}

// remove ends an environment and forgets all that was in it.
func (s *Service) remove(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.all[name]
	if e == nil {
		return fmt.Errorf("environment %.60q: %w", name, errNone)
	}
	delete(s.all, name)
	return errors.Join(e.fleet.Stop(), os.RemoveAll(filepath.Join(s.o.Dir, name)))
}

func (s *Service) get(name string) *environment {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all[name]
}
