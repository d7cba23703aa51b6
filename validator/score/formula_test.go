package score_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/validator/journal"
	"bogops/validator/score"
	"bogops/validator/verdict"
)

// part returns the node of a team at the top of its tree.
func part(t *testing.T, r score.Result, team, label string) score.Node {
	t.Helper()
	return child(t, who(t, r, team).Parts, label)
}

func who(t *testing.T, r score.Result, team string) score.Team {
	t.Helper()
	for _, found := range r.Teams {
		if found.ID == team {
			return found
		}
	}
	require.Failf(t, "no such team", "%s", team)
	return score.Team{}
}

func child(t *testing.T, nodes []score.Node, label string) score.Node {
	t.Helper()
	for _, n := range nodes {
		if n.Label == label {
			return n
		}
	}
	require.Failf(t, "no such node", "%s", label)
	return score.Node{}
}

func scored(t *testing.T, s script) score.Result {
	t.Helper()
	r, err := score.Of(s.written(t))
	require.NoError(t, err)
	return r
}

func near(t *testing.T, want, got float64, why string) {
	t.Helper()
	require.InDelta(t, want, got, 1e-9, why)
}

func TestAPerfectDayEarnsEveryPointInPlay(t *testing.T) {
	r := scored(t, small("a"))
	a := who(t, r, "a")
	near(t, 1000, a.Total, "total")
	near(t, 640, a.InPlay, "40 + 300 + 50 + 150 + 100: Ceph and incidents are out")
	require.Equal(t, 1.0, a.Coverage)
	require.False(t, a.Provisional)
	require.Equal(t, 1, a.Rank)
	require.True(t, r.Final)
	require.False(t, part(t, r, "a", "Incidents").InPlay)
	ceph := child(t, part(t, r, "a", "Bricks").Children, "Ceph")
	require.False(t, ceph.InPlay)
	require.Equal(t, "not in play: make rehearsal", ceph.Detail)
}

