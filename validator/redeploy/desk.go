package redeploy

import (
	"context"
	"crypto/rand"
	"sync"
	"time"
)

// Desk proves commit to live in the background, for checks that are made every
// tick and cannot wait for a build: one desk per team.
type Desk struct {
	deploy Deploy
	o      DeskOptions
	ctx    context.Context
	cancel context.CancelFunc
	ended  sync.WaitGroup

	mu     sync.Mutex
	began  time.Time // the last proof; zero: none yet
	busy   bool      // a proof is on
	held   bool
	closed bool
	latest *Proof
}

// Deploy has a platform run a version that carries nonce. It returns once that
// is proven, or cannot be any more; told gets every step.
type Deploy func(ctx context.Context, nonce string, told func(Step)) Proof

// DeskOptions say how often a desk proves.
type DeskOptions struct {
	Every  time.Duration    // from one beginning to the next, at least
	Again  time.Duration    // likewise after a proof that failed; 0: Every
	Within time.Duration    // one proof may take as long
	Now    func() time.Time // nil: time.Now
}

// NewDesk returns a desk that has proven nothing and begins nothing by itself.
func NewDesk(deploy Deploy, o DeskOptions) *Desk {
	if o.Now == nil {
		o.Now = time.Now
	}
	d := &Desk{deploy: deploy, o: o}
	d.ctx, d.cancel = context.WithCancel(context.Background())
	return d
}

// Begin starts a proof and returns true, unless one is on, the last began less
// than Every (or Again) ago, or the desk is held or closed.
func (d *Desk) Begin() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.o.Now()
	if d.closed || d.held || d.busy || !d.began.IsZero() && now.Sub(d.began) < d.between() {
		return false
	}
	d.began, d.busy = now, true
	d.ended.Go(d.prove)
	return true
}

// between is how long after the last beginning the next may be.
func (d *Desk) between() time.Duration {
	if d.latest != nil && d.latest.Err != nil {
		return orElse(d.o.Again, d.o.Every)
	}
	return d.o.Every
}

func (d *Desk) prove() {
	ctx, cancel := context.WithTimeout(d.ctx, d.o.Within)
	defer cancel()
	proof := d.deploy(ctx, rand.Text(), nil)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.busy = false
	if d.ctx.Err() == nil { // what the judge broke off itself says nothing
		d.latest = &proof
	}
}

// Latest is the last proof that has ended; false: none has.
func (d *Desk) Latest() (Proof, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.latest == nil {
		return Proof{}, false
	}
	return *d.latest, true
}

// Hold keeps the desk from beginning, while a campaign is on, or lets it go on.
// A proof that is on runs to its end: hold it Within before.
func (d *Desk) Hold(on bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.held = on
}

// Within is how long one proof may take.
func (d *Desk) Within() time.Duration { return d.o.Within }

// Close stops the proof that is on, if any, and waits for it.
func (d *Desk) Close() {
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	d.cancel()
	d.ended.Wait()
}
