package score_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"math/rand"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"bogops/validator/journal"
	"bogops/validator/score"
	"bogops/validator/verdict"
)

// tiny is small with a campaign of 40 seconds at a time scale of a 25th, so that
// many days can be tried: a fault at 8 s (7.2 s long) and a redeployment at 20 s
// (12 s long).
func tiny() script {
	s := small("a", "b")
	s.opened.Rules.TimeScale = 0.04
	s.opened.Checks = append(s.opened.Checks, journal.Check{ID: "tls/dates", Brick: "tls", Required: true, Weight: 3}, journal.Check{ID: "tls/extra", Brick: "tls", Weight: 1})
	s.opened.RulesHash = s.opened.Rules.Hash()
	s.campaign.Duration = 40
	s.campaign.Windows[0].From, s.campaign.Windows[0].Length = 8, 7.2
	s.campaign.Windows[1].From, s.campaign.Windows[1].Length = 20, 12
	return s
}

// judged are the statuses that a drawn verdict can have, the good ones often.
var judged = []verdict.Status{
	verdict.OK, verdict.OK, verdict.OK, verdict.OK, verdict.OK, verdict.OK, verdict.Degraded, verdict.Unproven, verdict.Recovering,
	verdict.Mumble, verdict.Corrupt, verdict.Down, verdict.JudgeError, verdict.Disputed, verdict.NotChecked, "",
}

// anyDay draws a day for two teams.
func anyDay(t *rapid.T) script {
	s := tiny()
	for p := range s.players {
		s.players[p] = anyPlayer(t, s)
	}
	return s
}

func anyPlayer(t *rapid.T, s script) player {
	p := perfect(s.campaign)
	p.statuses = nil
	for range s.opened.Checks {
		p.statuses = append(p.statuses, rapid.SliceOfN(rapid.SampledFrom(judged), 28, 30).Draw(t, "statuses"))
	}
	healthy := rapid.Bool().Draw(t, "healthy")
	for n := range p.load {
		m := moment{offered: 20, latency: rapid.SampledFrom([]time.Duration{50, 800, 3000}).Draw(t, "ms") * time.Millisecond}
		m.right = 20
		if !healthy || rapid.IntRange(0, 3).Draw(t, "bad") == 0 {
			m.right = rapid.IntRange(0, 20).Draw(t, "right")
		}
		m.good = rapid.IntRange(m.right/2, m.right).Draw(t, "good")
		m.inconclusive = rapid.IntRange(0, 9).Draw(t, "starved") == 0
		p.load[n] = m
	}
	state := rapid.SampledFrom([]string{"verified", "verified", "verified", "unverified", "refused"}).Draw(t, "fault")
	p.faults[1].State = state
	if rapid.Bool().Draw(t, "rolled back") {
		at := s.campaign.At.Add(time.Duration(rapid.IntRange(8, 20).Draw(t, "at")) * time.Second)
		p.faults = append(p.faults, journal.Fault{ID: "1-fault-1", State: "rolled-back", At: at})
	}
	p.deploys[1].State = rapid.SampledFrom([]string{"live", "live", "failed"}).Draw(t, "deploy")
	p.deploys[1].Took = journal.Seconds(rapid.IntRange(1, 40).Draw(t, "took"))
	p.audit.Lost = rapid.IntRange(0, 4).Draw(t, "lost")
	p.audit.Inconclusive = rapid.IntRange(0, 3).Draw(t, "unread")
	return p
}

// never checks that a change to team a's day does not raise its total, and does
// not touch b's points.
func never(t *testing.T, change func(*rapid.T, *script, *player)) {
	t.Helper()
	rapid.Check(t, func(t *rapid.T) {
		s := anyDay(t)
		before := totals(t, s)
		change(t, &s, &s.players[0])
		after := totals(t, s)
		require.LessOrEqual(t, after[0], before[0]+1e-9)
		require.Equal(t, before[1], after[1])
	})
}

func totals(t require.TestingT, s script) []float64 {
	r, err := score.Of(s.written(t))
	require.NoError(t, err)
	var all []float64
	for _, team := range r.Teams {
		all = append(all, team.Total)
	}
	return all
}

func TestAWorseVerdictNeverRaisesAScore(t *testing.T) {
	never(t, func(t *rapid.T, _ *script, p *player) {
		row := p.statuses[rapid.IntRange(0, len(p.statuses)-1).Draw(t, "check")]
		for range rapid.IntRange(1, 5).Draw(t, "how many") {
			at := rapid.IntRange(0, len(row)-1).Draw(t, "tick")
			if _, counts := row[at].Share(); counts {
				row[at] = rapid.SampledFrom([]verdict.Status{verdict.Mumble, verdict.Down, verdict.Corrupt}).Draw(t, "worse")
			}
		}
	})
}

