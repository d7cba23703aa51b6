//go:build ceph

package proof

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/app/store/linear"
)

const (
	wanted   = 1000             // acknowledged operations for each kind of fault
	backIn   = 15 * time.Second // service after healing
	untilOut = 3 * time.Minute  // for what has no limit of its own
)

// fault is one way in which something is taken away and given back.
type fault struct {
	name string
	// modes are those in which something must have been acknowledged.
	modes []string
	play  func(*run)
	also  func(*run) // more that must be so, once everything was checked
}

// run is one fault on a platform, with clients at work.
type run struct {
	testing.TB
	*platform
	load *load
	seed uint64

	oldKey string // written before the fault, so that Ceph holds it
	healed time.Time
	back   time.Duration // service after healing
}

// begin lets clients work and returns once they were answered for a while.
func (f *platform) begin(t testing.TB, name string, seed uint64) (r *run, stop func()) {
	t.Helper()
	prefix := fmt.Sprintf("%s-%d", strings.ReplaceAll(name, " ", "-"), seed)
	r = &run{TB: t, platform: f, load: newLoad(f, prefix, seed), seed: seed, oldKey: prefix + "/old"}
	waitFor(t, time.Minute, func() bool {
		return r.load.do(f.instances[0], linear.Op{Kind: linear.Put, Key: r.oldKey, Data: r.load.number()}, nil)
	}, "an object is stored")
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { r.load.run(ctx) })
	stop = sync.OnceFunc(func() {
		cancel()
		running.Wait()
	})
	r.acks(100)
	return r, stop
}

// acks waits until so many more operations were acknowledged.
func (r *run) acks(n int) { r.Helper(); r.acksIn("", n) }

// acksIn waits for acknowledgements in a mode; empty: in any or none.
func (r *run) acksIn(mode string, n int) {
	r.Helper()
	count := func() int {
		all, in := r.load.acknowledged(mode)
		if mode == "" {
			return all
		}
		return in
	}
	before := count()
	waitFor(r, untilOut, func() bool {
		require.NoError(r, r.load.failure())
		return count() >= before+n
	}, "%d more operations are acknowledged %s", n, mode)
}

// awaits waits until an instance serves in a mode.
func (r *run) awaits(i *instance, mode string) {
	r.Helper()
	waitFor(r, untilOut, func() bool { last := i.last(); return last.serving && last.mode == mode }, "%s serves in mode %s", i.name, mode)
}

// pass lets time pass, of which the fault is made.
func (r *run) pass(d time.Duration) {
	select {
	case <-time.After(d):
	case <-r.Context().Done():
	}
}

// heal notes that all is given back from now on.
func (r *run) heal() { r.healed = time.Now() }

// awaitService waits until every instance gives what Ceph holds and takes what
// is new, and notes how long that took.
func (r *run) awaitService() {
	r.Helper()
	for n, i := range r.instances {
		waitFor(r, untilOut, func() bool {
			status, _, _, err := r.load.ask(i, "/v1/objects/"+r.oldKey)
			return err == nil && status == http.StatusOK
		}, "%s gives what Ceph holds", i.name)
		waitFor(r, untilOut, func() bool {
			key := fmt.Sprintf("%s-%d", r.oldKey, n)
			return r.load.do(i, linear.Op{Kind: linear.Put, Key: key, Data: r.load.number()}, nil)
		}, "%s takes what is new", i.name)
	}
	r.back = time.Since(r.healed)
}

// prove plays a fault and returns a row of the table.
func (f *platform) prove(t *testing.T, what fault, judge *reader, seed uint64) string {
	defer f.tell(t)
	r, stop := f.begin(t, what.name, seed)
	defer stop()
	t.Cleanup(func() { f.mend() })
	what.play(r)
	r.awaitService()
	f.awaitMode(t, untilOut, "primary")
	waitFor(t, untilOut, func() bool {
		require.NoError(t, r.load.failure())
		all, _ := r.load.acknowledged("")
		return all >= wanted
	}, "%d operations are acknowledged", wanted)
	stop()
	objects, err := r.load.audit(judge)
	require.NoError(t, err, "BOGOPS_SEED=%d", seed)
	l := r.load
	row := fmt.Sprintf("%-44s %6d %6d %6d %6d %7d %7d %7d %7.1f %6.1f", what.name, l.acked,
		l.inMode["primary"], l.inMode["fallback"], l.inMode["reconciling"], l.refused, l.unknown, objects, l.stall.Seconds(), r.back.Seconds())
	t.Log(row)
	for _, mode := range what.modes {
		require.Positive(t, l.inMode[mode], "nothing was acknowledged in mode %s", mode)
	}
	require.LessOrEqual(t, r.back, backIn, "service after healing")
	if what.also != nil {
		what.also(r)
	}
	return row
}

const head = "fault                                         acked  prim.  fallb. recon. refused unknown objects   stall   back"

// mend gives everything back, also after a failure.
func (f *platform) mend() {
	f.healS3()
	for _, i := range f.instances {
		i.front.look(nil)
		i.mu.Lock()
		if i.paused && i.process != nil {
			_ = i.process.Signal(syscall.SIGCONT) // it may have ended
			i.paused = false
		}
		i.mu.Unlock()
	}
}
