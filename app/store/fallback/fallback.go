// Package fallback keeps objects in Ceph, and in S3 while Ceph is not there,
// with many instances at once and nothing lost or confused on the way out and
// home. It works by nine rules, each of which closes a schedule that breaks a
// simpler protocol; a model of them is checked by Spin, and code and model use
// the same names. A rule changes in both or in neither.
//
//  1. The control record in S3 says the epoch, the mode and which areas are not
//     yet empty; it is changed by conditional write only (record.go, recover.go).
//  2. An instance acts by the record under a lease, and waits for the time of a
//     lease before it acts under another epoch (lease.go, hold.go).
//  3. The epoch is checked twice (second.go).
//  4. A version is epoch, generation and nonce, and every write is guarded by the
//     head it replaces (package versioned).
//  5. In S3 each fall-back epoch has an area of its own; nothing is written to it
//     after its epoch (operation.go, sweep.go).
//  6. A delete writes a tombstone, removed when nothing older can still land
//     (writes.go, tombstones.go, flights.go).
//  7. What is served depends on the mode (reads.go, reconciling.go, writes.go).
//  8. Ceph is left and returned to by agreement (instances.go, trip.go), and one
//     reconciler brings everything home (reconcile.go, bring.go).
//  9. What describes an object is ours and moves with it; state.go says how
//     things stand.
package fallback

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"bogops/app/store"
	"bogops/app/store/versioned"
)

// Config is what an instance is told. Zero durations and numbers are the
// defaults.
type Config struct {
	Home versioned.Home // Ceph; Close closes it
	Away versioned.Away // S3

	Instance  string        // its name, for people; unique among the running ones
	Lease     time.Duration // L, the same for every instance; 10 s
	TripAfter time.Duration // Ceph is down here when no round trip worked for that long; 10 s
	BackAfter time.Duration // Ceph is back when every round trip worked for that long; 10 s
	HoldFor   time.Duration // how long a request waits for the end of a wait at most; 3 s
	MaxHeld   int           // how many requests wait at most; 1,024

	// NewPool vouches that the pool has never been written to. A platform whose
	// Ceph has not come yet can then begin in S3, where it otherwise waits for
	// Ceph to say which epochs were before.
	NewPool bool

	Clock  Clock        // nil: the machine's
	Logger *slog.Logger // nil: says nothing

	broken broken
}

// Store is a store.Store and a store.Locator over Ceph and S3.
type Store struct {
	cfg    Config
	home   versioned.Home
	away   versioned.Away
	clock  Clock
	log    *slog.Logger
	broken broken
	name   string // of this process in the records: no two are the same

	renew       time.Duration // between two readings of the control record
	callTimeout time.Duration // of one call about a record

	ctx                                  context.Context // ends with Close
	cancel                               context.CancelFunc
	wg                                   sync.WaitGroup
	wakeKeeper, wakeReporter, wakeWorker chan struct{}
	oneFresh                             chan struct{} // holds one while the record is read for second checks

	mu      sync.Mutex
	closed  bool
	changed chan struct{} // closed at every change that requests wait for
	held    int           // requests that wait
	next    *reading      // of the control record, not begun
	trouble string        // why the record could not be read
	lease   lease
	flights flights
	pulse   pulse
	backlog backlog

	reporter reporter // used by the reporter alone
	worker   worker   // used by the worker alone
}

var (
	_ store.Store   = (*Store)(nil)
	_ store.Locator = (*Store)(nil)
)

// Open returns a store that begins at once to look for the control record; until
// it serves, requests wait or are refused. It asks neither Ceph nor S3 before it
// returns. The caller closes it.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	s, err := build(ctx, cfg)
	if err != nil {
		return nil, err
	}
	s.wg.Go(s.keep)
	s.wg.Go(s.feel)
	s.wg.Go(s.report)
	s.wg.Go(s.work)
	return s, nil
}

