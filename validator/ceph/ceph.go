// Package ceph is the judge's own way into a team's Ceph: it reads the bytes of
// objects inside the cluster and asks its monitors, and never writes. What the
// platform tells (see Claim) counts only once it was read here.
package ceph

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Access is a way into one cluster. Its methods may be called concurrently,
// return soon after ctx has ended, and hold no secret in their errors. Errors
// that are none of the classes below are the judge's own fault.
type Access interface {
	// Read returns length bytes of o from byte at on, and fewer only where o
	// ends before.
	Read(ctx context.Context, o Object, at, length int64) ([]byte, error)
	// Ask sends one command to the monitors that changes nothing, and returns
	// their answer as JSON.
	Ask(ctx context.Context, q Query) ([]byte, error)
	// Close gives back what the access holds, and waits for what is under way.
	Close() error
}

// Object names an object of RADOS.
type Object struct {
	Pool, Namespace, Name string
}

func (o Object) String() string {
	if o.Namespace == "" {
		return o.Pool + "/" + o.Name
	}
	return o.Pool + "/" + o.Namespace + "/" + o.Name
}

// Query is a command of the monitors: Prefix as `ceph` takes it, then named
// arguments in the order of its command line.
type Query struct {
	Prefix string
	Args   []Arg
}

// Arg is one named argument of a Query.
type Arg struct{ Name, Value string }

// The classes of what an Access may meet.
var (
	ErrNoWay       = errors.New("no way into Ceph was given for this")         // the team's: nothing can be shown
	ErrDenied      = errors.New("the cluster refuses the judge's credentials") // the team's: its key was withdrawn
	ErrNotFound    = errors.New("no such object or pool in Ceph")              // the team's: its evidence names nothing
	ErrFailed      = errors.New("the way into Ceph gave nothing to read")      // the team's: its cluster or command says no
	ErrUnreachable = errors.New("the cluster does not answer")                 // whose fault that is, a second opinion says
	ErrBuild       = errors.New("this judge was built without the tag `ceph`") // the judge's own
)

// Cluster is one team's Ceph as the judge sees it.
type Cluster struct {
	Access
	Mode      string // rados, rgw or exec, for people
	Pool      string // where the objects must lie; empty: any pool of this cluster
	Namespace string // likewise, where Pool is given
	Gateway   Gateway
	Metrics   func(ctx context.Context) (string, error)  // the mgr's metrics; nil: none
	Remove    func(ctx context.Context, o Object) error  // the organiser's own hand; nil: none
	OSD       func(ctx context.Context, do string) error // stops or starts one OSD, by do: stop, start; nil: nobody can
	Sentinel  string                                     // key agreed with the team; empty: one is drawn
	Secrets   []string                                   // for the redaction of evidence

	mu   sync.Mutex
	fsid string // the first one seen
}

// Gateway reads objects by way of the cluster's own S3 gateway.
type Gateway interface {
	// Object returns at most limit bytes of an object, or an error of the classes
	// of Access.
	Object(ctx context.Context, bucket, key string, limit int64) ([]byte, error)
	Bucket() string
}

// Stable notes the id of the cluster, and returns the one that it had before
// where that was another.
func (c *Cluster) Stable(fsid string) (before string, same bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fsid == "" {
		c.fsid = fsid
	}
	return c.fsid, c.fsid == fsid
}

// Nowhere is the access of a team that gave none.
func Nowhere() *Cluster { return &Cluster{Access: nowhere{}, Mode: "none"} }

type nowhere struct{}

func (nowhere) Read(context.Context, Object, int64, int64) ([]byte, error) { return nil, ErrNoWay }
func (nowhere) Ask(context.Context, Query) ([]byte, error)                 { return nil, ErrNoWay }
func (nowhere) Close() error                                               { return nil }

// patience bounds one call into a cluster: a blocked one cannot be cancelled,
// only outwaited.
const patience = 10 * time.Second

// late is ctx's end as an access tells it.
func late(ctx context.Context, what string) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return fmt.Errorf("%s: %w", what, ctx.Err())
	}
	return fmt.Errorf("%s: %w in time", what, ErrUnreachable)
}
