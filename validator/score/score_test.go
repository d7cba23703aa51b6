package score_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/validator/journal"
	"bogops/validator/score"
	"bogops/validator/verdict"
)

func TestAVoidTakesASampleAwayForTheTeamsItNames(t *testing.T) {
	s := small("a", "b")
	for p := range s.players {
		s.players[p].statuses[0][19] = verdict.Down
	}
	s.voids = []journal.Void{{Tick: 20, Check: "tls/chain", Team: "a", Reason: "our network", Author: "judge"}}
	r := scored(t, s)
	near(t, 1000, who(t, r, "a").Total, "annulled for a")
	require.Less(t, who(t, r, "b").Total, 1000.0)
	s.voids[0].Team = ""
	r = scored(t, s)
	near(t, 1000, who(t, r, "b").Total, "annulled for all")
	require.Less(t, who(t, r, "b").Coverage, 1.0)
}

func TestAPartWithoutAnySampleLeavesTheSum(t *testing.T) {
	s := small("a", "b")
	s.opened.Teams = append(s.opened.Teams, journal.Team{ID: "w", Name: "w", Witness: true})
	s.players = append(s.players, perfect(s.campaign))
	unseen := func(p *player) { p.faults = []journal.Fault{{ID: "1-fault-1", State: "unverified"}} }

	unseen(&s.players[0])
	r := scored(t, s)
	require.False(t, part(t, r, "a", "Chaos").InPlay, "the judge cannot say anything of a")
	near(t, 1000, who(t, r, "a").Total, "and a does not lose by it")
	require.True(t, part(t, r, "b", "Chaos").InPlay)
	require.Less(t, who(t, r, "a").Coverage, 1.0)
	require.True(t, who(t, r, "a").Provisional, "150 of 640 points are not covered")

	unseen(&s.players[1])
	r = scored(t, s)
	for _, team := range []string{"a", "b", "w"} {
		require.False(t, part(t, r, team, "Chaos").InPlay, "it leaves for all, whatever the witness has: %s", team)
		near(t, 490, who(t, r, team).InPlay, team)
	}
}

func TestABrickThatTheJudgeCouldNotCheckLeavesTheSumWithTheDay(t *testing.T) {
	s := small("a", "b")
	s.players[0].statuses[0] = row(30, verdict.JudgeError)
	s.open = true
	r := scored(t, s)
	require.True(t, child(t, part(t, r, "a", "Bricks").Children, "TLS").InPlay, "it may still be checked until the end")
	require.True(t, who(t, r, "a").LastGreen.IsZero())

	s.open = false
	r = scored(t, s)
	require.False(t, child(t, part(t, r, "a", "Bricks").Children, "TLS").InPlay)
	near(t, 600, who(t, r, "a").InPlay, "640 less the 40 of the brick")
	near(t, 1000, who(t, r, "a").Total, "a does not lose by it")
	near(t, 640, who(t, r, "b").InPlay, "it stays in the sum of the other team")
}

func TestTheWitnessIsNotRanked(t *testing.T) {
	s := small("w", "a", "b")
	s.opened.Teams[0].Witness = true
	lose(1)(&s, &s.players[1])
	r := scored(t, s)
	require.Zero(t, who(t, r, "w").Rank)
	require.Equal(t, 2, who(t, r, "a").Rank)
	require.Equal(t, 1, who(t, r, "b").Rank)
	ranking := r.Ranking()
	require.Equal(t, "b", ranking[0].ID)
	require.Equal(t, "a", ranking[1].ID)
	require.Len(t, ranking, 2)
}

