package score_test

import (
	"fmt"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/stretchr/testify/require"

	"bogops/validator/journal"
	"bogops/validator/verdict"
)

var start = time.Date(2026, 12, 4, 9, 0, 0, 0, time.UTC)

// script is a day to be written into a journal. Its tables are plain values, so
// that a test can change exactly one thing and compare.
type script struct {
	opened   journal.Opened
	campaign journal.Campaign
	players  []player
	voids    []journal.Void
	open     bool // the journal is not closed yet
	coarse   bool // histograms of two digits, which are quicker
}

// player is what one team did.
type player struct {
	statuses [][]verdict.Status // by check, by tick−1; empty: no verdict
	load     []moment           // by second; of the campaign
	faults   []journal.Fault
	deploys  []journal.Redeploy
	audit    *journal.Audit
	read     *journal.Readback
}

// moment is one second of load, half of it PUTs.
type moment struct {
	offered, right, good int
	unsent               int
	latency              time.Duration // of every right answer to a PUT
	slower               time.Duration // more for a GET
	inconclusive         bool
	unacked              bool // no PUT is acknowledged
}

func (m moment) puts() int { return m.offered / 2 }

func (m moment) acked() int {
	if m.unacked {
		return 0
	}
	return m.right / 2
}

// written writes the day down, line by line in order of time.
func (s script) written(t require.TestingT) []journal.Entry {
	now := start
	j := journal.MemoryAt(s.opened, func() time.Time { return now })
	add := func(kind journal.Kind, payload any) {
		_, err := j.Append(kind, payload)
		require.NoError(t, err)
	}
	load := s.campaign.At
	if s.campaign.ID == "" {
		load = s.opened.End
	}
	s.ticks(&now, start, load, add)
	for _, v := range s.voids {
		add(journal.KindVoid, v)
	}
	if s.campaign.ID != "" {
		s.afternoon(&now, add)
	}
	s.ticks(&now, s.opened.End, s.opened.End.Add(24*time.Hour), add)
	if !s.open {
		now = s.opened.End
		add(journal.KindClosed, journal.Closed{Seed: "seed"})
	}
	return j.Entries()
}

// ticks writes the verdicts of the ticks from one moment to before another.
func (s script) ticks(now *time.Time, from, to time.Time, add func(journal.Kind, any)) {
	tick := s.opened.Rules.Tick.Duration()
	for n := range longestRow(s.players) {
		at := start.Add(time.Duration(n) * tick)
		if at.Before(from) || !at.Before(to) {
			continue
		}
		*now = at
		for p, player := range s.players {
			for c, row := range player.statuses {
				if n < len(row) && row[n] != "" {
					check := s.opened.Checks[c]
					add(journal.KindVerdict, journal.Verdict{Tick: n + 1, Team: s.opened.Teams[p].ID, Check: check.ID, Brick: check.Brick, Status: row[n]})
				}
			}
		}
	}
}

func (s script) afternoon(now *time.Time, add func(journal.Kind, any)) {
	c := s.campaign
	*now = c.At
	add(journal.KindCampaign, c)
	for n := range int(c.Duration) {
		s.disturbances(*now, now.Add(time.Second), add)
		s.ticks(now, *now, now.Add(time.Second), add)
		*now = c.At.Add(time.Duration(n+1) * time.Second)
		for p, player := range s.players {
			if n < len(player.load) {
				add(journal.KindLoad, player.load[n].line(c, s.opened.Teams[p].ID, n, s.coarse))
			}
		}
	}
	s.disturbances(*now, s.opened.End, add)
	for p, player := range s.players {
		id := s.opened.Teams[p].ID
		if player.audit != nil {
			a := *player.audit
			a.Campaign, a.Team = c.ID, id
			add(journal.KindAudit, a)
		}
		if player.read != nil {
			r := *player.read
			r.Campaign, r.Team = c.ID, id
			add(journal.KindReadback, r)
		}
	}
	s.ticks(now, *now, s.opened.End, add)
}

// disturbances writes what was done from one moment to before another; what
// carries no time comes first.
func (s script) disturbances(from, to time.Time, add func(journal.Kind, any)) {
	now := func(at time.Time) bool {
		if at.IsZero() {
			at = s.campaign.At
		}
		return !at.Before(from) && at.Before(to)
	}
	for p, player := range s.players {
		for _, f := range player.faults {
			if f.Campaign, f.Team = s.campaign.ID, s.opened.Teams[p].ID; now(f.At) {
				add(journal.KindFault, f)
			}
		}
		for _, d := range player.deploys {
			if d.Campaign, d.Team = s.campaign.ID, s.opened.Teams[p].ID; now(d.At) {
				add(journal.KindRedeploy, d)
			}
		}
	}
}

