package rogue

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"bogops/validator/ceph"
	"bogops/validator/journal"
	"bogops/validator/probe"
	"bogops/validator/verdict"
)

// atOnce is how many checks a rogue meets at the same time.
const atOnce = 6

// racers are fewer than on the day: the gallery is large, and safe or not shows
// with these too.
const racers = 16

// Try runs every check against the rogue and returns the verdicts in the order
// of the checks, with one sentence for each that is not what it must be.
func Try(ctx context.Context, r Rogue) (verdicts []journal.Verdict, mistakes []string, err error) {
	server, err := r.Start(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer server.Close()
	all := r.checks()
	verdicts = make([]journal.Verdict, len(all))
	var mu sync.Mutex
	var group errgroup.Group
	group.SetLimit(atOnce)
	for i, p := range all {
		if r.Patience > 0 {
			p.Timeout = r.Patience
		}
		group.Go(func() error {
			v := probe.Run(ctx, p, server.Target, probe.Env{
				MinValidity: 24 * time.Hour, LargeBytes: 2 << 20, Racers: racers, Rehearsal: true,
				Ceph: map[string]*ceph.Cluster{server.Target.ID: server.Ceph}, TimeScale: 1.0 / 60, Settling: 200 * time.Millisecond,
				Concourse: map[string]*probe.Concourse{server.Target.ID: server.Concourse}, Began: time.Now().Add(-time.Hour),
			})
			verdicts[i] = v
			if mistake := r.mistake(v); mistake != "" {
				mu.Lock()
				defer mu.Unlock()
				mistakes = append(mistakes, mistake)
			}
			return nil
		})
	}
	return verdicts, mistakes, group.Wait()
}

func (r Rogue) mistake(v journal.Verdict) string {
	want, wrong := r.Wants[v.Check]
	if !wrong {
		want = verdict.OK
	}
	if v.Status == want {
		return ""
	}
	return fmt.Sprintf("%s against %s (%s) is %s, and must be %s: %s: got %q, want %q",
		v.Check, r.Name, r.Why, v.Status, want, v.Message, v.Got, v.Want)
}
