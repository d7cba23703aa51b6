package load

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"bogops/validator/contest"
)

func mixed(id string, stages ...contest.Stage) contest.Campaign {
	return contest.Campaign{
		ID: id, Ramp: stages, Mix: contest.Mix{Put: 40, Get: 30, GetProcess: 30},
		Sizes: []contest.Size{{Bytes: 4 << 10, Share: 60}, {Bytes: 256 << 10, Share: 40}},
	}
}

func plan(t require.TestingT, c contest.Campaign) *Plan {
	p, err := NewPlan([]byte("seed"), c)
	require.NoError(t, err)
	return p
}

func anyRamp(t *rapid.T) []contest.Stage {
	stages := []contest.Stage{{To: rapid.Float64Range(1, 300).Draw(t, "to"), For: 2 * time.Second}}
	for range rapid.IntRange(0, 4).Draw(t, "more") {
		stages = append(stages, contest.Stage{
			To:  rapid.OneOf(rapid.Just(0.0), rapid.Float64Range(0, 300)).Draw(t, "to"),
			For: time.Duration(rapid.Int64Range(1, 5e9).Draw(t, "for")),
		})
	}
	return stages
}

// rateAt is the rate said again, from the campaign alone.
func rateAt(stages []contest.Stage, t float64) float64 {
	from := 0.0
	for _, s := range stages {
		if t < s.For.Seconds() {
			return from + (s.To-from)*t/s.For.Seconds()
		}
		t, from = t-s.For.Seconds(), s.To
	}
	return 0
}

func TestAsManyArrivalsAreDueByAnyTimeAsTheRateSumsTo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		stages := anyRamp(t)
		p := plan(t, mixed("any", stages...))
		end := rapid.Float64Range(0, p.ramp.length).Draw(t, "until")
		const steps = 20_000 // the midpoint rule is exact on each linear piece
		sum := 0.0
		for i := range steps {
			sum += rateAt(stages, end*(float64(i)+0.5)/steps) * end / steps
		}
		got := p.firstAt(time.Duration(end * float64(time.Second)))
		require.InDelta(t, sum, float64(got), 1.2, "by %gs", end)
	})
}

func TestDueNeverGoesBackAndEverySecondOffersItsShare(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := plan(t, mixed("any", anyRamp(t)...))
		count := map[int]int{}
		last := time.Duration(0)
		for n := range p.Len() {
			due := p.Due(n)
			require.GreaterOrEqual(t, due, last, "arrival %d", n)
			require.InDelta(t, float64(n), p.ramp.offered(due.Seconds()), 1e-4, "arrival %d", n)
			last = due
			count[int(due/time.Second)]++
		}
		require.LessOrEqual(t, last.Seconds(), p.ramp.length)
		sum := 0
		for second := range p.Seconds() {
			require.Equal(t, count[second], p.Offered(second), "second %d", second)
			sum += p.Offered(second)
		}
		require.Equal(t, p.Len(), sum)
	})
}

func TestARampOfKnownFormIsDueWhenTheFormulaSays(t *testing.T) {
	p := plan(t, mixed("known", contest.Stage{To: 100, For: 10 * time.Second}, contest.Stage{To: 100, For: 5 * time.Second}, contest.Stage{To: 0, For: 2 * time.Second}))
	require.Equal(t, 500+500+100, p.Len())
	require.Equal(t, time.Duration(0), p.Due(0))
	require.InDelta(t, math.Sqrt(2*123/10.0), p.Due(123).Seconds(), 1e-9) // t²·10/2 = 123
	require.InDelta(t, 12, p.Due(700).Seconds(), 1e-9)
	require.InDelta(t, 16, p.Due(1075).Seconds(), 1e-9) // 100u - 25u² = 75 at u = 1
	require.Equal(t, 100, p.Offered(12))
	require.Equal(t, 100.0, p.Peak())
	require.Equal(t, 17, p.Seconds())
}

func TestThePlanIsAFunctionOfSeedAndCampaignAlone(t *testing.T) {
	c := mixed("day", contest.Stage{To: 200, For: 10 * time.Second})
	a, b := plan(t, c), plan(t, c)
	other, err := NewPlan([]byte("another"), c)
	require.NoError(t, err)
	same := 0
	for n := a.Len() - 1; n >= 0; n-- { // another order: no draw depends on the one before
		require.Equal(t, a.Arrival(n), b.Arrival(n))
	}
	for n := range a.Len() {
		require.Equal(t, a.Arrival(n), b.Arrival(n))
		if a.Arrival(n).Key == other.Arrival(n).Key {
			same++
		}
	}
	require.Zero(t, same)
	require.Equal(t, a.Hash(), b.Hash())
	require.NotEqual(t, a.Hash(), other.Hash())
	c.Mix.Put++
	require.NotEqual(t, a.Hash(), plan(t, c).Hash())
}

func TestInjectorsShareThePlanWithoutGapOrOverlap(t *testing.T) {
	for n := range 100 {
		taken := 0
		for i := range 3 {
			if (Injector{i, 3}).takes(n) {
				taken++
			}
		}
		require.Equal(t, 1, taken)
		require.True(t, Injector{}.takes(n))
	}
}

