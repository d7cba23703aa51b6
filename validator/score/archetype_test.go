package score_test

import (
	"bytes"
	"flag"
	"fmt"
	"math"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/validator/journal"
	"bogops/validator/score"
	"bogops/validator/verdict"
)

var update = flag.Bool("update", false, "write the golden files anew")

// archetype is a way to play the day, on a day of 60 ticks. After 48 of them a
// campaign of 480 seconds, which is one tick, goes from 20 to 400 requests a
// second at a time scale of a fifth. The last ten ticks, which prove a brick, are
// all after the load, as they are where a tick is a minute.
type archetype struct {
	id       string
	green    [5]int // tick from which Ceph, API, TLS, Concourse, AWS hold
	flaky    int    // every so many ticks one is degraded; 0: none
	melts    bool   // down while it is loaded
	unproven bool   // Ceph stays UNPROVEN
	capacity float64
	errors   float64 // share of wrong answers
	put, get time.Duration
	dips     []dip
	lost     int
	kappa    float64
	deploys  [2]journal.Seconds // how long each took; 0: failed
}

// dip is a stretch of the campaign in which only factor of the load is served.
type dip struct {
	from, seconds int
	factor        float64
}

// The five of CHALLENGE.md's golden rule: safe beats fast and lossy, beats a
// store that is not the one asked for, beats a late and a loadless platform.
var archetypes = []archetype{
	{id: "a-safe", green: [5]int{30, 18, 15, 24, 27}, flaky: 20, capacity: 300, errors: 0.0003, put: 900 * time.Millisecond, get: 1600 * time.Millisecond,
		dips: []dip{{180, 4, 0.6}, {300, 3, 0.7}, {380, 6, 0.6}, {60, 1, 0.9}}, kappa: 1, deploys: [2]journal.Seconds{60, 64}},
	{id: "b-lossy", green: [5]int{33, 15, 12, 20, 26}, flaky: 16, capacity: 420, errors: 0.0003, put: 500 * time.Millisecond, get: time.Second,
		dips: []dip{{180, 8, 0.3}, {300, 6, 0.4}, {380, 12, 0.3}, {60, 2, 0.5}}, lost: 120, kappa: 1, deploys: [2]journal.Seconds{48, 50}},
	{id: "c-other-store", green: [5]int{0, 14, 12, 20, 26}, flaky: 20, unproven: true, capacity: 420, errors: 0.0001, put: 400 * time.Millisecond, get: 800 * time.Millisecond,
		dips: []dip{{180, 1, 0.5}, {300, 1, 0.5}}, kappa: 0, deploys: [2]journal.Seconds{48, 50}},
	{id: "d-late", green: [5]int{36, 30, 28, 34, 35}, flaky: 5, melts: true, capacity: 60, errors: 0.02, put: 4 * time.Second, get: 7 * time.Second,
		dips: []dip{{180, 40, 0}, {300, 60, 0}, {380, 100, 0}}, kappa: 1, deploys: [2]journal.Seconds{120, 0}},
	{id: "e-no-load", green: [5]int{30, 18, 15, 24, 27}, flaky: 20},
}

const (
	dayTicks    = 60
	loadTick    = 49
	loadSeconds = 480
)

// archetypal is the day of all five.
func archetypal() script {
	load := start.Add(8 * time.Hour)
	s := script{
		coarse: true,
		opened: journal.Opened{
			Format: 1, Contest: "archetypes", Title: "Archetypes", Start: start, End: load.Add(2 * time.Hour), FirstLoad: &load,
			Rules: journal.Rules{
				TimeScale: 0.2, GreenAfter: 3, RedAfter: 2, Tick: 600, Campaign: 300, Integrity: 50, Chaos: 150, Redeploy: 100, Incidents: 100,
				Bricks: []journal.Brick{
					{ID: "ceph", Title: "Ceph", Points: 80, InPlay: true}, {ID: "api", Title: "REST API", Points: 60, InPlay: true},
					{ID: "tls", Title: "TLS", Points: 40, InPlay: true}, {ID: "concourse", Title: "Concourse", Points: 60, InPlay: true},
					{ID: "aws", Title: "AWS", Points: 60, InPlay: true},
				},
			},
		},
		campaign: journal.Campaign{
			ID: "1", At: load, Duration: loadSeconds, SLO: map[string]journal.SLO{"put": {Target: 0.5, Max: 5}, "get": {Target: 1, Max: 8}},
			Windows: []journal.Window{
				{ID: "r1", Kind: "redeploy", Title: "Redeployment", From: 60, Length: 60, Weight: 5},
				{ID: "f1", Kind: "fault", Title: "Instance terminated", From: 180, Length: 36, Weight: 6},
				{ID: "r2", Kind: "redeploy", Title: "Redeployment", From: 230, Length: 60, Weight: 5},
				{ID: "f2", Kind: "fault", Title: "OSD stopped", From: 300, Length: 36, Weight: 4},
				{ID: "f3", Kind: "fault", Title: "Zone cut off", From: 380, Length: 36, Weight: 5},
			},
		},
	}
	for _, b := range []string{"ceph", "api", "tls", "concourse", "aws"} {
		s.opened.Checks = append(s.opened.Checks, journal.Check{ID: b + "/works", Brick: b, Level: "bronze", Required: true, Weight: 1, Promise: "It works."})
	}
	s.opened.RulesHash = s.opened.Rules.Hash()
	for _, a := range archetypes {
		s.opened.Teams = append(s.opened.Teams, journal.Team{ID: a.id, Name: a.id})
		s.players = append(s.players, a.play(s.campaign))
	}
	return s
}

