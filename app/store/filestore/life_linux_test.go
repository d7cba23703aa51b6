package filestore

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/app/store"
	"bogops/app/store/filestore/powerfs"
	"bogops/app/store/linear"
)

const (
	storeDir    = "store"
	lifeCuts    = 3
	lifeKeys    = 4
	lifeClients = 6
)

// life is what happens to one disk: stores are opened on it, clients work, the
// power goes, again and again. What is read after each cut belongs to the same
// history as what was done before it.
type life struct {
	seed   uint64
	below  disk
	disk   *powerfs.Disk
	began  time.Time
	tally  tally
	keys   []string
	mu     sync.Mutex
	noted  []linear.Op
	wrong  error
	writes int
}

// tally counts what a life saw.
type tally struct{ cuts, acknowledged, refused, unknown, reads int }

func (t *tally) add(o tally) {
	t.cuts += o.cuts
	t.acknowledged += o.acknowledged
	t.refused += o.refused
	t.unknown += o.unknown
	t.reads += o.reads
}

// live lets a store over below live through some cuts, and returns the first
// promise that it broke. The seed gives the work, the moment of each cut as
// a number of calls, and what is lost; the order of what goes on at once is the
// machine's.
func live(t *testing.T, seed uint64, below disk) (tally, error) {
	t.Helper()
	l := &life{seed: seed, below: below, disk: powerfs.New(), began: time.Now()}
	draw := rand.New(rand.NewPCG(seed, 0))
	l.disk.SyncTakes = []time.Duration{200 * time.Microsecond, 8 * time.Millisecond}[draw.IntN(2)]
	for k := range lifeKeys {
		l.keys = append(l.keys, fmt.Sprintf("%d/%d", seed, k)) // each life has its shards
	}
	for round := range lifeCuts + 1 {
		err := l.between(t, draw, round == lifeCuts)
		if err == nil {
			err = l.wrong
		}
		if err != nil {
			return l.tally, fmt.Errorf("cut %d: %w", round, err)
		}
		l.disk = l.disk.Cut(draw.Uint64())
		l.tally.cuts++
	}
	return l.tally, nil
}

// between is what happens from one cut to the next.
func (l *life) between(t *testing.T, draw *rand.Rand, last bool) error {
	mount, err := l.disk.Mount()
	require.NoError(t, err)
	defer func() { require.NoError(t, mount.Close()) }()
	if early := draw.IntN(40); early > 0 && early < 16 && !last {
		l.disk.StopAfter(early) // while the stores are opened, or soon after
	}
	var stores []*Store
	defer func() {
		for _, s := range stores {
			require.NoError(t, s.Close())
		}
	}()
	below := l.below
	if below.crowd == 1 {
		below.syncsAll = func(*os.File) bool { return true }
		if below.syncAll == nil {
			below.syncAll = func(*os.File) error { return l.disk.SyncAll() }
		}
	}
	for range 1 + draw.IntN(2) { // a second one covers up what the first forgot to sync
		s, err := open(filepath.Join(mount.Path(), storeDir), below)
		if err != nil {
			return l.unlessCut(lost("the store does not open again: %w", err))
		}
		s.nameless = s.nameless && draw.IntN(4) > 0
		stores = append(stores, s)
	}
	for _, s := range stores {
		if err := l.audit(t.Context(), s); err != nil {
			return l.unlessCut(err)
		}
	}
	if last {
		return nil
	}
	l.disk.StopAfter(1 + draw.IntN(400))
	var all sync.WaitGroup
	for id := range lifeClients {
		clientDraw := rand.New(rand.NewPCG(draw.Uint64(), uint64(id)))
		all.Go(func() { l.client(t.Context(), stores[id%len(stores)], id, clientDraw) })
	}
	all.Wait()
	return nil
}

// unlessCut forgives what fails after the power has gone.
func (l *life) unlessCut(err error) error {
	if l.isCut() {
		return nil
	}
	return err
}

func (l *life) isCut() bool {
	select {
	case <-l.disk.Stopped():
		return true
	default:
		return false
	}
}

// client works until the power goes.
func (l *life) client(ctx context.Context, s *Store, id int, draw *rand.Rand) {
	seen := map[string]string{}
	for !l.isCut() {
		op := l.drawn(draw, seen)
		op.Client, op.Call = id, time.Since(l.began)
		op, err := perform(ctx, s, op)
		if err != nil && !l.isCut() {
			l.fail(err)
			return
		}
		if op.ETag != "" {
			seen[op.Key] = op.ETag
		}
		if op.Unknown = err != nil; op.Unknown && op.Kind == linear.Get {
			return
		}
		l.note(op)
	}
}

func (l *life) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.wrong == nil {
		l.wrong = lost("with the power on: %w", err)
	}
}

// drawn is one random operation on a key of this life.
func (l *life) drawn(draw *rand.Rand, seen map[string]string) linear.Op {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.writes++
	return drawn(draw, l.keys, seen, fmt.Sprint(l.writes))
}

// note ends op. What was not done when the power went is not done later.
func (l *life) note(op linear.Op) {
	op.Return = time.Since(l.began)
	op.Until = op.Return
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case op.Unknown:
		l.tally.unknown++
	case op.Refused:
		l.tally.refused++
	case op.Kind == linear.Get:
		l.tally.reads++
	default:
		l.tally.acknowledged++
	}
	l.noted = append(l.noted, op)
}

// audit reads everything through one store, and asks whether all that was noted
// can have happened.
func (l *life) audit(ctx context.Context, s *Store) error {
	page, err := s.List(ctx, store.ListOptions{Limit: 1000})
	if err != nil {
		return lost("list: %w", err)
	}
	listed := map[string]string{}
	for _, info := range page.Objects {
		listed[info.Key] = info.ETag
	}
	for _, key := range l.keys {
		op, err := perform(ctx, s, linear.Op{Kind: linear.Get, Key: key, Client: lifeClients, Call: time.Since(l.began)})
		if err != nil {
			return lost("read: %w", err)
		}
		if op.ETag != listed[key] {
			return lost("%s is read as %q and listed as %q", key, op.ETag, listed[key])
		}
		delete(listed, key)
		l.note(op)
	}
	if len(listed) > 0 {
		return lost("listed, and never written: %v", listed)
	}
	if names, err := s.writing.names(); err != nil || len(names) > 0 {
		return lost("left over: %v %w", names, err)
	}
	return l.history()
}

// history asks whether all that was noted can have happened.
func (l *life) history() error {
	err := linear.Check(l.noted, 20*time.Second)
	if broken := new(linear.Error); errors.As(err, &broken) {
		return lostError{err}
	}
	return err
}
