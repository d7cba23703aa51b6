//go:build ceph

package proof

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/app/store/linear"
)

// attempts is how often a schedule may miss its moment: real parts take their
// own time, on a busy machine more than a lease.
const attempts = 3

// Each schedule aims at one rule. It is played on a platform that breaks this
// rule, where the answers have to be such as no register gives, and on one that
// keeps it, where they must not.
func TestABrokenRuleIsCaughtAndAKeptOneIsNot(t *testing.T) {
	p := newParts(t)
	program := built(t, "ceph,brokenrules")
	for _, c := range []struct {
		rule string
		pace pace
		play func(*directed)
	}{
		{"delete-removes", quick, deleteInFallback},
		{"first-hit", quick, readWhileReconciling},
		{"unguarded-s3", quick, createTwice},
		{"no-wait", pace{5 * time.Second, 3 * time.Second, 2 * time.Second}, serveAtOnce},
		{"no-second", quick, writeAfterTheEnd},
	} {
		t.Run(c.rule, func(t *testing.T) {
			kept := direct(t, p, c.pace, program, "", c.play)
			require.NoError(t, kept, "with the rule kept")
			var wrong *linear.Error
			for range attempts {
				if errors.As(direct(t, p, c.pace, program, c.rule, c.play), &wrong) {
					break
				}
			}
			require.NotNil(t, wrong, "with the rule broken nothing was wrong")
			t.Logf("caught: %v", wrong)
		})
	}
}

// directed is a platform that is led through one schedule, by one client that
// asks one thing after the other, unless it says otherwise.
type directed struct {
	testing.TB
	*platform
	load *load
	key  string
}

// direct plays a schedule and returns what is wrong with the answers.
func direct(t *testing.T, p parts, at pace, program, rule string, play func(*directed)) error {
	t.Helper()
	var wrong error
	t.Run("broken="+rule, func(t *testing.T) {
		f := newPlatform(t, p, at, program, "BOGOPS_BROKEN_RULES="+rule)
		defer f.tell(t)
		t.Cleanup(func() { // what was taken away, also after a failure
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			for _, osd := range osds {
				_ = p.cluster.Thaw(ctx, osd)
			}
			_, _ = p.cluster.Ceph(ctx, "osd", "unset", "pause")
		})
		d := &directed{t, f, newLoad(f, "directed", 0), "directed/key"}
		play(d)
		require.NoError(t, d.load.failure())
		wrong = linear.Check(d.load.ops, time.Minute)
	})
	return wrong
}

// put, get and remove ask until there is an answer that promises something. No
// two puts are of the same bytes.
func (d *directed) put(i *instance)    { d.Helper(); d.until(i, linear.Put) }
func (d *directed) get(i *instance)    { d.Helper(); d.until(i, linear.Get) }
func (d *directed) remove(i *instance) { d.Helper(); d.until(i, linear.Delete) }

func (d *directed) until(i *instance, kind linear.Kind) {
	d.Helper()
	waitFor(d, untilOut, func() bool { return d.load.do(i, d.op(kind), nil) }, "%s answers a %s", i.name, kind)
}

func (d *directed) op(kind linear.Kind) linear.Op {
	op := linear.Op{Kind: kind, Key: d.key}
	if kind == linear.Put {
		op.Data = d.load.number()
	}
	return op
}

// trip has all instances serve in fall-back, with Ceph waiting.
func (d *directed) trip() {
	d.Helper()
	d.hold(d)
	d.awaitMode(d, untilOut, "fallback")
}

// home lets all be brought home.
func (d *directed) home() {
	d.Helper()
	d.release(d)
	d.awaitMode(d, untilOut, "primary")
}

// deleteInFallback: where a delete leaves nothing, what Ceph holds rises again.
func deleteInFallback(d *directed) {
	d.put(d.instances[0])
	d.trip()
	d.put(d.instances[1])
	d.remove(d.instances[1])
	d.home()
	d.get(d.instances[0])
}

