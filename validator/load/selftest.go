package load

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"sync"
	"time"

	"bogops/validator/contest"
	"bogops/validator/ledger"
)

// Result is one known answer and what the engine measured.
type Result struct {
	Name string
	Got  string
	Want string
	OK   bool
}

// SelfTest measures platforms whose answer is known. It takes about 12 s and
// belongs before any judging with this build on this machine.
func SelfTest(ctx context.Context) []Result {
	t := selfTest{wire: loopback{}}
	results := []Result{t.stall(ctx, 2*time.Second, 6*time.Second)}
	return append(results, t.rest(ctx, 4*time.Second, "", "flip", "truncate", "stale", "lose")...)
}

// QuickCheck is the part of SelfTest that fits before a campaign of a
// compressed day, in under 3 s.
func QuickCheck(ctx context.Context) []Result {
	t := selfTest{wire: loopback{}}
	results := []Result{t.stall(ctx, 400*time.Millisecond, 1200*time.Millisecond)}
	return append(results, t.rest(ctx, time.Second, "", "flip", "lose")...)
}

// selfTest is the engine under test.
type selfTest struct {
	wire   wire
	origin func(due, sent time.Time) time.Time // nil: from the due time
}

// tolerance is of the stall's p99: scheduling and the drain of the queue.
const tolerance = 50 * time.Millisecond

// stallTries is how often a stall is measured where our own lag, over calm,
// makes an attempt inconclusive: the machine was starved, not the measure wrong.
const (
	stallTries = 3
	calm       = 10 * time.Millisecond
)

// stallRate is the requests a second of the stall's measure.
const stallRate = 400

// stall measures a platform that answers at once, but not at all for a time.
// The requests due during a stall of s seconds wait, evenly spread, from s to 0
// seconds. In a run of d seconds at a constant rate, 1 in 100 is due in the
// first d/100 seconds of it, so that p99 = s - d/100. An engine that counts from
// the send sees as many slow answers as it has places, and here these are half
// of 1 %: its p99 is that of no stall at all.
func (t selfTest) stall(ctx context.Context, stall, length time.Duration) (result Result) {
	for range stallTries {
		var lag time.Duration
		if result, lag = t.stallOnce(ctx, stall, length); result.OK || lag <= calm {
			return result
		}
		result.Got += fmt.Sprintf(", with %v of our own lag", lag)
	}
	return result
}

func (t selfTest) stallOnce(ctx context.Context, stall, length time.Duration) (result Result, lag time.Duration) {
	want := stall - length/100
	result = Result{
		Name: fmt.Sprintf("a stall of %v in a run of %v, counted from when each request was due", stall, length),
		Want: fmt.Sprintf("p99 of %.2f s, give or take %.2f s", want.Seconds(), tolerance.Seconds()),
	}
	bench, err := t.bench(ctx, "", contest.Mix{Get: 1}, stallRate, length)
	if err != nil {
		return result.failed(err), 0
	}
	defer bench.close()
	bench.config.MaxInFlight = int(stallRate * length.Seconds() / 200)
	begin := bench.config.T0.Add(length / 6)
	bench.stub.stall(begin, begin.Add(stall))
	summary, err := Run(ctx, bench.config)
	if err != nil {
		return result.failed(err), 0
	}
	p99 := summary.P99["get"]
	result.Got = fmt.Sprintf("p99 of %.2f s, %d of %d right", p99.Seconds(), summary.Right, summary.Offered)
	result.OK = math.Abs((p99-want).Seconds()) <= tolerance.Seconds() && summary.Right == summary.Offered && summary.Unsent == 0
	return result, summary.MaxLag
}

// rest runs the other known answers at once: none depends on time.
func (t selfTest) rest(ctx context.Context, length time.Duration, wrongs ...string) []Result {
	results := make([]Result, len(wrongs), len(wrongs)+1)
	var tests sync.WaitGroup
	for i, wrong := range wrongs {
		tests.Go(func() { results[i] = t.wrong(ctx, wrong, length) })
	}
	tests.Wait()
	return append(results, shards())
}

// wrongKinds are the ways in which a stub is wrong and what the engine calls it.
var wrongKinds = map[string]struct{ name, detail string }{
	"":         {"an honest platform", ""},
	"flip":     {"a flipped bit in some bodies", "corrupt"},
	"truncate": {"half of a body, now and then, as if it were whole", "corrupt"},
	"stale":    {"a version that was replaced", "stale"},
	"lose":     {"an acknowledged object that is not kept", "lost"},
}

