package load

import (
	"fmt"
	"math"
	"reflect"
	"time"

	"bogops/validator/contest"
	"bogops/validator/journal"
	"bogops/validator/ledger"
)

// shards compares one injector that takes the whole plan with three that share
// it, fed the same results, second by second.
func shards() Result {
	result := Result{Name: "three injectors' merged seconds equal those of one", Want: "equal"}
	one, err := feed(Injector{})
	if err != nil {
		return result.failed(err)
	}
	merged, err := feed(Injector{0, 3})
	for i := 1; i < 3 && err == nil; i++ {
		var part []journal.Load
		if part, err = feed(Injector{i, 3}); err != nil {
			break
		}
		for s := range merged {
			if merged[s], err = Merge(merged[s], part[s]); err != nil {
				break
			}
		}
	}
	if err != nil {
		return result.failed(err)
	}
	result.Got = "equal"
	for s := range one {
		one[s].P99, merged[s].P99 = 0, 0 // for the board only, of each injector's own
		if !reflect.DeepEqual(one[s], merged[s]) {
			return result.failed(fmt.Errorf("second %d differs", s))
		}
	}
	result.OK = true
	return result
}

// feed gives an injector's book results that the arrival's number fixes.
func feed(i Injector) (seconds []journal.Load, err error) {
	plan, err := NewPlan([]byte("selftest"), contest.Campaign{
		ID: "shards", Mix: contest.Mix{Put: 1, Get: 1}, Ramp: []contest.Stage{{To: 400, For: 4 * time.Second}},
		Sizes: []contest.Size{{Bytes: 4096, Share: 1}},
	})
	if err != nil {
		return nil, err
	}
	c, err := Config{
		Plan: plan, Ledger: &ledger.Ledger{}, Target: stubTarget("localhost"), Injector: i, MaxCPU: math.Inf(1),
		Second: func(l journal.Load) error { seconds = append(seconds, l); return nil },
	}.normal()
	if err != nil {
		return nil, err
	}
	b := newBook(c)
	for n := range plan.Len() {
		if !i.takes(n) {
			continue
		}
		a := plan.Arrival(n)
		r := result{right: true, acked: a.Op == Put, latency: time.Duration(plan.share(forLane, n) * 2e9)}
		if n%11 == 0 {
			r = result{kind: "wrong", detail: "status"}
		}
		b.settle(a, r)
	}
	b.reach(time.Duration(plan.Seconds()) * time.Second)
	b.end()
	return seconds, b.tell()
}
