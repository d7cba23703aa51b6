package admit

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// model drives a line by single calls and keeps its own book of who stands
// where: the plainest thing that a line could be.
type model struct {
	t                *rapid.T
	line             *line
	now              time.Time
	waiting, resumed []*entry
	working          []*entry
}

// granted moves those whose channel was closed to the ones at work, and insists
// that they were the first of their list, the resumed ones before the others.
func (m *model) granted() {
	for _, in := range []*[]*entry{&m.resumed, &m.waiting} {
		for len(*in) > 0 && isReady((*in)[0]) {
			m.working = append(m.working, (*in)[0])
			*in = (*in)[1:]
		}
		for _, e := range *in {
			require.False(m.t, isReady(e), "one was overtaken")
		}
		if len(*in) > 0 {
			break
		}
	}
	if len(m.resumed) > 0 {
		for _, e := range m.waiting {
			require.False(m.t, isReady(e), "one that had begun was overtaken")
		}
	}
}

func isReady(e *entry) bool {
	select {
	case <-e.ready:
		return true
	default:
		return false
	}
}

func pickOf(t *rapid.T, from *[]*entry) *entry {
	at := rapid.IntRange(0, len(*from)-1).Draw(t, "which")
	e := (*from)[at]
	*from = append((*from)[:at:at], (*from)[at+1:]...)
	return e
}

func sumOf(of []*entry, what func(*entry) int64) (sum int64) {
	for _, e := range of {
		sum += what(e)
	}
	return sum
}

func (m *model) check() {
	l := m.line
	m.granted()
	places := func(e *entry) int64 { return e.places }
	cost := func(e *entry) int64 { return e.cost }
	require.Equal(m.t, sumOf(m.working, places), l.working, "places were lost or made")
	require.LessOrEqual(m.t, l.working, l.places, "more at work than there are places")
	require.Equal(m.t, sumOf(m.working, cost), l.doing)
	require.Equal(m.t, sumOf(m.waiting, cost)+sumOf(m.resumed, cost), l.cost)
	if len(m.waiting) > 1 {
		require.LessOrEqual(m.t, sumOf(m.waiting, cost), max(l.ahead, l.burst), "the line is longer than its bound")
	}
	first := append(append([]*entry{}, m.resumed...), m.waiting...)
	if len(first) > 0 {
		require.Greater(m.t, first[0].places, l.places-l.working, "a turn is lost: the first waits though there is room")
	}
	n := l.numbers()
	require.Equal(m.t, len(first), n.Waiting)
	require.Equal(m.t, l.working, n.Working)
}

func TestALineKeepsItsBoundsAndItsOrderWhateverHappens(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ahead := rapid.Int64Range(0, 20).Draw(t, "ahead")
		m := &model{t: t, now: time.Unix(0, 0), line: newLine(rule{
			places: rapid.Int64Range(1, 6).Draw(t, "places"), ahead: ahead,
			burst: ahead + rapid.Int64Range(0, 20).Draw(t, "burst"), target: 5, unit: 1,
		})}
		t.Repeat(map[string]func(*rapid.T){
			"": func(*rapid.T) { m.check() },
			"time passes": func(t *rapid.T) {
				m.now = m.now.Add(time.Duration(rapid.IntRange(0, 4).Draw(t, "ns")))
			},
			"enter": func(t *rapid.T) {
				places, cost := rapid.Int64Range(1, 8).Draw(t, "places"), rapid.Int64Range(1, 9).Draw(t, "cost")
				idle := len(m.waiting)+len(m.resumed) == 0
				refused := m.line.full(m.now)
				switch e := m.line.enter(m.now, places, cost); {
				case e == nil:
					require.NotEmpty(t, m.waiting, "refused with nobody waiting")
					require.Greater(t, m.line.cost+cost, m.line.ahead, "refused within the bound")
				case e.ready == nil:
					require.True(t, idle, "one has passed those who wait")
					m.working = append(m.working, e)
				default:
					m.waiting = append(m.waiting, e)
					if places == 1 && cost == 1 {
						require.False(t, refused, "full was said, and then one was let wait")
					}
				}
			},
			"leave": func(t *rapid.T) {
				if len(m.working) == 0 {
					t.Skip("nobody works")
				}
				e := pickOf(t, &m.working)
				m.line.leave(m.now, e, m.now.Sub(e.since), rapid.Int64Range(0, 3).Draw(t, "cost"))
			},
			"cancel": func(t *rapid.T) {
				from := &m.waiting
				if len(m.resumed) > 0 && rapid.Bool().Draw(t, "one that had begun") {
					from = &m.resumed
				}
				if len(*from) == 0 {
					t.Skip("nobody waits")
				}
				require.True(t, m.line.cancel(m.now, pickOf(t, from)))
			},
			"cancel too late": func(t *rapid.T) {
				if len(m.working) == 0 {
					t.Skip("nobody works")
				}
				e := pickOf(t, &m.working)
				require.False(t, m.line.cancel(m.now, e), "a place was taken back that is in use")
				m.line.leave(m.now, e, 0, 0)
			},
			"pause and come again": func(t *rapid.T) {
				if len(m.working) == 0 {
					t.Skip("nobody works")
				}
				e := pickOf(t, &m.working)
				m.line.leave(m.now, e, 0, 0)
				m.granted() // others have the place before it asks again
				e = &entry{places: e.places}
				m.line.again(m.now, e)
				m.resumed = append(m.resumed, e)
			},
		})
		for len(m.working) > 0 { // whoever waits is served once the others leave
			e := m.working[0]
			m.working = m.working[1:]
			m.line.leave(m.now, e, 0, 0)
			m.check()
		}
		require.Empty(t, m.waiting)
		require.Empty(t, m.resumed)
	})
}