func TestTiesGoToFewerLostSecondsThenToTheEarlierBrick(t *testing.T) {
	zero := func(s *script) {
		s.opened.Rules.Campaign, s.opened.Rules.Chaos, s.opened.Rules.Redeploy = 0, 0, 0
		s.opened.RulesHash = s.opened.Rules.Hash()
	}
	s := small("a", "b", "c")
	zero(&s)
	r := scored(t, s)
	for _, team := range r.Teams {
		require.Equal(t, 1, team.Rank, "all equal: all first")
	}
	s.players[0].load[60].good = 10 // half a second lost, in a window that is worth nothing here
	r = scored(t, s)
	require.Equal(t, []int{3, 1, 1}, []int{r.Teams[0].Rank, r.Teams[1].Rank, r.Teams[2].Rank})
	near(t, 0.5, r.Teams[0].LostSeconds, "")

	s = small("a", "b")
	zero(&s)
	s.opened.Rules.Bricks[1].Points = 1e-9 // the bricks decide nothing, only the tie
	s.opened.RulesHash = s.opened.Rules.Hash()
	s.players[0].statuses[0][0] = verdict.Down
	r = scored(t, s)
	require.Equal(t, []int{2, 1}, []int{r.Teams[0].Rank, r.Teams[1].Rank})
	require.True(t, r.Teams[0].LastGreen.Equal(start.Add(time.Minute)))
}

func TestPointsComeInWhileTheDayRuns(t *testing.T) {
	entries := small("a").written(t)
	f := score.NewFold()
	last, lastCampaign := 0.0, 0.0
	for _, e := range entries {
		require.NoError(t, f.Add(e))
		r := f.Result()
		campaign := part(t, r, "a", "Campaign")
		require.True(t, campaign.InPlay, "a part still to come is in the sum")
		require.GreaterOrEqual(t, campaign.Earned, lastCampaign)
		require.LessOrEqual(t, campaign.Earned-lastCampaign, 3.0+1e-9, "no jumps: a hundredth of 300 a second")
		require.GreaterOrEqual(t, who(t, r, "a").Total, last-1e-9, "a perfect day never loses points")
		require.False(t, who(t, r, "a").Provisional)
		last, lastCampaign = who(t, r, "a").Total, campaign.Earned
	}
	near(t, 1000, last, "")
}

func TestTheStoreShareIsProvisionalUntilItIsRead(t *testing.T) {
	s := small("a")
	s.opened.Rules.Bricks[0].InPlay = true
	s.opened.RulesHash = s.opened.Rules.Hash()
	require.True(t, who(t, scored(t, s), "a").Provisional)

	s.players[0].read = &journal.Readback{Sampled: 100, Proven: 45, Void: 10}
	r := scored(t, s)
	require.False(t, who(t, r, "a").Provisional)
	near(t, 300*0.7, part(t, r, "a", "Campaign").Earned, "κ = 45 of 90: k = 0.4 + 0.6 · 0.5")
	near(t, 50*0.7, part(t, r, "a", "Integrity").Earned, "")
	near(t, 150*0.7, part(t, r, "a", "Chaos").Earned, "")
	near(t, 100, part(t, r, "a", "Redeploy").Earned, "no k here")

	for n := range s.players[0].load {
		s.players[0].load[n].unacked = true
	}
	near(t, 300*0.4, part(t, scored(t, s), "a", "Campaign").Earned, "nothing was acknowledged: κ = 0")
}

func TestSeveralCampaignsCountAsTheirMean(t *testing.T) {
	s := small("a")
	first := s.written(t)
	second := s
	second.campaign.ID, second.campaign.At = "2", s.campaign.At.Add(5*time.Minute)
	second.players = []player{perfect(second.campaign)}
	second.players[0].statuses = nil
	lose(2)(&second, &second.players[0])
	f := score.NewFold()
	for _, e := range append(first[:len(first)-1], second.written(t)[1:]...) {
		require.NoError(t, f.Add(e))
	}
	r := f.Result()
	near(t, (300+0.6*300)/2, part(t, r, "a", "Campaign").Earned, "")
	near(t, 25, part(t, r, "a", "Integrity").Earned, "")
	near(t, 100, part(t, r, "a", "Redeploy").Earned, "both went well")
}

func TestTheRestAPIIsScoredByLevel(t *testing.T) {
	s := small("a")
	s.opened.Rules.Bricks[1] = journal.Brick{ID: "api", Title: "REST API", Points: 60, InPlay: true}
	s.opened.RulesHash = s.opened.Rules.Hash()
	s.opened.Checks = []journal.Check{{ID: "b", Brick: "api", Level: "bronze", Required: true}, {ID: "s", Brick: "api", Level: "silver", Required: true}}
	s.players[0].statuses = [][]verdict.Status{row(20, verdict.OK), row(20, verdict.Mumble)}
	bricks := part(t, scored(t, s), "a", "Bricks")
	near(t, 36, child(t, bricks.Children, "REST API, bronze").Earned, "")
	near(t, 0, child(t, bricks.Children, "REST API, silver").Earned, "")
	near(t, 54, bricks.Possible, "gold is not checked")
}

