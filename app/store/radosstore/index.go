package radosstore

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"bogops/app/store"
	"bogops/app/store/versioned"
)

// index is the listing of the pool: the omaps of a fixed number of shards, with
// one entry for every write of a key.
//
// A writer sets its entry, pending, while it writes the head, and acknowledges
// when both are done. Later, with whatever is sent next, the entry becomes
// settled and that of the head it replaced goes. A lister takes for each key the
// entry with the highest epoch and generation:
//
//   - settled: the lister believes it. Any later write that was acknowledged
//     before the listing began had set its own entry by then, and it would sort
//     higher, since versions only go up while a key has a head; and where a head
//     is removed, no settled entry of it is left behind (see remove). What was
//     not acknowledged may be shown or not.
//   - pending, or two at a tie: the write may have taken effect or not, and the
//     lister looks at the head. Whatever that says was true after the listing
//     began.
//
// Nobody takes away a pending entry because its head is not there: the head may
// be on its way. That is the first of the races; remove closes another, where a
// late settling brings back a key that is gone.
type index struct {
	pool  pool
	now   func() time.Time
	stale time.Duration // after which nobody waits for a pending write
	fresh int           // shards of the index of a pool that has none yet

	opening sync.Mutex
	shards  atomic.Pointer[[]*shard] // nil until the pool was reached once

	life    context.Context // of what is sent on nobody's behalf
	end     context.CancelFunc
	flights sync.WaitGroup

	mu     sync.RWMutex
	closed bool
}

func newIndex(p pool, shards int, stale time.Duration, now func() time.Time) *index {
	x := &index{pool: p, now: now, stale: stale, fresh: shards}
	x.life, x.end = context.WithCancel(context.Background())
	return x
}

// shardOf returns the shard that holds the entries of key, after open.
func (x *index) shardOf(key string) *shard {
	shards := *x.shards.Load()
	return shards[shardOf(key, len(shards))]
}

// around carries out write, which puts the head next in the place of base, and
// sets the entry of next at the same time. It returns when both are done, with
// the error of write, or ErrUnknown where write succeeded and the entry is not
// known to be there: then it is tried again behind the caller's back.
func (x *index) around(ctx context.Context, key string, base, next versioned.Head, write func() (versioned.Head, error)) (versioned.Head, error) {
	if _, err := x.open(ctx); err != nil {
		return versioned.Head{}, err
	}
	fence := x.shardOf(key).seen() // before the head can be there; see remove
	e := pendingEntry(next, key, x.now())
	pending, err := x.put(e)
	if err != nil {
		return versioned.Head{}, err
	}
	head, err := write()
	indexed := pending.wait(ctx)
	switch {
	case errors.Is(err, store.ErrUnknown):
		return head, err // the entry stays pending for as long as that is true
	case err != nil:
		x.drop(e)
		return head, err
	}
	if indexed == nil && x.now().Sub(e.put) > x.stale/2 {
		// This process stood still for so long that the entry may have been
		// taken for a dead one. The head is there now, so from here it cannot.
		if pending, err = x.put(e); err == nil {
			indexed = pending.wait(ctx)
		} else {
			indexed = err
		}
	}
	if indexed != nil {
		return head, fmt.Errorf("%w: the head is written and its index entry not known to be (%w)", store.ErrUnknown, indexed)
	}
	e.info, e.settled = head.Info, true
	x.settle(e, fence, base.Version)
	return head, nil
}

// put queues the pending entry e to be sent at once.
func (x *index) put(e entry) (*ticket, error) {
	t := &ticket{done: make(chan struct{})}
	if !x.queue(e.key, edit{name: e.name(), value: e.value(), ticket: t}) {
		return nil, fmt.Errorf("%w: the store is closed", store.ErrUnavailable)
	}
	return t, nil
}

// settle queues that e took effect, which was not replaced yet when the fence of
// its shard was this one, and that the entry of the write it replaced can go.
func (x *index) settle(e entry, fence uint64, replaced versioned.Version) {
	x.queue(e.key, edit{name: e.name(), value: e.value(), lazy: true, fenced: true, fence: fence})
	if !replaced.IsZero() {
		x.drop(entry{key: e.key, version: replaced})
	}
}

// drop queues that the entry e goes: its write never took effect, or has been
// replaced by one whose entry is there.
func (x *index) drop(e entry) {
	x.queue(e.key, edit{name: e.name(), lazy: true})
}

// queue reports whether c was taken. What is lazy may be forgotten: it only
// costs the listers a look.
func (x *index) queue(key string, c edit) bool {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.closed {
		return false
	}
	s := x.shardOf(key)
	if s.add(c) {
		x.flights.Go(func() { x.fly(s) })
	}
	return true
}

// flush sends what is queued. A background loop calls it about once a second;
// under load the queue leaves with the entries of new writes long before.
func (x *index) flush() {
	x.mu.RLock()
	defer x.mu.RUnlock()
	shards := x.shards.Load()
	if x.closed || shards == nil {
		return
	}
	for _, s := range *shards {
		if s.hurry() {
			x.flights.Go(func() { x.fly(s) })
		}
	}
}

// close sends what is queued, unless ctx ends before, and takes no more.
func (x *index) close(ctx context.Context) {
	x.flush()
	x.mu.Lock()
	x.closed = true
	x.mu.Unlock()
	stop := context.AfterFunc(ctx, x.end)
	defer stop()
	x.flights.Wait()
	x.end()
}