func TestTheTimeToComeBackGrowsWithWhatIsAhead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := newLine(rule{places: rapid.Int64Range(1, 8).Draw(t, "places"), ahead: math.MaxInt64, unit: time.Duration(rapid.Int64Range(1, 1e9).Draw(t, "unit"))})
		before := time.Duration(-1)
		for range rapid.IntRange(1, 50).Draw(t, "n") {
			l.enter(time.Unix(0, 0), 1, rapid.Int64Range(1, 1000).Draw(t, "cost"))
			now := l.clears()
			require.GreaterOrEqual(t, now, before)
			require.GreaterOrEqual(t, wholeSeconds(now), wholeSeconds(before))
			before = now
		}
	})
}

func TestTheTimeToComeBackIsWholeSecondsFromOneToThirty(t *testing.T) {
	for given, want := range map[time.Duration]time.Duration{
		-time.Second: time.Second, 0: time.Second, 1: time.Second, time.Second: time.Second,
		time.Second + 1: 2 * time.Second, 29*time.Second + 1: 30 * time.Second, time.Hour: 30 * time.Second,
		math.MaxInt64: 30 * time.Second,
	} {
		require.Equal(t, want, wholeSeconds(given), given.String())
	}
}

func TestTheRateFollowsWhatWasMeasured(t *testing.T) {
	l := newLine(rule{places: 2, ahead: 1000, unit: time.Millisecond})
	now := time.Unix(0, 0)
	for range 1000 {
		e := l.enter(now, 1, 1)
		now = now.Add(50 * time.Millisecond)
		l.leave(now, e, now.Sub(e.since), 1)
	}
	for range 42 { // two at work, forty wait
		l.enter(now, 1, 1)
	}
	require.InDelta(t, float64(42*50*time.Millisecond/2), float64(l.clears()), float64(time.Millisecond))
}

func TestLessMayWaitWhereWorkTakesLongerThanDeclared(t *testing.T) {
	l := newLine(rule{places: 1, ahead: 100, unit: 1, slows: true})
	now := time.Unix(0, 0)
	for range 1000 { // declared 1, took 10
		e := l.enter(now, 1, 1)
		l.leave(now, e, 10, 1)
	}
	l.enter(now, 1, 1)
	for range 10 {
		require.NotNil(t, l.enter(now, 1, 1))
	}
	require.Nil(t, l.enter(now, 1, 1), "the wait is ten times as long as it may be")
}

func TestALineAbsorbsABurstAndRefusesAStandingQueue(t *testing.T) {
	l := newLine(rule{places: 1, ahead: 2, burst: 10, target: 5 * time.Millisecond, unit: 1})
	now := time.Unix(0, 0)
	first := l.enter(now, 1, 1)
	for range 10 {
		require.NotNil(t, l.enter(now, 1, 1), "a burst is refused")
	}
	require.Nil(t, l.enter(now, 1, 1))
	now = now.Add(6 * time.Millisecond)
	for range 8 {
		e := l.first()
		l.leave(now, first, 0, 0)
		require.Nil(t, l.enter(now, 1, 1), "a standing queue grows")
		first = e
	}
	l.leave(now, first, 0, 0)
	require.NotNil(t, l.enter(now, 1, 1), "within the bound one is refused")
}
