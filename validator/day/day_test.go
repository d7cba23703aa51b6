package day

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/validator/contest"
	"bogops/validator/journal"
	"bogops/validator/probe"
	"bogops/validator/verdict"
)

// shortDay is a day without a campaign, of a few ticks of 50 ms.
func shortDay(run func(id string) error) Config {
	start := time.Now()
	c := &contest.Contest{
		ID: "test", Seed: "seed", Start: start, End: start.Add(260 * time.Millisecond), Timezone: time.UTC,
		Judge: contest.Judge{Tick: 50 * time.Millisecond, TimeScale: 1, GreenAfter: 3, RedAfter: 2},
	}
	cfg := Config{Contest: c, Journal: journal.Memory(journal.Opened{Contest: "test"}), Now: time.Now, Progress: func(string) {}}
	for _, id := range []string{"loutres", "pandas", "temoin"} {
		team := contest.Team{ID: id, URL: "https://" + id + ".example.net", Witness: id == "temoin"}
		cfg.Teams = append(cfg.Teams, Team{Team: team, Target: NewTarget(team, c, nil)})
	}
	for _, id := range []string{"api/one", "api/two"} {
		cfg.Probes = append(cfg.Probes, probe.Probe{
			Check: journal.Check{ID: id, Brick: "api", Required: true, Weight: 1}, Timeout: time.Second,
			Run: func(_ context.Context, s *probe.Session) (string, error) { return "holds", run(s.Target.ID + " " + id) },
		})
	}
	return cfg
}

// events decodes all entries of one kind.
func events[T any](t *testing.T, j *journal.Journal, kind journal.Kind) []T {
	t.Helper()
	var all []T
	for _, e := range j.Entries() {
		if e.Kind == kind {
			payload, err := journal.Decode[T](e)
			require.NoError(t, err)
			all = append(all, payload)
		}
	}
	return all
}

func TestEveryTickHoldsOneVerdictPerTeamAndCheckInOrder(t *testing.T) {
	cfg := shortDay(func(string) error { return nil })
	require.NoError(t, Run(t.Context(), cfg))
	verdicts := events[journal.Verdict](t, cfg.Journal, journal.KindVerdict)
	require.NotEmpty(t, verdicts)
	require.Zero(t, len(verdicts)%6, "whole ticks only")
	for i, v := range verdicts {
		require.Equal(t, 1+i/6, v.Tick)
		require.Equal(t, cfg.Teams[i%6/2].ID, v.Team)
		require.Equal(t, cfg.Probes[i%2].Check.ID, v.Check)
		require.Equal(t, verdict.OK, v.Status)
	}
	closed := events[journal.Closed](t, cfg.Journal, journal.KindClosed)
	require.Equal(t, []journal.Closed{{Seed: "seed", Text: closed[0].Text}}, closed)
}

func TestAWitnessThatIsSilentAnnulsThatCheckForAll(t *testing.T) {
	for _, status := range []verdict.Status{verdict.Down, verdict.NotChecked} {
		t.Run(string(status), func(t *testing.T) { annuls(t, status) })
	}
}

func annuls(t *testing.T, status verdict.Status) {
	cfg := shortDay(func(who string) error {
		if who == "temoin api/two" {
			return verdict.New(status, "No answer", "nothing in time", "200")
		}
		return nil
	})
	require.NoError(t, Run(t.Context(), cfg))
	voids := events[journal.Void](t, cfg.Journal, journal.KindVoid)
	verdicts := events[journal.Verdict](t, cfg.Journal, journal.KindVerdict)
	require.Len(t, voids, len(verdicts)/6, "one a tick")
	for i, v := range voids {
		require.Equal(t, "api/two", v.Check)
		require.Equal(t, i+1, v.Tick)
		require.Empty(t, v.Team, "for all teams")
	}
	health := events[journal.Health](t, cfg.Journal, journal.KindHealth)
	require.True(t, health[0].OK, "once is no alarm")
	require.False(t, health[1].OK, "two running are")
}

func TestARedeploymentOfTheWitnessThatHasNotEndedAnnulsNothing(t *testing.T) {
	cfg := shortDay(func(who string) error {
		if who == "temoin api/two" {
			return verdict.New(verdict.NotChecked, "The first redeployment has not ended yet", "no outcome", "a nonce that is live")
		}
		return nil
	})
	for i := range cfg.Probes {
		cfg.Probes[i].Check.Brick = "concourse"
	}
	require.NoError(t, Run(t.Context(), cfg))
	require.Empty(t, events[journal.Void](t, cfg.Journal, journal.KindVoid))
}

func TestAWitnessThatIsWrongAnnulsNothing(t *testing.T) {
	cfg := shortDay(func(string) error { return verdict.Wrong("Wrong body", "a", "b") })
	require.NoError(t, Run(t.Context(), cfg))
	require.Empty(t, events[journal.Void](t, cfg.Journal, journal.KindVoid))
}

func TestAnInterruptedTickIsNotRecorded(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cfg := shortDay(func(string) error { cancel(); return nil })
	require.ErrorIs(t, Run(ctx, cfg), context.Canceled)
	require.Empty(t, events[journal.Verdict](t, cfg.Journal, journal.KindVerdict))
	require.Empty(t, events[journal.Closed](t, cfg.Journal, journal.KindClosed))
}

func TestADayGoesOnWithTheTicksOfItsJournal(t *testing.T) {
	cfg := shortDay(func(string) error { return nil })
	_, err := cfg.Journal.Append(journal.KindVerdict, journal.Verdict{Tick: 41, Team: "loutres", Check: "api/one"})
	require.NoError(t, err)
	require.NoError(t, Run(t.Context(), cfg))
	require.Equal(t, 42, events[journal.Verdict](t, cfg.Journal, journal.KindVerdict)[1].Tick)
}

func TestAClosedDayIsNotJudgedAgain(t *testing.T) {
	cfg := shortDay(func(string) error { return errors.New("asked all the same") })
	_, err := cfg.Journal.Append(journal.KindClosed, journal.Closed{})
	require.NoError(t, err)
	require.ErrorContains(t, Run(t.Context(), cfg), "closed")
}

func TestWindowsAreKnownByTheClock(t *testing.T) {
	t0 := time.Unix(1000, 0)
	var p pace
	p.open(t0, []journal.Window{{From: 10, Length: 5}})
	require.False(t, p.inWindow(t0.Add(9*time.Second)))
	require.True(t, p.inWindow(t0.Add(10*time.Second)))
	require.False(t, p.inWindow(t0.Add(15*time.Second)))
}
