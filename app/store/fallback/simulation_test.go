package fallback

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestNoScheduleOfFaultsLosesOrConfusesAnObject(t *testing.T) {
	var total counts
	began := time.Now()
	seeds := simSeeds(t, map[bool]int{false: 10, true: 2}[testing.Short()])
	t.Logf("%d seeds from %d: BOGOPS_SEED replays one, BOGOPS_RUNS says how many", len(seeds), seeds[0])
	for _, seed := range seeds {
		if err := simulate(t, seed, variant{}, &total); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d runs in %s: %s", len(seeds), time.Since(began).Round(time.Millisecond), &total)
	if len(seeds) < 20 {
		return // few runs need not meet everything
	}
	for _, one := range total.each() {
		if one.n != &total.moving { // rare
			require.Positive(t, one.n.Load(), one.name)
		}
	}
	require.Greater(t, total.acknowledged(), int64(20_000))
}

// simSeeds are n in a row, or the one that BOGOPS_SEED names.
func simSeeds(t *testing.T, n int) (seeds []uint64) {
	first := rand.Uint64N(1 << 32)
	if given := os.Getenv("BOGOPS_SEED"); given != "" {
		var err error
		first, err = strconv.ParseUint(given, 10, 64)
		require.NoError(t, err, "BOGOPS_SEED")
		n = 1
	}
	if given := os.Getenv("BOGOPS_RUNS"); given != "" {
		var err error
		n, err = strconv.Atoi(given)
		require.NoError(t, err, "BOGOPS_RUNS")
	}
	for i := range n {
		seeds = append(seeds, first+uint64(i))
	}
	return seeds
}
