package board

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/validator/journal"
	"bogops/validator/score"
	"bogops/validator/verdict"
)

// fold is the view of a demo's journal.
func fold(t *testing.T, d *demo) *View {
	t.Helper()
	v := NewView(newScorer())
	for _, e := range d.Entries() {
		require.NoError(t, v.Add(e))
	}
	return v
}

// drawn is every part of a scene, in one string.
func drawn(t *testing.T, v *View, scene string) string {
	t.Helper()
	a, err := newArtist(newSpeech(v.opened.Locale, v.opened.Timezone))
	require.NoError(t, err)
	p, err := a.paint(v, scene, picture{})
	require.NoError(t, err)
	html, err := a.whole(p, "12:00:00")
	require.NoError(t, err)
	return string(html)
}

func TestTheSameEntriesDrawTheSameWall(t *testing.T) {
	d := newDemo(t)
	d.evening(d.afternoon(demoSpan))
	first, again := fold(t, d), fold(t, d)
	for _, scene := range []string{sceneWall, sceneCampaign, scenePodium} {
		require.Equal(t, drawn(t, first, scene), drawn(t, again, scene), scene)
	}
}

func TestTeamsThatAreDownAtTheFirstTickAreRedAtOnce(t *testing.T) {
	d := newDemo(t)
	d.next()
	d.look("pandas", "api", refused)
	v := fold(t, d)
	require.Equal(t, verdict.Down, v.side("pandas").tiles[1].lamp.shown)
	require.Equal(t, verdict.NotChecked, v.side("loutres").tiles[1].lamp.shown, "nothing was measured there")
	require.Empty(t, v.events, "that all begins in red is no news")
}

func TestAFaultThatIsStillSealedIsOnNoPage(t *testing.T) {
	d := newDemo(t)
	d.afternoon(1040)
	b, _ := serve(t, d)
	for _, path := range []string{"/", "/?scene=wall", "/?scene=campaign", "/?scene=podium", "/state.json", "/events?after=0"} {
		body := get(t, b, path)
		require.False(t, strings.Contains(body, "Sealed surprise"), path)
		require.False(t, strings.Contains(body, "sealed-fault"), path)
	}
	require.Contains(t, get(t, b, "/?scene=campaign"), "Instance killed", "what has begun is shown")
}

func TestWhatAFaultCostIsWhatTheScoreSays(t *testing.T) {
	d := newDemo(t)
	d.evening(d.afternoon(demoSpan))
	v := fold(t, d)
	result, err := score.Of(d.Entries())
	require.NoError(t, err)
	lost, after := regexp.MustCompile(`cl\(1 − ([0-9.]+)/`), regexp.MustCompile(`after (\d+) s of`)
	for _, team := range result.Teams[:2] {
		for _, part := range team.Parts {
			if part.Label != "Chaos" {
				continue
			}
			detail := part.Children[0].Detail
			c := v.latest()
			got := c.loss(c.lane(team.ID), c.bands[0], v.scale())
			require.InDelta(t, number(t, lost, detail), got.seconds, 0.001, detail)
			require.InDelta(t, number(t, after, detail), got.back.Seconds(), 0.5, detail)
			require.InDelta(t, team.LostSeconds, c.lost(c.lane(team.ID)), 1e-9)
		}
	}
}

func number(t *testing.T, pattern *regexp.Regexp, text string) float64 {
	t.Helper()
	found := pattern.FindStringSubmatch(text)
	require.NotNil(t, found, text)
	x, err := strconv.ParseFloat(found[1], 64)
	require.NoError(t, err)
	return x
}

func TestASecondThatTheJudgeSpoiledCostsNobody(t *testing.T) {
	lane := &lane{seconds: []second{{known: true, offered: 10, good: 5}, {known: true, offered: 10, inconclusive: true}, {}, {known: true}}}
	c := &campaign{Campaign: journal.Campaign{Duration: 4}}
	require.InDelta(t, 0.5, c.lost(lane), 1e-9)
}

func TestWhatANameContainsIsTextAndNeverMarkup(t *testing.T) {
	hostile := `<script>alert(1)</script>"'><img src=x onerror=alert(2)>`
	d := newDemo(t, func(o *journal.Opened) {
		o.Title, o.Timezone = hostile, hostile
		o.Teams = append([]journal.Team(nil), o.Teams...)
		o.Teams[0].Name, o.Teams[0].Full, o.Teams[0].Colour, o.Teams[0].Shape, o.Teams[0].Mascot = hostile, hostile, hostile, hostile, hostile
		o.Rules.Bricks = append([]journal.Brick(nil), o.Rules.Bricks...)
		o.Rules.Bricks[1].Title, o.Rules.Bricks[0].InPlay, o.Rules.Bricks[0].Hint = hostile, false, hostile
	})
	d.next()
	d.look("loutres", "api", finding{verdict.Mumble, hostile, hostile, hostile})
	d.add(journal.KindNote, journal.Note{Icon: hostile, Text: hostile})
	c := d.afternoon(30)
	d.audit(c, "loutres", 10, true, journal.Finding{Key: hostile, Class: hostile, Got: hostile, Want: hostile})
	v := fold(t, d)
	for _, scene := range []string{sceneWall, sceneCampaign, scenePodium, sceneTable} {
		html := drawn(t, v, scene)
		require.NotContains(t, html, "<script", scene)
		require.NotContains(t, html, "<img", scene)
	}
	var report strings.Builder
	require.NoError(t, WriteReport(&report, d.Entries()))
	require.NotContains(t, report.String(), "<script")
	require.NotContains(t, report.String(), "<img")
}

func TestAfterTheFreezeThePublicScoreStandsStillUntilThePodium(t *testing.T) {
	d := newDemo(t, func(o *journal.Opened) {
		at := o.Start.Add(10 * time.Minute)
		o.FreezeAt = &at
	})
	scores := func() []Standing { return fold(t, d).standings() }
	for d.tick < 9 {
		d.next()
		d.look("loutres", "tls", tlsOK)
	}
	before := scores()
	d.next()
	d.look("loutres", "ceph", cephOK)
	d.next()
	d.look("loutres", "api", apiOK)
	require.Equal(t, before, scores())
	require.Contains(t, drawn(t, fold(t, d), sceneWall), "frozen")
	require.Equal(t, verdict.NotChecked, fold(t, d).side("loutres").tiles[0].lamp.shown, "tiles go on: one good tick of three")
	d.add(journal.KindPhase, journal.Phase{Name: "podium", Title: "Podium"})
	require.NotEqual(t, before, scores())
}

func TestTheLastChangeNamesThePartThatMovedTheScore(t *testing.T) {
	d := newDemo(t)
	for range 4 {
		d.next()
		d.look("pandas", "tls", unsigned)
	}
	for range 3 {
		d.next()
		d.look("pandas", "tls", tlsOK)
	}
	d.next()
	d.health(true, "")
	c := fold(t, d).history.changes["pandas"]
	require.Equal(t, "TLS", c.part)
	require.Positive(t, c.delta)
	require.NotContains(t, fold(t, d).history.changes, "loutres")
}
