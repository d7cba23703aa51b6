package board

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/validator/journal"
)

func TestTheGoodLineIsThePlanTimesTheShareThatWasGood(t *testing.T) {
	c := &campaign{Campaign: journal.Campaign{Duration: 4, Peak: 100, Stages: []journal.Stage{{From: 100, To: 100, Seconds: 2}, {From: 100, To: 0, Seconds: 2}}}}
	a := axis{c: c, top: 100, bucket: 1}
	lane := &lane{seconds: []second{
		{known: true, offered: 7, good: 7}, {known: true, offered: 10, good: 5}, {known: true, offered: 10, inconclusive: true}, {known: true, offered: 3, good: 3},
	}}
	require.Equal(t, "M0 100L0 0L125 0L375 50L625 62.5L875 75L1000 100L1000 100", a.good(lane, 4*time.Second),
		"all good, then half; a second that does not count keeps the share before")
	require.Equal(t, "M500 0V100H750V0Z", a.ours(lane))
	require.Equal(t, "M0 100L0 0L500 0L1000 100L1000 100Z", a.bite(4*time.Second))
}

func TestASecondThatIsNotToldYetIsNotDrawnAsMissed(t *testing.T) {
	c := &campaign{Campaign: journal.Campaign{Duration: 4, Peak: 100, Stages: []journal.Stage{{From: 100, To: 100, Seconds: 4}}}}
	a := axis{c: c, top: 100, bucket: 1}
	behind := &lane{seconds: []second{{known: true, offered: 10, good: 10}, {known: true, offered: 10, good: 10}}}
	f := speech{}.laneFace(&View{}, a, &side{}, behind, 3*time.Second)
	require.Equal(t, "M0 100L0 0L500 0L500 100Z", f.Bite)
	require.Equal(t, "M0 100L0 0L125 0L375 0L500 0L500 100", f.Good)
	require.Equal(t, "M0 0L750 0", f.Offered, "what was offered goes on to now")
}

func TestAGapInWhatIsKnownIsAGapInTheLine(t *testing.T) {
	c := &campaign{Campaign: journal.Campaign{Duration: 4}}
	a := axis{c: c, top: 1, bucket: 1}
	lane := &lane{seconds: []second{
		{known: true, p99: time.Second, instances: 2}, {}, {known: true, p99: 100 * time.Millisecond, instances: 2}, {known: true, p99: 10 * time.Second, instances: 1},
	}}
	require.Equal(t, "M125 33.3M625 66.7L875 0", a.p99(lane))
	require.Equal(t, "M0 50H750V75H1000", a.instances(lane, 4))
}

func TestLabelsThatEndTogetherAreMovedApart(t *testing.T) {
	lines := []lineFace{{Top: 50}, {Top: 48}, {Top: 10}}
	apart(lines, 20)
	require.Equal(t, []float64{59, 39, 10}, []float64{lines[0].Top, lines[1].Top, lines[2].Top})
}

func TestRatesFollowTheStagesAndEndWithTheLast(t *testing.T) {
	c := &campaign{Campaign: journal.Campaign{Stages: []journal.Stage{{From: 0, To: 10, Seconds: 10}, {From: 10, To: 10, Seconds: 5}, {From: 10, To: 2, Seconds: 4}}}}
	for at, rate := range map[int]float64{0: 0, 5: 5, 10: 10, 12: 10, 17: 6, 19: 2, 30: 2} {
		require.InDelta(t, rate, c.rate(time.Duration(at)*time.Second), 1e-9, at)
	}
}
