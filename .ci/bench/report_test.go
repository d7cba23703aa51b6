package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestARatioComparesWhatWasMeasuredInTheSameRound(t *testing.T) {
	r := &report{}
	table := r.table("PUT", "requests/s")
	for _, round := range [][2]float64{{100, 200}, {300, 400}, {900, 1000}} {
		table.row("app", "synced").add(round[0])
		table.row("ceiling", "").add(round[1])
	}
	table.ratio("app ÷ ceiling", "app", "ceiling", 0, "≥ 0.35")
	require.Equal(t, `
### PUT

| server | note | requests/s |
| --- | --- | --- |
| app | synced | 300 (100 to 900) |
| ceiling |  | 400 (200 to 1000) |

- app ÷ ceiling: **0.75 (0.50 to 0.90)** (aim ≥ 0.35)
`, r.markdown())
}

func TestWhatWasNotMeasuredSaysSo(t *testing.T) {
	r := &report{}
	table := r.table("GET", "requests/s")
	table.ratio("app ÷ nginx", "app", "nginx", 0, "")
	require.Contains(t, r.markdown(), "app ÷ nginx: **not measured**")
}

func TestTheMedianOfAnEvenNumberOfRoundsLiesBetweenTheMiddleTwo(t *testing.T) {
	require.Equal(t, "2.5 (1.0 to 9.0)", spread([]float64{9, 3, 2, 1}, 1))
	require.Equal(t, "7.0", spread([]float64{7}, 1))
}

func TestAQuantileIsOneOfTheTimesSeen(t *testing.T) {
	times := []time.Duration{5, 1, 4, 2, 3}
	require.Equal(t, time.Duration(3), quantile(times, 0.5))
	require.Equal(t, time.Duration(5), quantile(times, 0.99))
	require.Zero(t, quantile(nil, 0.5))
}

func TestAnAnswerThatIsNeitherAcceptedNorRefusedIsAFailure(t *testing.T) {
	s := &seen{elapsed: time.Second}
	for _, status := range []int{200, 201, 206, 503, 429, 500, 404, 0} {
		s.add(time.Millisecond, status, nil)
	}
	require.Len(t, s.accepted, 3)
	require.Len(t, s.refused, 2)
	require.Equal(t, 3, s.failed)
	require.EqualError(t, s.first, "status Internal Server Error")
	require.InDelta(t, 3, s.rate(), 0)
}
