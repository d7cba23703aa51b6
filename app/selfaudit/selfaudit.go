// Package selfaudit reads again, slowly and for ever, a random sample of what
// this instance has acknowledged, and counts what it finds. It is how a server
// learns by itself that an acknowledged object is gone, before a user does.
//
// It never calls a loss what may be none, and hides none: where other instances
// share the store, what is missing may have been deleted through one of them.
// That is counted apart, as absent. The sample is in memory: a restart begins a
// new one.
package selfaudit

import (
	"crypto/sha256"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"bogops/app/store"
)

// Config is what an Auditor needs. Store is required.
type Config struct {
	// Store is read; not through Watch.
	Store store.Store

	// Alone says that no other process writes to the store. Then whatever is
	// missing or not as this instance left it is lost.
	Alone bool

	Sample int     // objects, default 4,096; with keys of 1 KiB they hold about 5 MiB
	Rate   float64 // objects read a second at most; default 2
	Bytes  int     // bytes read a second at most; default 8 MiB

	Draw   func(n int) int // 0 to n-1; nil: at random
	Logger *slog.Logger    // nil: nothing is logged
}

// Result is what reading an object again has shown.
type Result string

// The results. Lost is the only one that is certainly the store's fault.
const (
	Verified    Result = "verified"    // it has the bytes that were acknowledged
	Superseded  Result = "superseded"  // a later write, not of this instance, is there
	Absent      Result = "absent"      // nothing is there; another instance may have deleted it
	Older       Result = "older"       // another version is there that says it is older: lost, or a clock is wrong
	Unreadable  Result = "unreadable"  // the store gave an error instead; it is asked again later
	Unconfirmed Result = "unconfirmed" // it looked lost, and at a second look did not
	Lost        Result = "lost"        // wrong bytes, or gone though nobody can have deleted it
)

// Results are all of them.
func Results() []Result {
	return []Result{Verified, Superseded, Absent, Older, Unreadable, Unconfirmed, Lost}
}

// Numbers are what an Auditor has found since it began, by result, and how many
// objects its sample holds now.
type Numbers struct {
	Found  map[Result]int64
	Sample int
}

// version identifies one write of a key.
type version struct {
	etag     string
	modified time.Time
}

// entry is one acknowledged object of the sample.
type entry struct {
	key string
	version
	size   int64
	sum    [sha256.Size]byte
	before version // what this write replaced, where this instance wrote that too
	at     int     // its place in the sample
}

// flight is a key that is being written through this instance.
type flight struct {
	writes  int
	crowded bool // there were several at once: which one is the last is not known
}

// Auditor holds the sample. All methods may be called concurrently.
type Auditor struct {
	cfg Config

	mu      sync.Mutex
	entries map[string]*entry
	sample  []*entry
	flights map[string]*flight
	seen    int // acknowledged writes
	found   map[Result]int64
	blind   bool // the last object could not be read
}

// New returns an Auditor whose sample is empty.
func New(cfg Config) *Auditor {
	if cfg.Sample == 0 {
		cfg.Sample = 4096
	}
	if cfg.Rate == 0 {
		cfg.Rate = 2
	}
	if cfg.Bytes == 0 {
		cfg.Bytes = 8 << 20
	}
	if cfg.Draw == nil {
		cfg.Draw = rand.IntN
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Auditor{cfg: cfg, entries: map[string]*entry{}, flights: map[string]*flight{}, found: map[Result]int64{}}
}

// Numbers returns the numbers of now.
func (a *Auditor) Numbers() Numbers {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := Numbers{Found: map[Result]int64{}, Sample: len(a.sample)}
	for _, r := range Results() {
		n.Found[r] = a.found[r]
	}
	return n
}

// begin notes that a write of key begins. Chosen says whether its bytes should
// be remembered: those of a key in the sample always, others so that each
// acknowledged write has the same chance (Vitter's algorithm R, 1985).
func (a *Auditor) begin(key string) (chosen bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	f := a.flights[key]
	if f == nil {
		f = &flight{}
		a.flights[key] = f
	}
	f.writes++
	f.crowded = f.crowded || f.writes > 1
	return a.entries[key] != nil || len(a.sample) < a.cfg.Sample || a.cfg.Draw(a.seen+1) < a.cfg.Sample
}

// end notes how a write of key has ended. fresh is what it left, nil where it
// left nothing to remember; err is the store's.
func (a *Auditor) end(key string, fresh *entry, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	f := a.flights[key]
	if f.writes--; f.writes == 0 {
		delete(a.flights, key)
	}
	if err == nil {
		a.seen++
	}
	old := a.entries[key]
	if err != nil && !errors.Is(err, store.ErrUnknown) && !f.crowded {
		return // the store promises that nothing has changed
	}
	if old != nil {
		a.forget(old)
	}
	if err != nil || fresh == nil || f.crowded {
		return
	}
	if old != nil {
		fresh.before = old.version
	}
	if len(a.sample) >= a.cfg.Sample {
		a.forget(a.sample[a.cfg.Draw(len(a.sample))])
	}
	fresh.at = len(a.sample)
	a.sample = append(a.sample, fresh)
	a.entries[key] = fresh
}

// forget takes e out of the sample. The caller holds the lock.
func (a *Auditor) forget(e *entry) {
	last := a.sample[len(a.sample)-1]
	a.sample[e.at], last.at = last, e.at
	a.sample[len(a.sample)-1] = nil
	a.sample = a.sample[:len(a.sample)-1]
	delete(a.entries, e.key)
}

// pick returns an object that nobody is writing; nil: there is none at hand.
func (a *Auditor) pick() *entry {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.sample) == 0 {
		return nil
	}
	e := a.sample[a.cfg.Draw(len(a.sample))]
	if a.flights[e.key] != nil {
		return nil
	}
	return e
}
