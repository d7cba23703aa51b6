package fallback

import (
	"testing"
	"time"
)

// The simulation is worth what it finds: each of these platforms is wrong in one
// way, and must be found out. Reads that bring nothing home are not among them:
// it takes some twenty runs to see them go wrong, which the model does at once.
func TestEveryBrokenRuleIsFoundByTheSimulation(t *testing.T) {
	for _, wrong := range []struct {
		name string
		is   variant
	}{
		{"no lease wait", variant{rules: broken{noWait: true}}},
		{"no second epoch check", variant{rules: broken{noSecond: true}, often: stuckAway}},
		{"unguarded writes to S3", variant{rules: broken{unguardedS3: true}}},
		{"an S3 that ignores guards", variant{unguardedAway: true}},
		{"a Ceph that ignores guards", variant{unguardedHome: true}},
		{"a delete that removes the head", variant{rules: broken{deleteRemoves: true}}},
		{"reads that stop at the first hit", variant{rules: broken{firstHit: true}}},
		{"a reconciler that lists at once", variant{rules: broken{listAtOnce: true}, often: deafReader}},
	} {
		t.Run(wrong.name, func(t *testing.T) {
			var total counts
			began := time.Now()
			seeds := simSeeds(t, 100)
			for n, seed := range seeds {
				if err := simulate(t, seed, wrong.is, &total); err != nil {
					t.Logf("run %d, after %s: %.1500v", n+1, time.Since(began).Round(time.Millisecond), err)
					return
				}
			}
			t.Errorf("%d runs from seed %d found nothing wrong: %s", len(seeds), seeds[0], &total)
		})
	}
}