func TestALaterGreenNeverRaisesAScore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anyDay(t)
		green := rapid.IntRange(0, 30).Draw(t, "green")
		later := rapid.IntRange(green, 30).Draw(t, "later")
		var before, after []float64
		for i := range s.players[0].statuses {
			s.players[0].statuses[i] = append(row(green, verdict.Down), row(30-green, verdict.OK)...)
		}
		before = totals(t, s)
		for i := range s.players[0].statuses {
			s.players[0].statuses[i] = append(row(later, verdict.Down), row(30-later, verdict.OK)...)
		}
		after = totals(t, s)
		require.LessOrEqual(t, after[0], before[0]+1e-9)
	})
}

// Errors and time-outs, anywhere but in the seconds just before the fault: what
// was served there is the level that a platform has to come back to.
func TestMoreErrorsUnderLoadNeverRaiseAScore(t *testing.T) {
	never(t, func(t *rapid.T, s *script, p *player) {
		from := rapid.IntRange(0, len(p.load)-1).Draw(t, "from")
		to := rapid.IntRange(from, len(p.load)-1).Draw(t, "to")
		for n := from; n <= to; n++ {
			m := &p.load[n]
			if n == int(s.campaign.Windows[0].From)-1 {
				continue
			}
			m.right = rapid.IntRange(0, m.right).Draw(t, "right")
			m.good = min(m.good, m.right)
		}
	})
}

func TestLaterAnswersNeverRaiseAScore(t *testing.T) {
	never(t, func(t *rapid.T, s *script, p *player) {
		for n := range p.load {
			if n != int(s.campaign.Windows[0].From)-1 {
				p.load[n].good = rapid.IntRange(0, p.load[n].good).Draw(t, "good")
			}
			p.load[n].latency += time.Duration(rapid.IntRange(0, 2).Draw(t, "s")) * time.Second
		}
	})
}

func TestMoreLossNeverRaisesAScore(t *testing.T) {
	never(t, func(t *rapid.T, _ *script, p *player) {
		p.audit.Lost += rapid.IntRange(0, 3).Draw(t, "lost")
		p.audit.Stale += rapid.IntRange(0, 3).Draw(t, "stale")
		p.audit.Corrupt += rapid.IntRange(0, 3).Draw(t, "corrupt")
		p.audit.Unreachable += rapid.IntRange(0, 3).Draw(t, "unreachable")
	})
}

func TestAJudgesFaultMoreNeverChangesAScore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anyDay(t)
		s.players[0].load = s.players[0].load[:rapid.IntRange(35, 40).Draw(t, "seconds")]
		before := totals(t, s)
		p := &s.players[0]
		for c := range p.statuses {
			row := p.statuses[c]
			for i := range row {
				if row[i] == "" && rapid.Bool().Draw(t, "there") {
					row[i] = rapid.SampledFrom([]verdict.Status{verdict.JudgeError, verdict.Disputed, verdict.NotChecked}).Draw(t, "fault")
				}
			}
		}
		for range rapid.IntRange(0, 40-len(p.load)).Draw(t, "more seconds") {
			p.load = append(p.load, moment{offered: 20, inconclusive: true})
		}
		for n := range p.load {
			p.load[n].unsent += rapid.IntRange(0, 5).Draw(t, "unsent")
		}
		require.Equal(t, before, totals(t, s))
	})
}

func TestTheOrderOfLinesOfEqualTimeChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anyDay(t)
		s.voids = []journal.Void{{Tick: 5, Check: "tls/chain"}, {Tick: 20, Check: "tls/dates", Team: "b"}}
		entries := s.written(t)
		for i := range entries {
			entries[i].At = entries[i].At.Truncate(time.Minute)
		}
		before, err := score.Of(entries)
		require.NoError(t, err)
		shuffled := slices.Clone(entries)
		random := rand.New(rand.NewSource(rapid.Int64().Draw(t, "order")))
		random.Shuffle(len(shuffled)-1, func(i, j int) { shuffled[i+1], shuffled[j+1] = shuffled[j+1], shuffled[i+1] })
		slices.SortStableFunc(shuffled[1:], func(a, b journal.Entry) int { return cmp.Compare(a.At.Unix(), b.At.Unix()) })
		after, err := score.Of(shuffled)
		require.NoError(t, err)
		require.Equal(t, before.Teams, after.Teams)
	})
}

func TestAReplayFromTheFileIsEqualToTheLastDigit(t *testing.T) {
	entries := archetypal().written(t)
	live := score.NewFold()
	for i, e := range entries {
		require.NoError(t, live.Add(e))
		if i%97 == 0 {
			live.Result() // what the wall asks for in between must leave no trace
		}
	}
	// An entry as JSON is its line in the file.
	var file bytes.Buffer
	for _, e := range entries {
		line, err := json.Marshal(e)
		require.NoError(t, err)
		file.Write(append(line, '\n'))
	}
	path := filepath.Join(t.TempDir(), "day.jsonl")
	require.NoError(t, os.WriteFile(path, file.Bytes(), 0o600))
	again, err := journal.Read(path)
	require.NoError(t, err)
	replayed, err := score.Of(again)
	require.NoError(t, err)
	require.Equal(t, live.Result(), replayed)
}
