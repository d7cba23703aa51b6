package chaos

import (
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
	_, err := j.Append(journal.KindCampaign, journal.Campaign{ID: "1", Windows: []journal.Window{window("pause"), window("kill"), window("refused")}})
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
	} {
		_, err := j.Append(journal.KindFault, f)
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
		{"and no longer", 3181, 4000, nil, false},
		{"what was refused broke nothing", 5000, 5000, nil, false},
		{"what another team's was", 7000, 7000, nil, false},
	} {
		require.Equal(t, c.want, broken(at(c.from), at(c.to), c.kinds...), c.name)
	}
}
