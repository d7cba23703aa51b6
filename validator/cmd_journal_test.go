package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/validator/contest"
	"bogops/validator/journal"
	"bogops/validator/verdict"
)

// recorded writes the journal of a day of four ticks in which the API's only
// check had this status.
func recorded(t *testing.T, status verdict.Status) (path, head string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "journal.jsonl")
	start := time.Date(2026, 12, 4, 9, 0, 0, 0, time.UTC)
	c := contest.Contest{
		ID: "c", Seed: "0123456789abcdef", Start: start, End: start.Add(time.Hour),
		Judge:  contest.Judge{Tick: time.Minute, TimeScale: 1, GreenAfter: 3, RedAfter: 2},
		Teams:  []contest.Team{{ID: "loutres", Name: "Loutres"}},
		Bricks: []contest.Brick{{ID: "api", Points: 60, InPlay: true}},
	}
	check := journal.Check{ID: "api/put-get", Brick: "api", Required: true, Weight: 1}
	now := start
	j, err := journal.Create(path, c.Opened([]journal.Check{check}, "test"), func() time.Time { now = now.Add(time.Minute); return now })
	require.NoError(t, err)
	for tick := 1; tick <= 4; tick++ {
		_, err = j.Append(journal.KindVerdict, journal.Verdict{Tick: tick, Team: "loutres", Check: check.ID, Brick: "api", Status: status})
		require.NoError(t, err)
	}
	require.NoError(t, j.Close())
	return path, j.Head()
}

func TestAJournalThatWasTamperedWithIsLocatedByEveryVerb(t *testing.T) {
	path, head := recorded(t, verdict.OK)
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	code, _, stderr := validator(t, nil, "replay", path, "--head", head)
	require.Equal(t, exitPass, code, stderr)
	code, _, stderr = validator(t, nil, "replay", path, "--head", "nonsense")
	require.Equal(t, exitUsage, code)
	require.Contains(t, stderr, `--head: the head is "nonsense"`)

	require.NoError(t, os.WriteFile(path, bytes.Replace(whole, []byte(`"tick":2`), []byte(`"tick":9`), 1), 0o600))
	report := filepath.Join(t.TempDir(), "report.html")
	for _, verb := range [][]string{{"replay"}, {"score"}, {"score", "--json"}, {"report", "-o", report}} {
		code, stdout, stderr := validator(t, nil, append(verb, path)...)
		require.Equal(t, exitTeamFails, code)
		require.Empty(t, stdout)
		require.Contains(t, stderr, "line 3: altered")
	}
	require.NoFileExists(t, report)

	lines := bytes.SplitAfter(whole, []byte("\n"))
	require.NoError(t, os.WriteFile(path, bytes.Join(lines[:4], nil), 0o600))
	code, _, stderr = validator(t, nil, "replay", path, "--head", head)
	require.Equal(t, exitTeamFails, code)
	require.Contains(t, stderr, "line 5: cut")
}

func TestADiffOfScoresTellsWhatChangedAndNothingElse(t *testing.T) {
	good, _ := recorded(t, verdict.OK)
	bad, _ := recorded(t, verdict.Down)
	code, stdout, stderr := validator(t, nil, "score", good, "--diff", good)
	require.Equal(t, exitPass, code, stderr)
	require.Empty(t, stdout)
	code, stdout, stderr = validator(t, nil, "score", good, "--diff", bad)
	require.Equal(t, exitPass, code, stderr)
	require.Contains(t, stdout, "was 0.00 (+")
	code, _, stderr = validator(t, nil, "score", good, "--diff", good+".missing")
	require.Equal(t, exitTeamFails, code)
	require.Contains(t, stderr, "does not exist")
	code, _, _ = validator(t, nil, "score", good, "--diff", bad, "--json")
	require.Equal(t, exitUsage, code, "one form at a time")
}

func TestAReportThatCannotBeDrawnLeavesAnEarlierOneAsItIs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.jsonl")
	j, err := journal.Create(path, journal.Opened{}, time.Now) // of no contest
	require.NoError(t, err)
	require.NoError(t, j.Close())
	report := filepath.Join(t.TempDir(), "report.html")
	require.NoError(t, os.WriteFile(report, []byte("earlier"), 0o600))
	code, _, stderr := validator(t, nil, "report", path, "-o", report)
	require.Equal(t, exitJudge, code, stderr)
	kept, err := os.ReadFile(report)
	require.NoError(t, err)
	require.Equal(t, "earlier", string(kept))
}

func TestATornLastLineAndAnUnfinishedDayAreSaid(t *testing.T) {
	path, _ := recorded(t, verdict.OK)
	_, _, stderr := validator(t, nil, "replay", path)
	require.NotContains(t, stderr, "left out")
	require.Contains(t, stderr, "the day is not over")

	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, whole[:len(whole)-20], 0o600))
	code, _, stderr := validator(t, nil, "replay", path)
	require.Equal(t, exitPass, code, stderr)
	require.Contains(t, stderr, "a last line without its end is left out")
}
