package memplace

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"bogops/app/store"
	"bogops/app/store/versioned"
)

// view is a store as one instance sees it.
type view struct {
	instance *Instance
	site     *Site
	closed   *atomic.Bool
}

func (v view) address() string { return "client." + v.instance.name }

func (v view) describe(op, key string, epoch uint64, write bool) Call {
	return Call{v.site.name, v.instance.name, op, key, epoch, write}
}

// enter takes a call to its store. It returns what becomes of it there, or the
// error of a call that did not get there; sent says of the latter whether it
// may get there later.
func (v view) enter(ctx context.Context, call Call) (outcome Outcome, sent bool, err error) {
	if err := ctx.Err(); err != nil {
		return 0, false, err
	}
	if err := v.instance.gate(); err != nil {
		return 0, false, err
	}
	if v.closed.Load() {
		return 0, false, v.site.errDown("was closed here")
	}
	v.sleep()
	if v.site.now().down {
		return 0, false, v.site.errDown("is down")
	}
	if err := v.wait(ctx); err != nil {
		return 0, true, err
	}
	if v.blocked() {
		return 0, false, v.site.errDown("has this client on its blocklist")
	}
	if decide := v.site.now().decide; decide != nil {
		outcome = decide(call)
	}
	if outcome == Refuse {
		return 0, false, v.site.errDown("refused the call")
	}
	if err := v.instance.gate(); err != nil {
		return 0, false, err
	}
	return outcome, false, nil
}

// wait returns when the store does not hang.
func (v view) wait(ctx context.Context) error {
	var late <-chan time.Time
	for {
		faults := v.site.now()
		if faults.hung == nil {
			return nil
		}
		if late == nil && faults.timeout > 0 {
			timer := time.NewTimer(faults.timeout)
			defer timer.Stop()
			late = timer.C
		}
		select {
		case <-faults.hung:
		case <-late:
			return v.site.errDown("gave no answer in time")
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", v.site.errDown("gave no answer"), ctx.Err())
		}
	}
}

func (v view) sleep() {
	if delay := v.site.now().delay; delay != nil {
		time.Sleep(delay())
	}
}

func (v view) blocked() bool {
	v.site.mu.Lock()
	defer v.site.mu.Unlock()
	return v.site.blocked[v.address()]
}

// leave takes an answer home.
func (v view) leave() error {
	v.sleep()
	return v.instance.gate()
}

// read has look see the store at one moment.
func (v view) read(ctx context.Context, call Call, look func()) error {
	if _, _, err := v.enter(ctx, call); err != nil {
		return err
	}
	v.site.mu.Lock()
	look()
	v.site.mu.Unlock()
	return v.leave()
}

// write has land change the store at one moment; it returns whether the guard
// held. mine says whether the store shows what land wrote. Both are called with
// the store locked, land perhaps after write has returned.
func (v view) write(ctx context.Context, call Call, land, mine func() bool) error {
	outcome, sent, err := v.enter(ctx, call)
	if sent || outcome == Haunt {
		v.site.mu.Lock()
		v.site.ghosts = append(v.site.ghosts, Ghost{call, v.address(), land})
		v.site.mu.Unlock()
		return unknown(err)
	}
	if err != nil {
		return err
	}
	v.site.mu.Lock()
	landed := land()
	v.site.mu.Unlock()
	if err := v.leave(); err != nil {
		return unknown(err)
	}
	switch {
	case outcome == Lose:
		return v.settle(ctx, call, mine)
	case !landed:
		return versioned.ErrMoved
	}
	return nil
}

// settle reads back what became of a write whose answer was lost.
func (v view) settle(ctx context.Context, call Call, mine func() bool) error {
	call.Op, call.Write = "settle", false
	found := false
	if err := v.read(ctx, call, func() { found = mine() }); err != nil {
		return unknown(err)
	}
	if !found {
		return unknown(nil)
	}
	return nil
}

// unknown keeps the text of its cause only: a caller must not take an outcome
// that is unknown for a store that did nothing.
func unknown(cause error) error {
	if cause == nil {
		return store.ErrUnknown
	}
	return fmt.Errorf("%w: %v", store.ErrUnknown, cause)
}
