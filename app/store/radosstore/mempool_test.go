package radosstore

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"bogops/app/store"
)

// memPool is a pool in memory, exact to the comments of the interface, that
// a test can hold up.
type memPool struct {
	mu      sync.Mutex
	objects map[string]*memObject
	reads   map[string]int // entries, by object

	// hold is called before each change, outside the lock. It may wait, and an
	// error is returned with nothing done.
	hold func(name string, c change) error
	// answer is called after each change that was done; an error is returned in
	// place of nil.
	answer func(name string, c change) error
}

type memObject struct {
	bytes   []byte
	entries map[string][]byte
}

func newMemPool() *memPool {
	return &memPool{objects: map[string]*memObject{}, reads: map[string]int{}}
}

func (p *memPool) read(ctx context.Context, name string, b []byte, at int64, _ ...*buffer) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	o := p.objects[name]
	if o == nil {
		return 0, errMissing
	}
	return copy(b, o.bytes[min(at, int64(len(o.bytes))):]), nil
}

func (p *memPool) size(_ context.Context, name string) (int64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if o := p.objects[name]; o != nil {
		return int64(len(o.bytes)), nil
	}
	return 0, errMissing
}

func (p *memPool) change(ctx context.Context, name string, c change, _ ...*buffer) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if p.hold != nil {
		if err := p.hold(name, c); err != nil {
			return err
		}
	}
	if err := p.apply(name, c); err != nil {
		return err
	}
	if p.answer != nil {
		return p.answer(name, c)
	}
	return nil
}

func (p *memPool) apply(name string, c change) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	o := p.objects[name]
	if c.create && o != nil {
		return errGuard
	}
	if len(c.guard) > 0 {
		is := make([]byte, len(c.guard))
		if o != nil {
			copy(is, o.bytes)
		}
		if !bytes.Equal(is, c.guard) {
			return errGuard
		}
	}
	if c.remove {
		if o == nil {
			return errMissing
		}
		delete(p.objects, name)
		return nil
	}
	if o == nil && len(c.full)+len(c.patch)+len(c.set) == 0 && !c.create {
		return errMissing // there is nothing to take entries away from
	}
	if o == nil {
		o = &memObject{entries: map[string][]byte{}}
		p.objects[name] = o
	}
	if len(c.full) > 0 {
		o.bytes = bytes.Join(c.full, nil)
	}
	if len(c.patch) > 0 {
		o.bytes = append(slices.Clone(c.patch), o.bytes[min(len(c.patch), len(o.bytes)):]...)
	}
	for k, v := range c.set {
		o.entries[k] = bytes.Clone(v)
	}
	for _, k := range c.drop {
		delete(o.entries, k)
	}
	return nil
}

func (p *memPool) entries(ctx context.Context, name, after, prefix string, limit int) (page []pair, more bool, err error) {
	if err := ctx.Err(); err != nil {
		return nil, false, err
	}
	if strings.ContainsRune(after+prefix, 0) {
		return nil, false, fmt.Errorf("a C string ends at a zero byte: %q, %q", after, prefix)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reads[name]++
	o := p.objects[name]
	if o == nil {
		return nil, false, nil
	}
	var keys []string
	for k := range o.entries {
		if k > after && strings.HasPrefix(k, prefix) {
			keys = append(keys, k)
		}
	}
	sort.Strings(keys)
	for _, k := range keys[:min(len(keys), limit)] {
		page = append(page, pair{k, bytes.Clone(o.entries[k])})
	}
	return page, len(keys) > limit, nil
}

func (p *memPool) each(_ context.Context, found func(string) error) error {
	for _, name := range p.names("") {
		if err := found(name); err != nil {
			return err
		}
	}
	return nil
}

// names are those of all objects that begin with prefix.
func (p *memPool) names(prefix string) (names []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for name := range p.objects {
		if strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return names
}

// entryCount is how many entries the index holds.
func (p *memPool) entryCount() (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for name, o := range p.objects {
		if strings.HasPrefix(name, "i:") {
			n += len(o.entries)
		}
	}
	return n
}

func (p *memPool) where() (string, error)                  { return "memory", nil }
func (p *memPool) address() (string, error)                { return "127.0.0.1:0/1", nil }
func (p *memPool) blocklist(context.Context, string) error { return nil }

var _ pool = (*memView)(nil)

// memView is how one instance sees a memPool: down and without service once it
// is closed.
type memView struct {
	*memPool
	closed atomic.Bool
}

func (v *memView) down() error {
	if v.closed.Load() {
		return fmt.Errorf("%w: closed", store.ErrUnavailable)
	}
	return nil
}

func (v *memView) read(ctx context.Context, name string, b []byte, at int64, holds ...*buffer) (int, error) {
	if err := v.down(); err != nil {
		return 0, err
	}
	return v.memPool.read(ctx, name, b, at, holds...)
}

func (v *memView) change(ctx context.Context, name string, c change, holds ...*buffer) error {
	if err := v.down(); err != nil {
		return err
	}
	return v.memPool.change(ctx, name, c, holds...)
}

func (v *memView) entries(ctx context.Context, name, after, prefix string, limit int) ([]pair, bool, error) {
	if err := v.down(); err != nil {
		return nil, false, err
	}
	return v.memPool.entries(ctx, name, after, prefix, limit)
}

func (v *memView) health(time.Time) store.Health {
	if err := v.down(); err != nil {
		return store.Health{State: store.Down, Reason: "The store is closed."}
	}
	return store.Health{State: store.Healthy}
}

func (v *memView) close() error {
	v.closed.Store(true)
	return nil
}

// clock is a time that only the test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// memHome is one more instance over p. Nothing of it runs in the background;
// it keeps hours of its own where c is nil.
func memHome(t testing.TB, p *memPool, c *clock) *Home {
	t.Helper()
	cfg, err := Config{Pool: "p", Monitors: "127.0.0.1", IndexShards: 8, CollectEvery: -1}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	h := newHome(cfg, &memView{memPool: p})
	if c != nil {
		h.now = c.Now
	}
	t.Cleanup(h.endChores)
	return h
}
