package chaos

import (
	"context"
	"fmt"
	"time"
)

// Storage is one team's storage cluster, as a fault needs it. The kind of daemon
// is osd or mon.
type Storage struct {
	// Pick names a daemon of the kind that runs: the victim.
	Pick func(ctx context.Context, kind string) (daemon string, err error)
	// Break stops the daemon in one of the ways stop, kill and freeze; Mend has
	// it run again, also where it does already.
	Break func(ctx context.Context, daemon, way string) error
	Mend  func(ctx context.Context, daemon, way string) error
	// Running is how many daemons of the kind the cluster itself counts.
	Running func(ctx context.Context, kind string) (int, error)
	// Serves returns nil where every part of the data can be read and written.
	Serves func(ctx context.Context) error
}

// storageShows is how long a cluster may take to see that a daemon is gone: an
// OSD that says nothing is marked down by its peers after 4 s here and 20 s by
// Ceph's default, a monitor after an election of up to 10 s.
const storageShows = 40 * time.Second

// storageUndoes is how long a daemon may take to run again: a team's command
// has 20 s. countWithin is the part of it in which the cluster is asked first
// what it counts: one that does not answer must not take its time from mending.
const (
	storageUndoes = 30 * time.Second
	countWithin   = 5 * time.Second
)

// StorageFault breaks one daemon of a team's storage, for the whole window: one
// that was stopped does not come back alone, and what is asked of the platform
// is to serve without it.
//
// It is seen once the cluster itself counts fewer daemons. It is healed once the
// cluster serves all of its data again, without that one.
func StorageFault(kind, title, way, daemon string, s Storage) Action {
	var victim string
	var before int
	return Action{
		Kind: kind, Title: title, Stays: true, Shows: storageShows, Undoes: storageUndoes,
		Resolve: func(ctx context.Context) (_ string, err error) {
			if before, err = s.Running(ctx, daemon); err != nil {
				return "", err
			}
			victim, err = s.Pick(ctx, daemon)
			return victim, err
		},
		Do: func(ctx context.Context) error { return s.Break(ctx, victim, way) },
		Verify: func(ctx context.Context) error {
			now, err := s.Running(ctx, daemon)
			if err == nil && now >= before {
				err = fmt.Errorf("the cluster still counts %d of kind %s, want fewer than %d", now, daemon, before)
			}
			return err
		},
		Healed: s.Serves,
		Undo: func(ctx context.Context) (bool, error) {
			counting, cancel := context.WithTimeout(ctx, countWithin)
			defer cancel()
			now, err := s.Running(counting, daemon)
			// Mended also where it is counted still, or again: it is to run.
			return err != nil || now < before, s.Mend(ctx, victim, way)
		},
	}
}
