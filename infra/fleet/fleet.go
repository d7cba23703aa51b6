// Package fleet is one platform's machines on this one: instances of a package,
// each a process, behind a balancer that passes TCP connections through, and a
// group that keeps their number and replaces what dies. A roll-out drives it
// from outside, by the control API of Handler.
package fleet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// Options describe a group.
type Options struct {
	// ID begins the names of instances: ID-1, ID-2 and so on, never twice.
	ID string
	// Dir keeps packages and the group's state; it is made where it is missing.
	// A group that starts on the Dir of an earlier one goes on with its release.
	Dir string
	// Size is how many instances are wanted, until PUT /v1/size says otherwise.
	Size int
	// Args are what an instance is started with. Instances of a package run in
	// the package's directory, so paths are absolute. The instance must listen on
	// ports of its own and say so on a line of JSON on standard output or error:
	// {"msg": "listening", "addr": "HOST:PORT", "http": "HOST:PORT"}, addr for
	// TLS, http for the plain port.
	Args func(instance, version string) []string
	// Env is the environment of instances, beside PATH, HOME, TMPDIR and TZ of
	// this process: whoever deploys a package must not find the group's token
	// in its surroundings.
	Env []string
	// Log gets what instances and the group say; nil is nowhere.
	Log io.Writer
	// ServerName is what health checks ask for by SNI and Host.
	ServerName string
	// TLS and HTTP are the balancer's listeners. The group closes them.
	TLS, HTTP net.Listener
	// Token is what the control API asks for; empty lets nobody in.
	Token string
	// App is a binary that stands for the package BuiltIn, for a group that
	// needs no deployment; Version is what it is first started as.
	App, Version string
	// MaxSize bounds PUT /v1/size; 0 is 8.
	MaxSize int
	// Keep is how many packages are kept; 0 is 3: what runs, what ran before,
	// and what comes.
	Keep int
	// MaxPackage bounds an uploaded package, in bytes, as it is sent and again,
	// four times as much, as it is unpacked; 0 is 256 MiB.
	MaxPackage int64
	// BootWithin bounds the time from the start of a process to its listening
	// line, and DrainWithin its drain; what takes longer is killed. 0 is 15 s
	// and 12 s.
	BootWithin, DrainWithin time.Duration
}

// BuiltIn is the name of the package that Options.App is.
const BuiltIn = "built-in"

// Release is what instances run: a package, and the version that they then
// describe themselves as.
type Release struct {
	Package string `json:"package"`
	Version string `json:"version"`
}

// Group is a running group. Its methods may be called concurrently.
type Group struct {
	o        Options
	balancer *balancer
	packages *packages
	guard    *guard
	file     string          // of the state
	ctx      context.Context // ends with the group
	cancel   context.CancelFunc
	work     sync.WaitGroup

	mu       sync.Mutex
	state    state
	machines []*machine // that live, or died and were not yet noticed; oldest first
	ended    []*machine // the last ones, for whoever asks why
	lease    *lease
	short    shortage
}

// Start makes a group, serves its balancer, and boots what it has to run: the
// release of an earlier group on the same Dir, else Version of App, else
// nothing, until the first deployment. It returns when those instances listen;
// they need not be ready. A release that was there before and does not start is
// no error: the group goes on trying. The group outlives ctx, which bounds
// Start alone: Stop ends it.
func Start(ctx context.Context, o Options) (*Group, error) {
	g, err := prepare(o)
	if err != nil {
		closeAll(o.TLS, o.HTTP)
		return nil, fmt.Errorf("fleet %s: %w", o.ID, err)
	}
	g.ctx, g.cancel = context.WithCancel(context.WithoutCancel(ctx))
	g.balancer.serve(o.TLS, o.HTTP)
	first := g.state.Release == nil
	if first && o.App != "" {
		err = g.change(func(s *state) { s.Release = &Release{Package: BuiltIn, Version: o.Version} })
	}
	if err == nil {
		_, err = g.Refill(ctx)
	}
	if err != nil && (first || ctx.Err() != nil) {
		return nil, errors.Join(fmt.Errorf("fleet %s: %w", o.ID, err), g.Stop())
	}
	if err != nil {
		g.logf("the release did not start, and is tried again: %v", err)
	}
	g.work.Add(1)
	go g.keep()
	return g, nil
}

// prepare checks the options and opens what lasts.
func prepare(o Options) (*Group, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, err
	}
	g := &Group{o: o, balancer: newBalancer(o.ServerName)}
	var err error
	if g.packages, err = openPackages(o); err != nil {
		return nil, err
	}
	if err := g.restore(); err != nil {
		return nil, err
	}
	g.guard, err = startGuard()
	return g, err
}

// complete fills in what is left out and refuses what cannot work.
func (o *Options) complete() error {
	o.MaxSize = orElse(o.MaxSize, 8)
	o.Keep = orElse(o.Keep, 3)
	o.MaxPackage = orElse(o.MaxPackage, 256<<20)
	o.BootWithin = orElse(o.BootWithin, 15*time.Second)
	o.DrainWithin = orElse(o.DrainWithin, 12*time.Second)
	if o.Log == nil {
		o.Log = io.Discard
	}
	o.Log = &serialised{to: o.Log}
	switch {
	case o.ID == "" || o.Dir == "" || o.Args == nil || o.TLS == nil || o.HTTP == nil:
		return errors.New("Options: want ID, Dir, Args, TLS and HTTP")
	case o.Size < 1 || o.Size > o.MaxSize:
		return fmt.Errorf("Options.Size: %d given; want 1 to %d", o.Size, o.MaxSize)
	case o.Keep < 3:
		return fmt.Errorf("Options.Keep: %d given; want at least 3: what runs, what ran before, what comes", o.Keep)
	case (o.App == "") != (o.Version == ""):
		return errors.New("Options: want App and Version, or neither")
	}
	return nil
}

func orElse[T comparable](given, otherwise T) T {
	var none T
	if given == none {
		return otherwise
	}
	return given
}

// Stop ends the group, then every instance at once, and waits for all of them.
func (g *Group) Stop() error {
	g.mu.Lock()
	g.cancel() // under the lock: nothing is launched any more
	g.mu.Unlock()
	g.work.Wait()
	g.mu.Lock()
	machines := g.machines
	g.machines = nil
	g.mu.Unlock()
	for _, m := range machines {
		m.kill()
	}
	g.balancer.close()
	return g.guard.end()
}

func (g *Group) logf(format string, args ...any) {
	fmt.Fprintf(g.o.Log, "group %s: %s\n", g.o.ID, fmt.Sprintf(format, args...))
}

func closeAll(listeners ...net.Listener) {
	for _, l := range listeners {
		if l != nil {
			l.Close()
		}
	}
}

// serialised lets many instances write to one log.
type serialised struct {
	mu sync.Mutex
	to io.Writer
}

func (s *serialised) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.to.Write(p)
}