// wrong counts the wrongs of a stub that counts them too.
func (t selfTest) wrong(ctx context.Context, wrong string, length time.Duration) Result {
	kind := wrongKinds[wrong]
	result := Result{Name: kind.name}
	mix := contest.Mix{Put: 4, Get: 4}
	if wrong == "" {
		mix.GetProcess = 4
	}
	bench, err := t.bench(ctx, wrong, mix, 150, length)
	if err != nil {
		return result.failed(err)
	}
	defer bench.close()
	summary, err := Run(ctx, bench.config)
	if err != nil {
		return result.failed(err)
	}
	if wrong == "lose" { // the load may ask for it often or never: ask once for all
		summary.Wrong = bench.readBack(ctx)
	}
	found, done := 0, bench.stub.wrongs()
	for detail, n := range summary.Wrong {
		if detail == kind.detail {
			found += n
		} else {
			result.Got += fmt.Sprintf("%d %s, ", n, detail)
		}
	}
	result.OK = found == done && result.Got == "" && (done > 0 || wrong == "")
	result.Want = fmt.Sprintf("%d %s", done, orNothing(kind.detail))
	result.Got += fmt.Sprintf("%d %s", found, orNothing(kind.detail))
	if wrong == "" && summary.Right != summary.Offered {
		result.Got, result.OK = fmt.Sprintf("%d of %d right: %v", summary.Right, summary.Offered, summary.Errors), false
	}
	return result
}

func orNothing(detail string) string {
	if detail == "" {
		return "wrong"
	}
	return detail
}

func (r Result) failed(err error) Result {
	r.Got, r.OK = err.Error(), false
	return r
}

// bench is a stub, an engine and what is between them.
type bench struct {
	stub   *stub
	config Config
	close  func()
}

// bench sets up a stub that is wrong in that way, with the loaded set stored. The
// load may begin at once.
func (t selfTest) bench(ctx context.Context, wrong string, mix contest.Mix, rate float64, length time.Duration) (*bench, error) {
	const soon = time.Millisecond
	plan, err := NewPlan([]byte("selftest"), contest.Campaign{
		ID: "selftest", Duration: length + soon, Mix: mix,
		Ramp:  []contest.Stage{{To: rate, For: soon}, {To: rate, For: length}},
		Sizes: []contest.Size{{Bytes: 4096, Share: 1}},
		SLO:   map[string]contest.SLO{"put": {Max: 10 * time.Second}, "get": {Max: 10 * time.Second}},
	})
	if err != nil {
		return nil, err
	}
	plan.loaded = 16
	dir, err := os.MkdirTemp("", "selftest-")
	if err != nil {
		return nil, err
	}
	book, err := ledger.Open(filepath.Join(dir, "ledger"))
	if err != nil {
		_ = os.RemoveAll(dir)
		return nil, err
	}
	clean := func() {
		_ = book.Close()
		_ = os.RemoveAll(dir)
	}
	listener, err := t.wire.listen()
	if err != nil {
		clean()
		return nil, err
	}
	b := &bench{stub: newStub(wrong)}
	stop := b.stub.serve(listener)
	b.close = func() {
		stop()
		clean()
	}
	b.config = Config{
		Plan: plan, Team: "stub", Campaign: "selftest", Target: stubTarget(listener.Addr().String()), Ledger: book,
		MaxCPU: math.Inf(1), dial: t.wire.dial, origin: t.origin,
	}
	if err := Preload(ctx, b.config); err != nil {
		b.close()
		return nil, err
	}
	b.config.T0 = time.Now().Add(50 * time.Millisecond)
	return b, nil
}

// readBack asks once for every acknowledged object and counts what is wrong.
func (b *bench) readBack(ctx context.Context) map[string]int {
	c, err := b.config.normal()
	if err != nil {
		return map[string]int{err.Error(): 1}
	}
	lanes := newLanes(c)
	defer lanes.close()
	sender := newSender(c, lanes)
	wrong := map[string]int{}
	for i, key := range c.Ledger.Acknowledged() {
		if res := sender.get(ctx, Arrival{N: i, Op: Get}, key, time.Now()); !res.right {
			wrong[res.detail]++
		}
	}
	return wrong
}
