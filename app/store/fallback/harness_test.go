package fallback

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/app/store"
	"bogops/app/store/versioned/memplace"
)

// handClock stands still until a test moves it.
type handClock struct {
	mu     sync.Mutex
	now    time.Duration
	timers map[*handTimer]bool
}

type handTimer struct {
	at time.Duration
	c  chan time.Time
}

func newHandClock() *handClock {
	return &handClock{now: time.Hour, timers: map[*handTimer]bool{}}
}

func (c *handClock) Now() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *handClock) Wall() time.Time { return time.Now().UTC() }

func (c *handClock) Timer(d time.Duration) (<-chan time.Time, func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := &handTimer{c.now + d, make(chan time.Time, 1)}
	c.timers[t] = true
	return t.c, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.timers, t)
	}
}

func (c *handClock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now += d
	for t := range c.timers {
		if t.at <= c.now {
			t.c <- time.Time{}
			delete(c.timers, t)
		}
	}
}

const testLease = 10 * time.Second

// platform is several instances over one world, each of which takes a step only
// where the test says so.
type platform struct {
	t     testing.TB
	world *memplace.World
	clock *handClock
	nodes []*node
}

type node struct {
	*Store
	instance *memplace.Instance
	tags     map[string]string
}

func newPlatform(t testing.TB, instances int, rules broken) *platform {
	p := &platform{t: t, world: memplace.NewWorld(), clock: newHandClock()}
	for range instances {
		p.add(rules)
	}
	p.serveAll()
	return p
}

func (p *platform) add(rules broken) *node {
	name := fmt.Sprintf("i%d", len(p.nodes)+1)
	instance := p.world.Instance(name)
	s, err := build(p.t.Context(), Config{
		Home: instance.Home(), Away: instance.Away(), Instance: name, Lease: testLease, Clock: p.clock, broken: rules,
	})
	require.NoError(p.t, err)
	n := &node{s, instance, map[string]string{}}
	p.nodes = append(p.nodes, n)
	p.t.Cleanup(func() { _ = s.Close() })
	return n
}

// step is what the goroutines of an instance do once each, the worker's left out.
func (n *node) step(ctx context.Context) {
	n.beat(ctx)
	n.touch(ctx, "pulse", n.tags)
	n.reportOnce(ctx)
}

// pass lets time go by, second after second, while the instances go on.
func (p *platform) pass(d time.Duration, nodes ...*node) {
	for range d / time.Second {
		p.clock.advance(time.Second)
		for _, n := range nodes {
			n.step(p.t.Context())
		}
	}
}

// serveAll has every instance read the record, wait, and serve.
func (p *platform) serveAll() {
	p.t.Helper()
	p.pass(2*time.Second, p.nodes...)
	p.pass(testLease, p.nodes...)
	for _, n := range p.nodes {
		state := n.State()
		require.True(p.t, state.Serving, "%s: %+v", n.name, state)
	}
}

// leave has Ceph go away until the platform serves from S3.
func (p *platform) leave() {
	p.t.Helper()
	p.world.Home.SetDown(true)
	for range 4 {
		p.pass(testLease, p.nodes...)
		if p.mode() == Fallback {
			p.serveAll()
			return
		}
	}
	require.Fail(p.t, "the platform did not leave Ceph")
}

// comeBack has Ceph there again until the platform serves from it, its areas not
// yet home.
func (p *platform) comeBack() {
	p.t.Helper()
	p.world.Home.SetDown(false)
	for range 4 {
		p.pass(testLease, p.nodes...)
		if p.mode() == Reconciling {
			p.serveAll()
			return
		}
	}
	require.Fail(p.t, "the platform did not come back")
}

// bringHome has the reconciler of the first instance work until all is home.
func (p *platform) bringHome() {
	p.t.Helper()
	for range 3 {
		require.NoError(p.t, p.nodes[0].workOnce(p.t.Context()))
		p.pass(testLease, p.nodes...)
		if p.mode() == Primary {
			p.serveAll()
			return
		}
	}
	require.Fail(p.t, "the areas did not become empty")
}

func (p *platform) mode() Mode {
	r, _, err := p.nodes[0].readRecord(p.t.Context())
	require.NoError(p.t, err)
	return r.Mode
}

func (n *node) write(ctx context.Context, key, data string, opts store.PutOptions) (store.Info, error) {
	opts.Size = int64(len(data))
	return n.Put(ctx, key, strings.NewReader(data), opts)
}

// read returns what a client sees: the bytes, "nothing" or "503".
func (n *node) read(ctx context.Context, key string) string {
	body, _, err := n.Get(ctx, key, store.Whole)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return "nothing"
	case errors.Is(err, store.ErrUnavailable):
		return "503"
	case err != nil:
		return err.Error()
	}
	data, err := io.ReadAll(body)
	if err = errors.Join(err, body.Close()); err != nil {
		return err.Error()
	}
	return string(data)
}

// during has do happen in the midst of the next call that match picks, before it
// reaches its store.
func during(site *memplace.Site, match func(memplace.Call) bool, do func()) {
	var once sync.Once
	site.SetDecide(func(call memplace.Call) memplace.Outcome {
		if match(call) {
			once.Do(func() {
				site.SetDecide(nil)
				do()
			})
		}
		return memplace.Proceed
	})
}

// by picks the calls of one kind that an instance makes.
func by(n *node, op, key string) func(memplace.Call) bool {
	return func(call memplace.Call) bool {
		return call.Instance == n.cfg.Instance && call.Op == op && (key == "" || call.Key == key)
	}
}

// leaveWithout has the other instances go on until the platform serves from S3 through
// them, while the clock goes on for all.
func (p *platform) leaveWithout(n *node) {
	others := []*node{}
	for _, other := range p.nodes {
		if other != n {
			others = append(others, other)
		}
	}
	p.world.Home.SetDown(true)
	for range 40 {
		p.pass(time.Second, others...)
		if s := others[0].State(); s.Mode == Fallback && s.Serving {
			break
		}
	}
	p.world.Home.SetDown(false)
	require.Equal(p.t, Fallback, others[0].State().Mode)
	require.True(p.t, others[0].State().Serving)
}