// readWhileReconciling reads before anything could be brought home.
func readWhileReconciling(d *directed) {
	d.put(d.instances[0])
	d.trip()
	d.put(d.instances[1])
	goOn := make(chan struct{})
	arrive := sync.OnceFunc(func() { close(goOn) })
	defer arrive()
	for _, i := range d.instances {
		i.front.look(func(asked *http.Request) {
			if listsArea(asked) {
				<-goOn
			}
		})
	}
	d.release(d)
	waitFor(d, untilOut, func() bool { last := d.instances[0].last(); return last.serving && last.mode == "reconciling" }, "it is reconciled")
	d.get(d.instances[0])
	arrive()
	d.awaitMode(d, untilOut, "primary")
}

// createTwice has a creation arrive in S3 after another write of the key was
// acknowledged: it may replace it no more.
func createTwice(d *directed) {
	d.trip()
	late, early := d.instances[0], d.instances[1]
	arrived, goOn := make(chan struct{}), make(chan struct{})
	arrive := sync.OnceFunc(func() { close(goOn) })
	defer arrive()
	var once sync.Once
	late.front.look(func(asked *http.Request) {
		if writesToArea(asked) {
			once.Do(func() {
				close(arrived)
				<-goOn
			})
		}
	})
	d.put(early) // so that the key is known in the area, and may be created again
	d.remove(early)
	created := make(chan struct{})
	go func() {
		defer close(created)
		op := d.op(linear.Put)
		op.IfAbsent = true
		d.load.do(late, op, nil)
	}()
	<-arrived
	d.put(early)
	arrive()
	<-created
	d.get(early)
	d.home()
	d.get(early)
}

// serveAtOnce keeps one instance from learning that the other has moved to
// fall-back, and gives it Ceph back: for the rest of its lease it serves there.
func serveAtOnce(d *directed) {
	mover, behind := d.instances[0], d.instances[1]
	d.put(mover)
	var blind atomic.Bool
	goOn := make(chan struct{})
	arrive := sync.OnceFunc(func() { close(goOn) })
	defer arrive()
	behind.front.look(func(asked *http.Request) {
		if movesControl(asked) || blind.Load() && readsControl(asked) {
			<-goOn
		}
	})
	var once sync.Once
	mover.front.look(func(asked *http.Request) {
		if movesControl(asked) {
			once.Do(func() {
				blind.Store(true)
				if err := d.each(d, d.cluster.Thaw, osds[:]...); err != nil {
					d.Error(err)
				}
			})
		}
	})
	d.freeze(d)
	d.put(mover) // answered by Ceph, or unknown, until the mover serves in fall-back
	for end := time.Now().Add(d.lease); time.Now().Before(end); {
		d.load.do(behind, d.op(linear.Get), nil)
	}
	arrive()
	d.awaitMode(d, untilOut, "primary")
	d.get(behind)
}

// writeAfterTheEnd holds a write up on its way to S3 until the area that it
// goes to is empty and off the list, and keeps its instance from learning of it.
func writeAfterTheEnd(d *directed) {
	writer, mover := d.instances[0], d.instances[1]
	d.trip()
	d.put(mover)
	goOn, arrived := make(chan struct{}), make(chan struct{})
	arrive := sync.OnceFunc(func() { close(goOn) })
	defer arrive()
	var once sync.Once
	writer.front.look(func(asked *http.Request) {
		if writesToArea(asked) {
			once.Do(func() { close(arrived) })
		}
		select {
		case <-arrived:
			<-goOn
		default:
		}
	})
	written := make(chan struct{})
	go func() {
		defer close(written)
		d.load.do(writer, d.op(linear.Put), nil)
	}()
	<-arrived
	d.release(d)
	waitFor(d, untilOut, func() bool { last := mover.last(); return last.mode == "primary" }, "all is home")
	arrive()
	<-written
	d.awaitMode(d, untilOut, "primary")
	d.get(mover)
	d.get(writer)
}