// Every expected number of this table was worked out by hand from CHALLENGE.md,
// section Scoring, for the day that small describes.
func TestFormulasGiveWhatTheyGiveByHand(t *testing.T) {
	const (
		ok, mumble, degraded = verdict.OK, verdict.Mumble, verdict.Degraded
		judge, unchecked     = verdict.JudgeError, verdict.NotChecked
	)
	tls := "TLS"
	cases := []struct {
		name   string
		change func(s *script, p *player)
		group  string
		label  string
		want   float64
	}{
		{"never green", func(_ *script, p *player) { p.statuses[0] = row(20, mumble) }, "Bricks", tls, 0},
		{"green from the sixth tick on: 25 of 30 minutes left, 15 of 20 ticks held", func(_ *script, p *player) {
			copy(p.statuses[0], row(5, mumble))
		}, "Bricks", tls, 40 * (0.5 + 0.2*25/30 + 0.3*15/20)},
		{"two OK of the last ten, never three running", func(_ *script, p *player) {
			p.statuses[0] = append(row(18, mumble), ok, ok)
		}, "Bricks", tls, 40 * 0.5 * 0.2},
		{"degraded to the end is half of a tick and no proof", func(_ *script, p *player) {
			p.statuses[0] = append(row(10, ok), row(10, degraded)...)
		}, "Bricks", tls, 40 * (0 + 0.2 + 0.3*(10+5)/20)},
		{"the judge's own ticks leave: 16 counted ones, all OK", func(_ *script, p *player) {
			p.statuses[0] = []verdict.Status{ok, judge, ok, ok, ok, judge, unchecked, judge, ok, ok, ok, ok, ok, ok, ok, ok, ok, ok, ok, ok}
		}, "Bricks", tls, 40},
		{"a judge's tick does not make the run: OK, judge, OK, wrong", func(_ *script, p *player) {
			copy(p.statuses[0], []verdict.Status{ok, judge, ok, mumble})
		}, "Bricks", tls, 40 * (0.5 + 0.2*26/30 + 0.3*16/19)},
		{"green with the first load: ten minutes left, all of the last ten OK, nothing held", func(_ *script, p *player) {
			p.statuses[0] = append(row(20, mumble), row(10, ok)...)
		}, "Bricks", tls, 40 * (0.5 + 0.2*10/30)},
		{"green five minutes before the end: five OK of the last ten", func(_ *script, p *player) {
			p.statuses[0] = append(row(25, mumble), row(5, ok)...)
		}, "Bricks", tls, 40 * (0.5*0.5 + 0.2*5/30)},
		{"the green run begins two ticks before the first load: two are held", func(_ *script, p *player) {
			p.statuses[0] = append(row(18, mumble), row(12, ok)...)
		}, "Bricks", tls, 40 * (0.5 + 0.2*12/30 + 0.3*2/20)},
		{"red for four ticks under load, OK in the last ten of the day: nothing is lost", func(s *script, p *player) {
			s.opened.End = s.opened.End.Add(5 * time.Minute)
			p.statuses[0] = append(append(row(20, ok), row(4, verdict.Down)...), row(11, ok)...)
		}, "Bricks", tls, 40},
		{"red from the first load on: one OK of the last ten of the day", func(_ *script, p *player) {
			p.statuses[0] = append(row(20, ok), row(9, mumble)...)
		}, "Bricks", tls, 40 * (0.5*0.1 + 0.2 + 0.3)},
		{"verdicts after the end do not count", func(_ *script, p *player) {
			p.statuses[0] = append(row(30, ok), row(9, mumble)...)
		}, "Bricks", tls, 40},
		{"no campaign: ticks are held up to the end, here 15 of 30", func(s *script, p *player) {
			s.opened.FirstLoad, s.campaign = nil, journal.Campaign{}
			p.statuses[0] = append(row(15, mumble), row(15, ok)...)
		}, "Bricks", tls, 40 * (0.5 + 0.2*15/30 + 0.3*15/30)},
		{"no counted tick before the first load: N is 1, and nothing is held", func(_ *script, p *player) {
			p.statuses[0] = append(row(20, judge), row(10, ok)...)
		}, "Bricks", tls, 40 * (0.5 + 0.2*10/30)},
		{"one check of weight 1 OK, one of weight 3 wrong: a quarter", func(s *script, p *player) {
			s.opened.Checks = append(s.opened.Checks, journal.Check{ID: "tls/dates", Brick: "tls", Required: true, Weight: 3})
			p.statuses = append(p.statuses, row(20, mumble))
		}, "Bricks", tls, 40 * 0.5 * 0.25},
		{"a bonus adds a tenth of its share, here 4 of 10", func(s *script, p *player) {
			s.opened.Checks = append(s.opened.Checks, journal.Check{ID: "tls/extra", Brick: "tls", Weight: 3})
			p.statuses[0] = row(20, mumble)
			p.statuses = append(p.statuses, append(row(16, mumble), row(4, ok)...))
		}, "Bricks", tls, 40 * 0.1 * 0.4},

		// 52 seconds of baseline: 100 less 18 and 30. 20 offered in each.
		{"four baseline seconds with a quarter late: GP 1 − 20/1040", func(_ *script, p *player) {
			for n := range 4 {
				p.load[n].good = 15
			}
		}, "", "Campaign", 180*(1-20.0/1040) + 80 + 40},
		{"a dead baseline second: A = 51/52, p99 of one in 52 wrong is the max", func(_ *script, p *player) {
			p.load[0].right, p.load[0].good = 0, 0
		}, "", "Campaign", 180*51/52.0 + 80*(math.Log10(52)-1)/1.7 + 0},
		{"a second with exactly half right is up", func(_ *script, p *player) {
			p.load[0].right, p.load[0].good = 10, 10
		}, "", "Campaign", 180*1030/1040.0 + 80 + 40},
		{"a second that a window only touches is the window's", func(s *script, p *player) {
			s.campaign.Windows[0].Length = 17.5
			down(37, 38)(s, p)
		}, "", "Campaign", 300},
		{"every answer in 2 s", func(s *script, p *player) {
			s.coarse = false
			for n := range p.load {
				p.load[n].latency = 2 * time.Second
			}
		}, "", "Campaign", 180 + 80 + 40*(3/4.5+6.0/7)/2},
		{"trouble inside windows only is not the campaign's", func(_ *script, p *player) {
			for n := range 18 {
				p.load[20+n].good = 0
			}
		}, "", "Campaign", 300},
		{"inconclusive seconds leave", func(_ *script, p *player) {
			p.load[3] = moment{offered: 20, inconclusive: true}
		}, "", "Campaign", 300},
		{"two objects lost of 1,000: g = 0.6", lose(2), "", "Campaign", 0.6 * 300},
		{"five lost of 1,000: g = 0", lose(5), "", "Campaign", 0},
		{"one lost: no integrity", lose(1), "", "Integrity", 0},
		{"not reached while the witness was silent too: nobody is blamed", func(_ *script, p *player) { p.audit.Unreachable = 1 }, "", "Integrity", 50},
		{"a fifth of the PUTs acknowledged: two fifths", func(_ *script, p *player) {
			for n := range p.load {
				p.load[n].right, p.load[n].good = 4, 4
			}
		}, "", "Integrity", 50 * 0.4},

		// LGS is out of 6 s, TTR out of 18 s, the level is taken over 3 s.
		{"down for 3 s, back at once: 0.5 · 0.5 + 0.3 · 15/18 + 0.2", down(20, 23), "", "Chaos", 150 * (0.25 + 0.25 + 0.2)},
		{"down for 9 s", down(20, 29), "", "Chaos", 150 * (0.3*0.5 + 0.2)},
		{"never back: nothing", down(20, 100), "", "Chaos", 0},
		{"back only after the rollback: not by itself", func(s *script, p *player) {
			down(20, 23)(s, p)
			p.faults = append(p.faults, journal.Fault{ID: "1-fault-1", State: "rolled-back", At: s.campaign.At.Add(22 * time.Second)})
		}, "", "Chaos", 150 * (0.25 + 0.25)},
		{"back before the rollback: by itself", func(s *script, p *player) {
			down(20, 23)(s, p)
			p.faults = append(p.faults, journal.Fault{ID: "1-fault-1", State: "rolled-back", At: s.campaign.At.Add(30 * time.Second)})
		}, "", "Chaos", 150 * (0.25 + 0.25 + 0.2)},
		{"back at the very moment of the rollback: not by itself", func(s *script, p *player) {
			down(20, 23)(s, p)
			p.faults = append(p.faults, journal.Fault{ID: "1-fault-1", State: "rolled-back", At: s.campaign.At.Add(23 * time.Second)})
		}, "", "Chaos", 150 * (0.25 + 0.25)},
		{"at 55 of 60 before, it has to come back to 99 % of that", func(s *script, p *player) {
			for n := 17; n < 100; n++ {
				p.load[n].good = []int{18, 18, 19}[n%3]
			}
			down(20, 23)(s, p)
		}, "", "Chaos", 150 * (0.5*(1-4.25/6) + 0.25 + 0.2)},
		{"a bad second before the three does not lower the level", func(s *script, p *player) {
			for n := 23; n < 100; n++ {
				p.load[n].good = 19
			}
			p.load[16].good = 0
			down(20, 23)(s, p)
		}, "", "Chaos", 150 * 0.5 * (1 - 3.75/6)},
		{"refused though the contract obliges: nothing", func(_ *script, p *player) {
			p.faults = []journal.Fault{{ID: "1-fault-1", State: "refused"}}
		}, "", "Chaos", 0},

		// LGS is out of 2 s; T is perfect at 18 s and nothing at 90 s.
		{"down for 1 s, live after 54 s", func(s *script, p *player) {
			down(50, 51)(s, p)
			p.deploys[1].Took = 54
		}, "", "Redeploy", 100 * (0.3 + 0.25 + 0.1)},
		{"failed", func(_ *script, p *player) { p.deploys[1].State = "failed" }, "", "Redeploy", 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := small("a", "b")
			c.change(&s, &s.players[0])
			s.opened.RulesHash = s.opened.Rules.Hash()
			r := scored(t, s)
			nodes := who(t, r, "a").Parts
			if c.group != "" {
				nodes = part(t, r, "a", c.group).Children
			}
			tolerance := 1e-9
			if c.name == "every answer in 2 s" {
				tolerance = 0.01 // the histogram keeps three digits
			}
			got := child(t, nodes, c.label)
			require.InDelta(t, c.want, got.Earned, tolerance, got.Detail)
			near(t, 1000, who(t, r, "b").Total, "the other team must not be touched")
		})
	}
}

func lose(n int) func(*script, *player) {
	return func(_ *script, p *player) { p.audit.Lost, p.audit.OK = n, 1000-n }
}

func down(from, to int) func(*script, *player) {
	return func(_ *script, p *player) {
		for n := from; n < to; n++ {
			p.load[n].right, p.load[n].good = 0, 0
		}
	}
}
