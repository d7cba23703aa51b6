package day

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/validator/contest"
	"bogops/validator/journal"
	"bogops/validator/redeploy"
	"bogops/validator/verdict"
)

// deployed has one team redeploy once by deploy, and returns what was told.
func deployed(t *testing.T, deploy redeploy.Deploy) ([]journal.Redeploy, []journal.Step) {
	t.Helper()
	cfg := shortDay(func(string) error { return nil })
	team := cfg.Teams[0]
	team.Deploys = map[string]redeploy.Deploy{"app-deploy": deploy}
	d := &day{Config: cfg}
	window := journal.Window{ID: "1-redeploy-1", Action: "app-deploy", Weight: 5}
	require.NoError(t, d.redeploy(t.Context(), &Campaign{Campaign: contest.Campaign{ID: "1"}}, team, window))
	return events[journal.Redeploy](t, cfg.Journal, journal.KindRedeploy), events[journal.Step](t, cfg.Journal, journal.KindStep)
}

func TestEveryStepOfARedeploymentIsJournalledBeforeItsEnd(t *testing.T) {
	at := time.Date(2026, 12, 4, 14, 20, 0, 0, time.FixedZone("", 3600))
	told, steps := deployed(t, func(_ context.Context, nonce string, told func(redeploy.Step)) redeploy.Proof {
		told(redeploy.Step{At: at, Kind: redeploy.Committed, Detail: "c0ffee"})
		told(redeploy.Step{At: at, Kind: redeploy.TaskBegan, Detail: "roll-out", Build: 7})
		return redeploy.Proof{Nonce: nonce, Version: "r+" + nonce, Live: 50, Of: 50, Took: 90 * time.Second}
	})
	require.Len(t, told, 2)
	require.Equal(t, []string{"started", "live"}, []string{told[0].State, told[1].State})
	require.Equal(t, journal.Seconds(90), told[1].Took, "from the trigger, as the proof has it")
	require.Contains(t, told[1].Version, "r+")
	require.Equal(t, []journal.Step{
		{ID: "1-redeploy-1", Campaign: "1", Team: told[0].Team, At: at.UTC(), Name: "committed", Detail: "c0ffee"},
		{ID: "1-redeploy-1", Campaign: "1", Team: told[0].Team, At: at.UTC(), Name: "task", Build: 7, Detail: "roll-out"},
	}, steps)
}

func TestWhatTheJudgeCouldNotDoIsNobodysFaultAndWhatTheTeamRefusesFailed(t *testing.T) {
	for _, c := range []struct {
		err   error
		state string
	}{
		{verdict.Wrong("The build app-deploy 7 failed", "failed", "succeeded"), "failed"},
		{verdict.New(verdict.Degraded, "Concourse could not run the build", "errored", "succeeded"), "failed"},
		{verdict.New(verdict.Down, "Concourse refuses the connection", "refused", ""), "failed"},
		{verdict.New(verdict.Unproven, "Concourse refuses the judge's login", "403", ""), "failed"},
		{verdict.New(verdict.JudgeError, "The judge's own repository is not served", "status 502", ""), "refused"},
		{verdict.New(verdict.NotChecked, "Concourse does not answer in time", "no control target", ""), "refused"},
		{errors.New("nobody classified this"), "refused"},
	} {
		told, _ := deployed(t, func(context.Context, string, func(redeploy.Step)) redeploy.Proof { return redeploy.Proof{Err: c.err} })
		require.Equal(t, c.state, told[len(told)-1].State, "%v", c.err)
		require.Equal(t, c.err.Error(), told[len(told)-1].Detail)
	}
}

func TestDesksAreHeldFromBeforeACampaignUntilItsAuditIsDone(t *testing.T) {
	cfg := loadedDay(t, t.TempDir()+"/journal.jsonl", 4)
	cfg.Contest.Campaigns[0].Redeploys[0].Job = "app-deploy"
	var began atomic.Int32
	desk := redeploy.NewDesk(func(_ context.Context, nonce string, _ func(redeploy.Step)) redeploy.Proof {
		began.Add(1)
		return redeploy.Proof{Nonce: nonce}
	}, redeploy.DeskOptions{Within: time.Second})
	defer desk.Close()
	cfg.Teams[0].Desk = desk
	held := make(chan bool, 1)
	cfg.LoadStarted = func(context.Context, *Campaign) error {
		held <- !desk.Begin()
		return nil
	}
	require.True(t, desk.Begin(), "before the campaign")
	require.NoError(t, Run(t.Context(), cfg))
	require.True(t, <-held, "while it is on")
	require.Eventually(t, desk.Begin, 10*time.Second, 10*time.Millisecond, "after it")
	desk.Close()
	require.EqualValues(t, 2, began.Load())
}

func TestADayThatIsGoneOnWithInACampaignHoldsItsDesksAtOnce(t *testing.T) {
	for what, test := range map[string]struct {
		at   time.Duration // of the campaign, from now
		past past
		held bool
	}{
		"in the middle of it":            {-time.Minute, past{}, true},
		"when a proof would run into it": {time.Minute, past{}, true},
		"long before":                    {time.Hour, past{}, false},
		"after its audit":                {-time.Minute, past{audited: map[string]bool{"1": true}}, false},
	} {
		t.Run(what, func(t *testing.T) {
			desk := redeploy.NewDesk(func(_ context.Context, nonce string, _ func(redeploy.Step)) redeploy.Proof {
				return redeploy.Proof{Nonce: nonce}
			}, redeploy.DeskOptions{Within: time.Minute})
			defer desk.Close()
			d := &day{Config: Config{Teams: []Team{{Desk: desk}}, Now: time.Now, Contest: &contest.Contest{
				Judge: contest.Judge{TimeScale: 1}, Campaigns: []contest.Campaign{{ID: "1", At: time.Now().Add(test.at)}},
			}}}
			d.holdNow(test.past)
			require.Equal(t, test.held, !desk.Begin())
		})
	}
}
