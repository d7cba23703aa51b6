//go:build ceph

package proof

import (
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/app/store/linear"
)

var (
	stays   = []string{"primary"}
	travels = []string{"primary", "fallback", "reconciling"}
)

// faults are those that the fall-back promises to survive, in the order in which
// they are played. Whoever stands still does so for four leases: everything that
// it knew is out by then.
func faults(freeze time.Duration) []fault {
	return []fault{
		{"one OSD killed", stays, oneOSD, nobodyNotices},
		{"two OSDs killed", travels, twoOSDs, nil},
		{"all OSDs frozen and thawed", travels, func(r *run) { allFrozen(r, freeze) }, quicklyRefused},
		{"the monitors gone", stays, noMonitors, nil},
		{"S3 gone", stays, noS3, nil},
		{"an instance killed in mid-PUT, in each mode", travels, killedInEachMode, nil},
		{"an instance stopped in primary", travels, stoppedInPrimary, nil},
		{"an instance stopped in fallback", travels, stoppedInFallback, nil},
		{"an instance stopped in reconciling", travels, stoppedInReconciling, nil},
		{"the reconciler stopped before a removal", travels, stoppedBeforeRemoval, nil},
		{"the reconciler killed half-way", travels, killedHalfWay, nil},
		{"trip and return while writing", travels, tripAndReturn, nil},
		{"trip again while reconciling", travels, tripAgain, nil},
		{"wall clocks 20 minutes apart", travels, clocksApart, nil},
	}
}

func oneOSD(r *run) {
	r.kill(r, "osd.1")
	r.acks(300)
	r.pass(4 * time.Second)
	r.up(r, "osd.1")
	r.heal()
}

// nobodyNotices: Ceph itself survives the loss of one OSD in three.
func nobodyNotices(r *run) {
	require.Zero(r, r.load.refused+r.load.unknown, "requests failed")
	require.Less(r, r.load.stall, 3*time.Second, "everybody stood still")
}

func twoOSDs(r *run) {
	r.kill(r, "osd.1", "osd.2")
	r.awaitMode(r, untilOut, "fallback")
	r.acksIn("fallback", 200)
	r.slowly()
	r.up(r, "osd.1", "osd.2")
	r.heal()
}

func allFrozen(r *run, d time.Duration) {
	began := time.Now()
	r.freeze(r)
	r.awaitMode(r, untilOut, "fallback")
	r.acksIn("fallback", 100)
	r.pass(d - time.Since(began))
	r.slowly()
	r.thaw(r)
	r.heal()
}

// quicklyRefused: nobody waits longer for an answer while Ceph says nothing.
func quicklyRefused(r *run) {
	require.LessOrEqual(r, r.load.slowest, 5*time.Second, "a request waited so long for any answer")
}

func noMonitors(r *run) {
	r.kill(r, "mon.m0")
	r.acks(300)
	r.pass(2 * r.tripAfter)
	r.up(r, "mon.m0")
	r.heal()
}

// noS3: without the control record nobody may serve for longer than a lease,
// whatever Ceph says.
func noS3(r *run) {
	r.cutS3()
	r.pass(2 * r.lease)
	before, _ := r.load.acknowledged("")
	r.pass(r.lease)
	after, _ := r.load.acknowledged("")
	require.Equal(r, before, after, "something was acknowledged without a lease")
	r.healS3()
	r.heal()
}

func killedInEachMode(r *run) {
	one, two := r.instances[0], r.instances[1]
	r.killMidPut(one)
	r.hold(r)
	r.awaitMode(r, untilOut, "fallback")
	r.acksIn("fallback", 100)
	r.killMidPut(two)
	r.slowly()
	r.release(r)
	r.awaits(one, "reconciling")
	r.killMidPut(one)
	r.heal()
}

// killMidPut kills an instance that has half of a body, and starts it again.
func (r *run) killMidPut(i *instance) {
	finish := r.midPut(i)
	i.kill()
	finish()
	r.acks(50)
	r.restart(r, i)
}

func stoppedInPrimary(r *run) {
	stopped, other := r.instances[0], r.instances[1]
	resume := r.stopMidPut(stopped)
	r.hold(r)
	r.awaits(other, "fallback")
	r.acksIn("fallback", 100)
	resume()
	r.awaits(stopped, "fallback")
	r.acksIn("fallback", 50)
	r.slowly()
	r.release(r)
	r.heal()
}

func stoppedInFallback(r *run) {
	stopped, other := r.instances[1], r.instances[0]
	r.hold(r)
	r.awaitMode(r, untilOut, "fallback")
	r.acksIn("fallback", 200)
	resume := r.stopMidPut(stopped)
	r.slowly()
	r.release(r)
	r.awaits(other, "reconciling")
	resume()
	r.heal()
}