func (m moment) line(c journal.Campaign, team string, n int, coarse bool) journal.Load {
	l := journal.Load{
		Campaign: c.ID, Team: team, Second: n, Offered: m.offered, Unsent: m.unsent, Right: m.right, Good: m.good,
		Puts: m.puts(), Acked: m.acked(), Inconclusive: m.inconclusive, Latency: map[string]string{}, Worst: map[string]int{},
	}
	right, wrong := m.right, m.offered-m.right
	l.Latency["put"], l.Latency["get"] = histogram(m.latency, right/2, coarse), histogram(m.latency+m.slower, right-right/2, coarse)
	l.Worst["put"], l.Worst["get"] = wrong/2, wrong-wrong/2
	return l
}

var histograms sync.Map // of encoded histograms: encoding is most of a test's time

// histogram encodes n answers that all took latency.
func histogram(latency time.Duration, n int, coarse bool) string {
	digits := 3
	if coarse {
		digits = 2
	}
	key := fmt.Sprint(latency, n, digits)
	if known, ok := histograms.Load(key); ok {
		return known.(string)
	}
	h := hdrhistogram.New(1, 60_000_000, digits)
	if err := h.RecordValues(latency.Microseconds(), int64(n)); err != nil {
		panic(err)
	}
	encoded, err := h.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	if err != nil {
		panic(err)
	}
	histograms.Store(key, string(encoded))
	return string(encoded)
}

func longestRow(players []player) int {
	longest := 0
	for _, p := range players {
		for _, row := range p.statuses {
			longest = max(longest, len(row))
		}
	}
	return longest
}

// small is a contest of one brick of 40 points with one required check, ticks
// of a minute, 20 of them before and 10 after the start of a campaign of 100
// seconds at a time scale of a tenth, with a fault at 20 s and a redeployment at
// 50 s.
func small(teams ...string) script {
	load := start.Add(20 * time.Minute)
	s := script{
		coarse: true,
		opened: journal.Opened{
			Format: 1, Contest: "small", Title: "Small", Start: start, End: load.Add(10 * time.Minute), FirstLoad: &load,
			Rules: journal.Rules{
				TimeScale: 0.1, GreenAfter: 3, RedAfter: 2, Tick: 60,
				Bricks:   []journal.Brick{{ID: "ceph", Title: "Ceph", Points: 80, Hint: "make rehearsal"}, {ID: "tls", Title: "TLS", Points: 40, InPlay: true}},
				Campaign: 300, Integrity: 50, Chaos: 150, Redeploy: 100, Incidents: 100,
			},
			Checks: []journal.Check{{ID: "tls/chain", Brick: "tls", Promise: "The chain ends in a known root.", Required: true, Weight: 1}},
		},
		campaign: journal.Campaign{
			ID: "1", At: load, Duration: 100, SLO: map[string]journal.SLO{"put": {Target: 0.5, Max: 5}, "get": {Target: 1, Max: 8}},
			Windows: []journal.Window{
				{ID: "1-fault-1", Kind: "fault", Action: "kill-instance", Title: "Instance killed", From: 20, Length: 18, Weight: 6},
				{ID: "1-redeploy-1", Kind: "redeploy", Action: "app-deploy", Title: "Redeployment", From: 50, Length: 30, Weight: 5},
			},
		},
	}
	for _, id := range teams {
		s.opened.Teams = append(s.opened.Teams, journal.Team{ID: id, Name: id})
		s.players = append(s.players, perfect(s.campaign))
	}
	s.opened.RulesHash = s.opened.Rules.Hash()
	return s
}

// perfect is a player who does everything right from the first tick on.
func perfect(c journal.Campaign) player {
	at := func(seconds float64) time.Time { return c.At.Add(time.Duration(seconds * float64(time.Second))) }
	p := player{
		statuses: [][]verdict.Status{row(30, verdict.OK)},
		faults: []journal.Fault{
			{ID: "1-fault-1", Kind: "kill-instance", State: "injected", At: at(20), Weight: 6},
			{ID: "1-fault-1", Kind: "kill-instance", State: "verified", At: at(20.2), Weight: 6},
		},
		deploys: []journal.Redeploy{
			{ID: "1-redeploy-1", Job: "app-deploy", State: "started", At: at(50), Weight: 5},
			{ID: "1-redeploy-1", Job: "app-deploy", State: "live", At: at(65), Took: 15, Weight: 5},
		},
		audit: &journal.Audit{Done: true, Acknowledged: 1000, Checked: 1000, OK: 1000},
	}
	for range int(c.Duration) {
		p.load = append(p.load, moment{offered: 20, right: 20, good: 20, latency: 100 * time.Millisecond})
	}
	return p
}

func row(n int, s verdict.Status) []verdict.Status {
	statuses := make([]verdict.Status, n)
	for i := range statuses {
		statuses[i] = s
	}
	return statuses
}
