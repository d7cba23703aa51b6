package chaos

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/validator/journal"
)

func TestTheJournalTellsWhenTheJudgeHadSomethingBroken(t *testing.T) {
	at := func(second int) time.Time { return time.Unix(int64(second), 0) }
	fault := func(id, team, kind, state string, second int) journal.Fault {
		return journal.Fault{ID: id, Team: team, Kind: kind, State: state, At: at(second)}
	}
	j := journal.Memory(journal.Opened{})
	window := func(id string) journal.Window { return journal.Window{ID: id, Kind: "fault", Length: 180} }
	_, err := j.Append(journal.KindCampaign, journal.Campaign{ID: "1", Windows: []journal.Window{window("pause"), window("kill"), window("refused"), window("stuck")}})
	require.NoError(t, err)
	for _, f := range []journal.Fault{
		fault("pause", "loutres", "pause-pipeline", "injected", 1000),
		fault("pause", "loutres", "pause-pipeline", "verified", 1001),
		fault("pause", "loutres", "pause-pipeline", "healed", 1002),
		fault("pause", "loutres", "pause-pipeline", "rolled-back", 1185),
		fault("kill", "loutres", "kill-instance", "injected", 3000),
		fault("kill", "loutres", "kill-instance", "healed", 3010),
		fault("refused", "loutres", "lose-worker", "refused", 5000),
		fault("pause", "pandas", "pause-pipeline", "injected", 7000),
		fault("stuck", "loutres", "pause-pipeline", "injected", 9000),
		fault("stuck", "loutres", "pause-pipeline", "healed", 9001),
	} {
		_, err := j.Append(journal.KindFault, f)
		require.NoError(t, err)
	}
	for _, n := range []journal.Note{{Team: "loutres", Fault: "stuck"}, {Team: "loutres"}, {Team: "pandas", Fault: "kill"}} {
		_, err := j.Append(journal.KindNote, n)
		require.NoError(t, err)
	}
	broken := Windows(j.Entries, "loutres")
	for _, c := range []struct {
		name     string
		from, to int
		kinds    []string
		want     bool
	}{
		{"before", 900, 999, nil, false},
		{"up to the deed", 900, 1000, nil, true},
		{"it stays broken though the platform is healed", 1100, 1100, nil, true},
		{"up to its rollback, late as it may be", 1185, 1185, nil, true},
		{"after", 1186, 2000, nil, false},
		{"around it all", 900, 2000, []string{"pause-pipeline"}, true},
		{"not of that kind", 900, 2000, []string{"lose-worker"}, false},
		{"without a rollback to the end of its window", 3180, 3180, nil, true},
		{"which begins after the deed, and before the judge has put back", 3300, 3300, nil, true},
		{"and no longer", 3301, 4000, nil, false},
		{"what the judge could not put back is its own still", 11000, 11000, []string{"pause-pipeline"}, true},
		{"until people had time enough to", 11101, 12000, nil, false},
		{"what was refused broke nothing", 5000, 5000, nil, false},
		{"what another team's was", 7000, 7000, nil, false},
	} {
		require.Equal(t, c.want, broken(at(c.from), at(c.to), c.kinds...), c.name)
	}
}

// A campaign's window begins when the deed is done, and ends with a rollback that
// takes its time: between the two ends the pipeline is paused by the judge.
func TestAFaultThatIsBeingPutBackIsBrokenUntilThatIsWritten(t *testing.T) {
	j := journal.Memory(journal.Opened{})
	clock := time.Unix(1000, 0)
	broken := Windows(j.Entries, "loutres")
	_, err := j.Append(journal.KindCampaign, journal.Campaign{ID: "1", Windows: []journal.Window{{ID: "f1", Kind: "fault", Length: 0.05}}})
	require.NoError(t, err)
	well := func(context.Context) error { return nil }
	require.NoError(t, Inject(t.Context(), j, Action{
		Kind: "pause-pipeline", Stays: true, Verify: well, Healed: well,
		Resolve: func(context.Context) (string, error) { return "the pipeline", nil },
		Do: func(context.Context) error {
			clock = clock.Add(15 * time.Second)
			return nil
		},
		Undo: func(context.Context) (bool, error) {
			clock = clock.Add(pipelineUndoes)
			require.True(t, broken(clock, clock, "pause-pipeline"), "it is paused still")
			return true, nil
		},
	}, Plan{ID: "f1", Team: "loutres", Window: 50 * time.Millisecond}, func() time.Time { return clock }))
	require.True(t, broken(clock, clock))
	require.False(t, broken(clock.Add(time.Second), clock.Add(time.Second)), "it is whole")
}