func stoppedInReconciling(r *run) {
	stopped := r.instances[0]
	r.hold(r)
	r.awaitMode(r, untilOut, "fallback")
	r.acksIn("fallback", 200)
	r.slowly()
	r.release(r)
	r.awaits(stopped, "reconciling")
	resume := r.stopMidPut(stopped)
	resume()
	r.heal()
}

// stoppedBeforeRemoval has the reconciler stand still with the removal of an
// object sent and not arrived, until fall-back has begun anew.
func stoppedBeforeRemoval(r *run) {
	r.hold(r)
	r.awaitMode(r, untilOut, "fallback")
	r.acksIn("fallback", 200)
	var once sync.Once
	caught, goOn := make(chan *instance), make(chan struct{})
	arrive := sync.OnceFunc(func() { close(goOn) })
	defer arrive()
	for _, i := range r.instances {
		i.front.look(func(asked *http.Request) {
			if !removesFromArea(asked) {
				return
			}
			first := false
			once.Do(func() { first = true })
			if first {
				caught <- i
				<-goOn
			}
		})
	}
	r.release(r)
	var reconciler *instance
	select {
	case reconciler = <-caught:
	case <-time.After(untilOut):
		require.FailNow(r, "nobody brought anything home")
	}
	reconciler.pause(r)
	r.acksIn("reconciling", 20)
	r.hold(r)
	r.awaits(r.other(reconciler), "fallback")
	r.acksIn("fallback", 100)
	reconciler.resume(r)
	arrive()
	r.awaits(reconciler, "fallback")
	r.acksIn("fallback", 50)
	r.release(r)
	r.heal()
}

func killedHalfWay(r *run) {
	r.hold(r)
	r.awaitMode(r, untilOut, "fallback")
	r.acksIn("fallback", 200)
	var removals atomic.Int64
	caught := make(chan *instance, 1)
	for _, i := range r.instances {
		i.front.look(func(asked *http.Request) {
			if removesFromArea(asked) && removals.Add(1) == 20 {
				i.kill()
				caught <- i
			}
		})
	}
	r.release(r)
	select {
	case i := <-caught:
		r.acks(50)
		r.restart(r, i)
	case <-time.After(untilOut):
		require.FailNow(r, "nobody brought twenty objects home")
	}
	r.heal()
}

func tripAndReturn(r *run) {
	r.hold(r)
	r.awaitMode(r, untilOut, "fallback")
	r.acksIn("fallback", 200)
	r.slowly()
	r.release(r)
	r.heal()
}

func tripAgain(r *run) {
	r.hold(r)
	r.awaitMode(r, untilOut, "fallback")
	r.acksIn("fallback", 200)
	r.slowly()
	r.release(r)
	r.acksIn("reconciling", 50)
	r.freeze(r)
	r.awaitMode(r, untilOut, "fallback")
	r.acksIn("fallback", 100)
	r.thaw(r)
	r.heal()
}

// clocksApart gives each instance another time of day, by a program that was
// built to get it wrong.
func clocksApart(r *run) {
	program := built(r, "ceph,brokenrules")
	for n, off := range []string{"10m", "-10m"} {
		i := r.instances[n]
		i.kill()
		i.command[0] = program
		r.restart(r, i, "BOGOPS_WALL_OFF="+off)
		r.acks(50)
		r.isOff(i)
	}
	tripAndReturn(r)
}

// isOff makes sure that what i writes bears another time than this machine's.
func (r *run) isOff(i *instance) {
	r.Helper()
	key := r.oldKey + "-" + i.name
	waitFor(r, untilOut, func() bool {
		return r.load.do(i, linear.Op{Kind: linear.Put, Key: key, Data: r.load.number()}, nil)
	}, "%s takes what is new", i.name)
	_, header, _, err := r.load.ask(i, "/v1/objects/"+key)
	require.NoError(r, err)
	written, err := http.ParseTime(header.Get("Last-Modified"))
	require.NoError(r, err)
	require.Greater(r, time.Since(written).Abs(), 9*time.Minute, "the time of day of %s", i.name)
}

// slowly has what the reconciler removes wait, so that there is something to see
// of the mode: until clients were answered in it, and a while in any case.
func (r *run) slowly() {
	_, before := r.load.acknowledged("reconciling")
	for _, i := range r.instances {
		i.front.look(func(asked *http.Request) {
			if !removesFromArea(asked) {
				return
			}
			for range 40 {
				time.Sleep(50 * time.Millisecond)
				if _, now := r.load.acknowledged("reconciling"); now > before {
					return
				}
			}
		})
	}
}