// build makes a store whose goroutines do not run.
func build(ctx context.Context, cfg Config) (*Store, error) {
	rules, err := brokenRules()
	if err != nil {
		return nil, err
	}
	if rules == (broken{}) {
		rules = cfg.broken
	}
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	s := &Store{
		cfg: cfg, home: cfg.Home, away: cfg.Away, clock: cfg.Clock, log: cfg.Logger, broken: rules,
		name: cfg.Instance + "." + nonce()[:8], renew: cfg.Lease / 10, callTimeout: cfg.Lease / 2,
		wakeKeeper: make(chan struct{}, 1), wakeReporter: make(chan struct{}, 1), wakeWorker: make(chan struct{}, 1), oneFresh: make(chan struct{}, 1),
		changed: make(chan struct{}), flights: flights{begun: map[uint64]int{}},
	}
	s.ctx, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	s.reporter.seen, s.worker.silent = map[string]sighting{}, map[string]sighting{}
	return s, nil
}

// complete fills in the defaults and refuses what cannot work.
func (c *Config) complete() error {
	if c.Home == nil || c.Away == nil || c.Instance == "" {
		return errors.New("fallback: want a home, an away and an instance's name")
	}
	for name, field := range map[string]struct {
		given *time.Duration
		usual time.Duration
	}{
		"lease": {&c.Lease, 10 * time.Second}, "trip": {&c.TripAfter, 10 * time.Second},
		"back": {&c.BackAfter, 10 * time.Second}, "hold": {&c.HoldFor, 3 * time.Second},
	} {
		if *field.given < 0 {
			return fmt.Errorf("fallback: %s: %s given; want a time that is not negative", name, *field.given)
		}
		if *field.given == 0 {
			*field.given = field.usual
		}
	}
	if c.MaxHeld == 0 {
		c.MaxHeld = 1024
	}
	if c.Clock == nil {
		c.Clock = SystemClock{}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return nil
}

// Describe implements store.Store: the platform's store is Ceph, whatever is
// used meanwhile.
func (s *Store) Describe() store.Description { return s.home.Describe() }

// Health implements store.Store.
func (s *Store) Health(ctx context.Context) store.Health {
	now := s.clock.Now()
	s.mu.Lock()
	t, why := s.lease.serving(now), s.why(now)
	held := s.mayHold(now, now+s.cfg.HoldFor) == nil && s.lease.known.Epoch > 0
	closed, down := s.closed, s.pulse.down(now, s.cfg.TripAfter)
	s.mu.Unlock()
	switch {
	case t == nil && held && !closed:
		return store.Health{State: store.Degraded, Reason: why}
	case t == nil || closed:
		return store.Health{State: store.Down, Reason: why}
	case t.mode == Fallback:
		return store.Health{State: store.Degraded, Reason: "Ceph is away: objects are kept in S3, and those that only Ceph holds cannot be read."}
	case down:
		return store.Health{State: store.Down, Reason: "This instance cannot reach Ceph, and the others have not agreed that it is away."}
	}
	health := s.home.Health(ctx)
	if t.mode == Reconciling && health.State == store.Healthy {
		return store.Health{State: store.Degraded, Reason: "Ceph is back: objects that were kept in S3 are being brought home."}
	}
	return health
}

// Close implements store.Store. It waits for the store's own goroutines, not for
// requests; these are refused from now on.
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.stop()
	s.closed = true
	s.announce()
	s.mu.Unlock()
	s.cancel()
	s.wg.Wait()
	s.farewell()
	return s.home.Close()
}

func errClosed() error { return fmt.Errorf("%w: the store is closed", store.ErrUnavailable) }

// kick wakes a goroutine that sleeps, or keeps it from falling asleep once.
func (s *Store) kick(wake chan struct{}) {
	select {
	case wake <- struct{}{}:
	default:
	}
}

// sleep waits for d, for a kick, or for Close.
func (s *Store) sleep(d time.Duration, wake <-chan struct{}) {
	timer, stop := s.clock.Timer(d)
	defer stop()
	select {
	case <-timer:
	case <-wake:
	case <-s.ctx.Done():
	}
}