func TestAnImpossibleLineIsLeftOutAndNamed(t *testing.T) {
	s := small("a")
	s.open = true
	want := scored(t, s)
	cases := []struct {
		kind    journal.Kind
		payload any
		err     string
	}{
		{journal.KindVerdict, journal.Verdict{Tick: 1, Team: "x", Check: "tls/chain"}, `no team is called "x"`},
		{journal.KindVerdict, journal.Verdict{Tick: 1, Team: "a", Check: "x"}, `no check is called "x"`},
		{journal.KindVerdict, journal.Verdict{Tick: 1 << 40, Team: "a", Check: "tls/chain"}, "tick 1099511627776, want 1 to 604800"},
		{journal.KindLoad, journal.Load{Campaign: "1", Team: "a", Second: 1 << 40}, "second 1099511627776 of campaign"},
		{journal.KindLoad, journal.Load{Campaign: "1", Team: "a", Second: 99, Offered: 2, Right: 3}, "do not fit together: 2 offered, 3 right"},
		{journal.KindLoad, journal.Load{Campaign: "1", Team: "a", Second: 100, Latency: map[string]string{"put": "x"}}, "latency of put"},
		{journal.KindCampaign, journal.Campaign{ID: "1", Duration: 10}, `campaign "1" began already`},
		{journal.KindOpened, s.opened, "a journal is opened once"},
	}
	for _, c := range cases {
		j := journal.MemoryAt(s.opened, func() time.Time { return start })
		bad, err := j.Append(c.kind, c.payload)
		require.NoError(t, err)
		f := score.NewFold()
		for _, e := range s.written(t) {
			require.NoError(t, f.Add(e))
		}
		require.ErrorContains(t, f.Add(bad), c.err)
		require.Equal(t, want.Teams, f.Result().Teams)
	}
	_, err := score.Of(s.written(t)[1:])
	require.ErrorContains(t, err, `a journal begins with "opened"`)
}

func TestRulesThatDoNotHaveTheirHashAreRefused(t *testing.T) {
	s := small("a")
	s.opened.Rules.Campaign = 299
	_, err := score.Of(s.written(t))
	require.ErrorContains(t, err, "line 1: the rules have the hash")
}

func TestADifferenceNamesWhatChangedAndNothingElse(t *testing.T) {
	s := small("a", "b")
	before := scored(t, s)
	require.Empty(t, score.Diff(before, before))
	lose(1)(&s, &s.players[0])
	require.Equal(t, `a: 828.12, was 1000.00 (-171.88); rank 2, was 1; coverage 100.0 %, was 100.0 %
  Campaign: 240.00 of 300.00, was 300.00 of 300.00
    goodput: 144.00 of 180.00, was 180.00 of 180.00
    availability: 64.00 of 80.00, was 80.00 of 80.00
    latency: 32.00 of 40.00, was 40.00 of 40.00
  Integrity: 0.00 of 50.00, was 50.00 of 50.00
`, score.Diff(before, scored(t, s)))
}

func TestLineNumbersAreWrittenInShort(t *testing.T) {
	require.Equal(t, "line 4", score.Lines([]uint64{4}))
	require.Equal(t, "lines 4, 7–9, 12", score.Lines([]uint64{4, 7, 8, 9, 12}))
	require.Equal(t, "lines 1–2", score.Lines([]uint64{1, 2}))
}

func TestSlotsAreAtLeastASecondAndAtMostFive(t *testing.T) {
	require.EqualValues(t, 5, score.Slot(2400))
	require.EqualValues(t, 5, score.Slot(9600))
	require.EqualValues(t, 2.5, score.Slot(1200))
	require.EqualValues(t, 1, score.Slot(84))
}
