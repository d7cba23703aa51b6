package board

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/validator/verdict"
)

// letters spell ticks: o OK, d DOWN, m MUMBLE, u UNPROVEN, e JUDGE_ERROR,
// v VOID, n NOT_CHECKED, r RECOVERING.
func letters(s string) (ticks []verdict.Status) {
	names := map[rune]verdict.Status{'o': verdict.OK, 'd': verdict.Down, 'm': verdict.Mumble, 'u': verdict.Unproven, 'c': verdict.Corrupt,
		'e': verdict.JudgeError, 'v': verdict.Void, 'n': verdict.NotChecked, 'r': verdict.Recovering}
	for _, letter := range s {
		ticks = append(ticks, names[letter])
	}
	return ticks
}

func TestALampTurnsGreenAfterThreeGoodTicksAndRedAfterTwoBadOnes(t *testing.T) {
	for _, c := range []struct{ why, ticks, shown string }{
		{"nothing known is an outline, not red", "n", "n"},
		{"the first look at something broken is red at once", "d", "d"},
		{"good from the start waits for its third tick", "ooo", "nno"},
		{"back from red it recovers before it is green", "doooo", "drroo"},
		{"one bad tick in three starts the count anew", "doodooo", "drrdrro"},
		{"green forgives one bad tick", "ooodooo", "nnooooo"},
		{"and not two running", "ooodd", "nnood"},
		{"bad ticks apart do not add up", "ooododod", "nnoooooo"},
		{"from bad to another bad it goes at once", "dmud", "dmud"},
		{"a judge's fault is seen at once where nothing is known", "e", "e"},
		{"one judge's fault hides nothing", "oooeo", "nnooo"},
		{"two show that nobody knows, and go with the next tick that counts", "oooeeo", "nnooeo"},
		{"a judge's fault breaks no run towards green", "doeoo", "drrro"},
		{"nor a run towards red", "oooded", "nnoood"},
		{"a void is not a fault of the team", "ooovv", "nnoov"},
	} {
		lamp := newLamp(3, 2)
		var shown []verdict.Status
		for i, raw := range letters(c.ticks) {
			lamp.step(raw, time.Unix(int64(i), 0))
			shown = append(shown, lamp.shown)
		}
		require.Equal(t, letters(c.shown), shown, c.why)
	}
}

func TestALampRemembersSinceWhenThroughAJudgesFault(t *testing.T) {
	lamp := newLamp(3, 2)
	for i, raw := range letters("ooooeeo") {
		lamp.step(raw, time.Unix(int64(i), 0))
	}
	require.Equal(t, verdict.OK, lamp.shown)
	require.Equal(t, time.Unix(2, 0), lamp.since)
}

func TestABrickIsAsBadAsItsWorstCheckAndUnknownOnlyWithoutAFinding(t *testing.T) {
	for _, c := range []struct{ checks, brick string }{
		{"ooo", "o"}, {"odo", "d"}, {"md", "d"}, {"um", "m"}, {"oe", "e"}, {"de", "d"}, {"ve", "e"}, {"or", "r"}, {"", "n"},
	} {
		require.Equal(t, letters(c.brick)[0], of(letters(c.checks)), c.checks)
	}
}