func (a archetype) play(c journal.Campaign) player {
	p := player{}
	for brick := range a.green {
		p.statuses = append(p.statuses, a.day(brick))
	}
	acked := 0
	for n := range loadSeconds {
		m := a.second(n)
		acked += m.acked()
		p.load = append(p.load, m)
	}
	for _, w := range c.Windows {
		at := c.At.Add(w.From.Duration())
		switch {
		case w.Kind == "fault":
			p.faults = append(p.faults, journal.Fault{ID: w.ID, State: "injected", At: at}, journal.Fault{ID: w.ID, State: "verified", At: at})
			if a.id == "d-late" {
				p.faults = append(p.faults, journal.Fault{ID: w.ID, State: "rolled-back", At: at.Add(20 * time.Second)})
			}
		case a.deploys[len(p.deploys)%2] == 0:
			p.deploys = append(p.deploys, journal.Redeploy{ID: w.ID, State: "failed", At: at})
		default:
			p.deploys = append(p.deploys, journal.Redeploy{ID: w.ID, State: "live", At: at, Took: a.deploys[len(p.deploys)%2]})
		}
	}
	p.audit = &journal.Audit{Done: true, Acknowledged: acked, Checked: acked, Lost: a.lost, OK: acked - a.lost}
	if a.lost > 0 {
		p.audit.Findings = []journal.Finding{{Key: "load/0000c0ffee", Class: "lost", Got: "404", Want: "200 with version 1", Tries: 3}}
	}
	p.read = &journal.Readback{Sampled: 100, Proven: int(100 * a.kappa)}
	return p
}

func (a archetype) day(brick int) []verdict.Status {
	statuses := row(dayTicks, verdict.Down)
	for n := range statuses {
		tick := n + 1
		switch {
		case brick == 0 && a.unproven:
			statuses[n] = verdict.Unproven
		case tick < a.green[brick]:
		case a.melts && tick == loadTick:
			statuses[n] = verdict.Down
		case a.flaky > 0 && tick%a.flaky == 0:
			statuses[n] = verdict.Degraded
		default:
			statuses[n] = verdict.OK
		}
	}
	return statuses
}

func (a archetype) second(n int) moment {
	rate := 20 + 380*math.Min(1, float64(n)/(0.8*loadSeconds))
	share := func(capacity float64) float64 { return math.Min(1, capacity/rate) * (1 - a.errors) }
	good, right := share(a.capacity), share(1.15*a.capacity)
	for _, d := range a.dips {
		if n >= d.from && n < d.from+d.seconds {
			good, right = good*d.factor, right*d.factor
		}
	}
	offered := int(rate)
	m := moment{offered: offered, right: int(math.Round(right * float64(offered))), latency: a.put, slower: a.get - a.put}
	m.good = min(m.right, int(math.Round(good*float64(offered))))
	return m
}

func TestArchetypesRankAsTheRulesIntend(t *testing.T) {
	entries := archetypal().written(t)
	r, err := score.Of(entries)
	require.NoError(t, err)
	var table bytes.Buffer
	for i, team := range r.Teams {
		fmt.Fprintf(&table, "%-14s %7.2f  rank %d", team.ID, team.Total, team.Rank)
		for _, p := range team.Parts {
			if p.InPlay {
				fmt.Fprintf(&table, "  %s %.2f", p.Label, p.Earned)
			}
		}
		table.WriteByte('\n')
		require.Equal(t, 1.0, team.Coverage)
		require.False(t, team.Provisional)
		if i > 0 {
			require.GreaterOrEqual(t, r.Teams[i-1].Total, team.Total, "%s against %s", r.Teams[i-1].ID, team.ID)
		}
		if i > 0 && i < 4 {
			require.Greater(t, r.Teams[i-1].Total, team.Total, "%s against %s", r.Teams[i-1].ID, team.ID)
		}
	}
	golden(t, "testdata/archetypes.golden", table.Bytes())
}

// Without the factor k the team on another store would be in front: it is what
// makes the mandated one worth its trouble.
func TestTheStoreFactorIsWhatKeepsAnotherStoreBehind(t *testing.T) {
	s := archetypal()
	s.players[2].read = &journal.Readback{Sampled: 100, Proven: 100}
	r := scored(t, s)
	require.Greater(t, who(t, r, "c-other-store").Total, who(t, r, "b-lossy").Total)
	require.Greater(t, who(t, r, "b-lossy").Total, who(t, scored(t, archetypal()), "c-other-store").Total)
}

func TestTheExplanationNamesTheLostObjectAndTheLinesOfEveryPoint(t *testing.T) {
	r := scored(t, archetypal())
	var text bytes.Buffer
	require.NoError(t, score.Explain(&text, r, "b-lossy"))
	require.Contains(t, text.String(), "lost load/0000c0ffee: got 404, want 200 with version 1, after 3 tries [line ")
	golden(t, "testdata/explain.golden", text.Bytes())
	require.EqualError(t, score.Explain(&text, r, "nobody"), `no team is called "nobody", want one of a-safe, b-lossy, c-other-store, d-late, e-no-load`)
}

func TestWhatAPlatformAnsweredCannotSteerTheTerminal(t *testing.T) {
	s := small("a")
	lose(1)(&s, &s.players[0])
	s.players[0].audit.Findings = []journal.Finding{{Key: "k", Class: "lost", Got: "\x1b[2J\nIntegrity: 50 of 50", Want: "200"}}
	var text bytes.Buffer
	require.NoError(t, score.Explain(&text, scored(t, s), "a"))
	require.Contains(t, text.String(), "got \uFFFD[2J\uFFFDIntegrity: 50 of 50, want 200")
}

func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(path, got, 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got), "run the test with -update where the change is meant")
}
