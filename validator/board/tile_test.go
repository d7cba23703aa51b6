package board

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/validator/journal"
	"bogops/validator/verdict"
)

// newTile is a tile of three required checks and a bonus.
func newTile() *tile {
	return &tile{
		brick: journal.Brick{ID: "api", Title: "REST API", InPlay: true}, lamp: newLamp(1, 1),
		checks: []journal.Check{{ID: "a", Required: true, Weight: 1}, {ID: "b", Required: true, Weight: 3}, {ID: "c", Required: true, Weight: 1}, {ID: "bonus"}},
	}
}

// tick adds one tick in which the checks a, b, c and bonus find what the
// letters say; a dot is a check that says nothing.
func (t *tile) tick(n int, finds string) {
	for i, letter := range finds {
		if letter == '.' {
			continue
		}
		t.add(journal.Verdict{Tick: n, Check: t.checks[i].ID, Status: letters(string(letter))[0], Message: t.checks[i].ID + " finds " + string(letter)}, time.Unix(int64(n), 0))
	}
}

func TestATileDoesNotChangeInTheMiddleOfATick(t *testing.T) {
	tile := newTile()
	tile.tick(1, "oo..")
	require.Equal(t, verdict.NotChecked, tile.lamp.shown, "two of four checks are no proof")
	tile.tick(1, "..oo")
	require.Equal(t, verdict.OK, tile.lamp.shown)
	tile.tick(2, "oo..")
	tile.tick(3, "o...")
	require.Len(t, tile.strip(), 2, "a tick is over when the next begins")
}

func TestABonusCheckThatFailsLeavesTheTileGreen(t *testing.T) {
	tile := newTile()
	tile.tick(1, "oood")
	require.Equal(t, verdict.OK, tile.lamp.shown)
	_, held, total, _ := tile.telling()
	require.Equal(t, []int{3, 4}, []int{held, total})
}

func TestATileIsDegradedWhileBronzeHoldsAndALevelAboveDoesNot(t *testing.T) {
	for finds, want := range map[string]verdict.Status{
		"ooo": verdict.OK, "oom": verdict.Degraded, "ood": verdict.Degraded, "ooc": verdict.Corrupt, "ooe": verdict.JudgeError,
		"omo": verdict.Mumble, "omm": verdict.Mumble, "oem": verdict.Degraded, "eem": verdict.Mumble, "odo": verdict.Down, "oeo": verdict.JudgeError,
	} {
		tile := newTile()
		tile.checks = []journal.Check{{ID: "a", Required: true, Level: "bronze"}, {ID: "b", Required: true}, {ID: "s", Required: true, Level: "silver"}}
		tile.tick(1, finds)
		require.Equal(t, want, tile.strip()[0], finds)
		v, _, _, found := tile.telling()
		require.True(t, found)
		if want == verdict.Degraded {
			require.Equal(t, "s finds "+finds[2:], v.Message, "the sentence is the finding's own")
		}
	}
}

func TestATileTellsOfItsWorstCheckThenItsHeaviest(t *testing.T) {
	for finds, message := range map[string]string{"omdo": "c finds d", "mmmo": "b finds m", "oooo": "b finds o", "eomo": "c finds m"} {
		tile := newTile()
		tile.tick(1, finds)
		v, _, _, found := tile.telling()
		require.True(t, found)
		require.Equal(t, message, v.Message, finds)
	}
}

func TestAVoidLeavesNoTraceInTheState(t *testing.T) {
	tile, spared := newTile(), newTile()
	tile.lamp, spared.lamp = newLamp(2, 2), newLamp(2, 2)
	for n, finds := range []string{"oooo", "oooo", "dooo", "dooo", "oooo"} {
		tile.tick(n+1, finds)
		spared.tick(n+1, map[bool]string{true: "vooo", false: finds}[n == 2])
	}
	require.Equal(t, verdict.Recovering, tile.lamp.shown)
	require.True(t, tile.void(3, "a"))
	require.Equal(t, spared.lamp, tile.lamp)
	require.Equal(t, verdict.OK, tile.lamp.shown, "one bad tick is forgiven")
	require.Equal(t, letters("oovdo"), tile.strip())
}

func TestAVoidOfWhatWasNeverJudgedChangesNothing(t *testing.T) {
	tile := newTile()
	tile.tick(1, "dooo")
	require.False(t, tile.void(2, "a"))
	require.False(t, tile.void(1, "stranger"))
	require.Equal(t, verdict.Down, tile.lamp.shown)
}

func TestAStripShowsTheLastThirtyTicksWithTheNewestAtTheRight(t *testing.T) {
	s := newSpeech("en", "UTC")
	require.Equal(t, []strokes{{"dow", "M271 33h7"}, {"ok", "M281 12h17"}}, s.strip(letters("doo")).Paths)
	require.Equal(t, "3 ticks: 1 DOWN, 2 OK", s.strip(letters("doo")).Label)
	tile := newTile()
	for n := range 40 {
		tile.tick(n+1, "oooo")
	}
	require.Equal(t, []strokes{{"ok", "M1 12h297"}}, s.strip(tile.strip()).Paths)
}

func TestWordsThatNeedMoreThanTwoLinesAreSetSmaller(t *testing.T) {
	require.False(t, face{Sentence: "A 1 MiB object comes back cut short", Got: "65,536 B", Want: "1,048,576 B"}.Long())
	require.True(t, face{Sentence: strings.Repeat("wide ", 20)}.Long())
	require.True(t, face{Sentence: "The platform refuses the connection", Got: "connection refused", Want: "a whole answer to GET /.well-known/bogops.json"}.Long())
}
