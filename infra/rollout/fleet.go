package rollout

import (
	"context"
	"errors"
	"io"
	"time"
)

// Release is what instances run: a package, and the version that they then
// describe themselves as.
type Release struct{ Package, Version string }

func (r Release) String() string { return r.Version }

// Fleet is a platform's machines, as a roll-out sees them. Calls return when
// ctx ends. Whoever drives a fleet that calls take time to reach tries again by
// itself where that is safe; an error that comes out is final for the roll-out.
type Fleet interface {
	// Describe says what is wanted and what runs.
	Describe(ctx context.Context) (State, error)
	// Instance looks at one instance, also for a while after it has ended. Of
	// one that is not known at all the state is Gone.
	Instance(ctx context.Context, id string) (Instance, error)
	// Upload brings a package to where instances are launched from. The same
	// package again is no error.
	Upload(ctx context.Context, p Package) error
	// Resize says how many instances are wanted; the fleet sees to it itself.
	Resize(ctx context.Context, size int) error
	// Lease lets one roll-out change what runs, for that long unless it is
	// renewed. While it lasts the fleet replaces nothing; when it has ended the
	// fleet returns to its release. An error is ErrHeld where another roll-out
	// has it.
	Lease(ctx context.Context, holder string, lasts time.Duration) (Lease, error)
}

// Lease is the right to change what runs. Once it has ended, or was lost, its
// methods change nothing and return ErrLost.
type Lease interface {
	// Launch starts an instance and returns at once, with its name.
	Launch(ctx context.Context, r Release) (id string, err error)
	// Retire takes an instance out of the balancer, then lets it drain, or with
	// now ends it at once, and returns when it is gone. It may be called again.
	// Of an instance that is gone already it returns nil.
	Retire(ctx context.Context, id string, now bool) error
	// Commit makes r what the fleet boots replacements of, and what was before
	// the previous release.
	Commit(ctx context.Context, r Release) error
	// Renew lets the lease last that much longer, from now.
	Renew(ctx context.Context, lasts time.Duration) error
	// End gives the lease back. That it has ended already is no error.
	End(ctx context.Context) error
}

// ErrHeld says that another roll-out is under way. The text says whose.
var ErrHeld = errors.New("another roll-out is under way")

// ErrLost says that the lease has ended, or is another's by now.
var ErrLost = errors.New("the lease was lost")

// State is a fleet at one moment.
type State struct {
	Size      int // instances wanted
	Most      int // that may be wanted; 0: not known
	Release   *Release
	Previous  *Release
	Holder    string     // whose roll-out is under way; empty: nobody's
	Instances []Instance // that live, oldest first
}

// Phase is where an instance stands between its launch and its end.
type Phase int

// The phases, in order. A Draining instance gets no connections any more.
const (
	Starting Phase = iota
	Running
	Draining
	Gone
)

func (p Phase) String() string {
	return [...]string{"starting", "running", "draining", "gone"}[p]
}

// Instance is one machine at one moment.
type Instance struct {
	ID      string
	Release Release
	Phase   Phase
	Ready   bool
	Reason  string   // why it is not ready, or how it ended
	Log     []string // what it said, where the fleet can give them; not by Describe
}

// Package is what Upload brings.
type Package struct {
	Name     string // one name never means two different packages
	Revision string // of the sources, as the package says
	Bytes    int64
	SHA256   [32]byte
	Open     func() (io.ReadCloser, error) // the archive, from its beginning
}
