package day

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/validator/contest"
	"bogops/validator/journal"
	"bogops/validator/redeploy"
	"bogops/validator/target"
)

func TestAJudgeThatIsStoppedWhileItProvesARedeploymentBlamesNobody(t *testing.T) {
	cfg := shortDay(func(string) error { return nil })
	ctx, stop := context.WithCancel(t.Context())
	team := cfg.Teams[0]
	team.Deploys = map[string]redeploy.Deploy{"app-deploy": func(context.Context, string, func(redeploy.Step)) redeploy.Proof {
		stop()
		return redeploy.Proof{}
	}}
	d := &day{Config: cfg}
	err := d.redeploy(ctx, &Campaign{Campaign: contest.Campaign{ID: "1"}}, team, journal.Window{Action: "app-deploy"})
	require.ErrorIs(t, err, context.Canceled)
	told := events[journal.Redeploy](t, cfg.Journal, journal.KindRedeploy)
	require.Len(t, told, 1)
	require.Equal(t, "started", told[0].State)
}

func TestACampaignIsAuditedOnceEveryTeamWas(t *testing.T) {
	j := journal.Memory(journal.Opened{Teams: []journal.Team{{ID: "loutres"}, {ID: "pandas"}}})
	audited := func(team string) bool {
		_, err := j.Append(journal.KindAudit, journal.Audit{Campaign: "1", Team: team, Done: true})
		require.NoError(t, err)
		p, err := recall(j.Entries())
		require.NoError(t, err)
		return p.audited["1"]
	}
	require.False(t, audited("loutres"))
	require.False(t, audited("loutres"), "again, after a crash of the judge")
	require.True(t, audited("pandas"))
}

func TestWithoutAWitnessTheControlSpeaksForTheJudgesNetwork(t *testing.T) {
	control, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	team := Team{Team: contest.Team{ID: "loutres"}, Target: target.Target{Control: control.Addr().String()}}
	d := &day{Config: Config{Teams: []Team{team}, Now: time.Now}}
	answers := d.witnessOf(t.Context(), team)
	require.True(t, answers())
	require.NoError(t, control.Close())
	require.False(t, answers())
	team.Target.Control = ""
	require.Nil(t, d.witnessOf(t.Context(), team))
}