func TestAGetAsksOnlyForWhatWasDueLongEnoughBefore(t *testing.T) {
	p := plan(t, mixed("day", contest.Stage{To: 200, For: 20 * time.Second}))
	put := map[string]time.Duration{}
	versions := map[uint64]bool{}
	for i := range p.Loaded() {
		put[p.LoadedObject(i).Key] = -time.Hour
	}
	counts := map[string]int{}
	for n := range p.Len() {
		a := p.Arrival(n)
		counts[string(a.Op)]++
		first, known := put[a.Key]
		switch {
		case a.Op == Put:
			require.False(t, versions[a.Version])
			versions[a.Version] = true
			if known {
				counts["overwrite"]++
			} else {
				put[a.Key] = a.Due
			}
		case a.Absent:
			require.False(t, known)
			counts["absent"]++
		default:
			require.True(t, known, "arrival %d", n)
			require.Greater(t, a.Due, first+p.settled)
			if first >= 0 {
				counts["of the plan"]++
			}
		}
		require.Equal(t, a.Op == Process, a.Chain != "")
	}
	total, gets := float64(p.Len()), float64(counts["get"]+counts["get_process"])
	require.InDelta(t, 0.4, float64(counts["put"])/total, 0.04)
	require.InDelta(t, 0.3, float64(counts["get"])/total, 0.04)
	require.InDelta(t, 0.25, float64(counts["overwrite"])/float64(counts["put"]), 0.05)
	require.InDelta(t, 0.02, float64(counts["absent"])/gets, 0.012)
	require.Greater(t, float64(counts["of the plan"])/gets, 0.3)
}

func TestSomeKeysAreFarMorePopularThanOthers(t *testing.T) {
	p := plan(t, mixed("day", contest.Stage{To: 400, For: 20 * time.Second}))
	counts, gets, top := map[string]int{}, 0, 0
	for n := range p.Len() {
		if a := p.Arrival(n); a.Op != Put && !a.Absent {
			counts[a.Key]++
			gets++
			top = max(top, counts[a.Key])
		}
	}
	require.InDelta(t, 0.1, float64(top)/float64(gets), 0.06)
	require.Greater(t, len(counts), gets/10)
}

func TestAGrowingSetMovesFewRanksAndOnlyToTheNewKey(t *testing.T) {
	const keys, ranks = 50, 20_000
	moved := 0
	for rank := range uint64(ranks) {
		h := rank * 0x9e3779b97f4a7c15
		before, after := jump(h, keys), jump(h, keys+1)
		require.Less(t, before, keys)
		if before != after {
			require.Equal(t, keys, after)
			moved++
		}
	}
	require.InDelta(t, ranks/(keys+1), moved, 100)
}

func TestSizesAreLogUniformInTheirClasses(t *testing.T) {
	s, err := newSizes([]contest.Size{{Bytes: 65536, Share: 1}, {Bytes: 4096, Share: 3}})
	require.NoError(t, err)
	require.Equal(t, int64(4096), s.draw(0, 0))
	require.Equal(t, int64(65536), s.draw(0.75, 0))
	require.Equal(t, int64(16384), s.draw(0.9, 0.5), "half of them lie below the geometric mean")
	require.Greater(t, s.draw(0.9, 0.999999), int64(4096))
	require.GreaterOrEqual(t, s.draw(0, 0.999999), int64(256))
}

func TestABadCampaignIsRefusedWithOneSentence(t *testing.T) {
	good := mixed("c", contest.Stage{To: 10, For: time.Second})
	for want, spoil := range map[string]func(*contest.Campaign){
		"campaign c: the ramp lasts 1s, want the campaign's duration of 2s":   func(c *contest.Campaign) { c.Duration = 2 * time.Second },
		"stage 1 goes to -1 requests a second in 1s":                          func(c *contest.Campaign) { c.Ramp = []contest.Stage{{To: -1, For: time.Second}} },
		"the ramp offers 0 requests, want at least 1":                         func(c *contest.Campaign) { c.Ramp = nil },
		"the mix is put 0, get 0, get_process 0":                              func(c *contest.Campaign) { c.Mix = contest.Mix{} },
		"the shares of 0 sizes sum to 0, want more than 0":                    func(c *contest.Campaign) { c.Sizes = nil },
		"a size of 0 bytes has the share 1, want at least 1 byte and a share": func(c *contest.Campaign) { c.Sizes = []contest.Size{{Share: 1}} },
	} {
		c := good
		spoil(&c)
		_, err := NewPlan([]byte("seed"), c)
		require.ErrorContains(t, err, want)
	}
	_, err := NewPlan(nil, good)
	require.ErrorContains(t, err, "no seed was given")
}

func BenchmarkArrival(b *testing.B) {
	p := plan(b, mixed("bench", contest.Stage{To: 400, For: 40 * time.Minute}))
	for n := 0; b.Loop(); n++ {
		p.Arrival(n % p.Len())
	}
}
