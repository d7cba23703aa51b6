package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"bogops/validator/ceph"
	"bogops/validator/concourse"
	"bogops/validator/contest"
	"bogops/validator/journal"
	"bogops/validator/probe"
	"bogops/validator/target"
	"bogops/validator/verdict"
)

func TestServeGoesOnWithItsJournalAndLeavesThatOfAnotherContestAlone(t *testing.T) {
	c := serveCmd{Dir: t.TempDir()}
	checked := &contest.Contest{ID: "ours", Seed: "0123456789abcdef"}
	begun, _, err := c.open(checked, nil)
	require.NoError(t, err)
	require.NoError(t, begun.Close())

	resumed, _, err := c.open(checked, nil)
	require.NoError(t, err)
	entries := resumed.Entries()
	require.Len(t, entries, 2)
	require.Equal(t, journal.KindResumed, entries[1].Kind)
	_, _, err = c.open(checked, nil)
	require.ErrorContains(t, err, "is being written by another judge")
	require.NoError(t, resumed.Close())

	_, _, err = c.open(&contest.Contest{ID: "theirs", Seed: "0123456789abcdef"}, nil)
	require.ErrorContains(t, err, `is the journal of contest "ours"`)
	require.Equal(t, exitUsage, exitCode(err, t.Output()))
}

func TestServeBeginsNoDayOnTheLedgersOfAnother(t *testing.T) {
	c := serveCmd{Dir: t.TempDir()}
	require.NoError(t, os.WriteFile(filepath.Join(c.Dir, "ledger-1-loutres.jsonl"), nil, 0o600))
	_, _, err := c.open(&contest.Contest{ID: "ours", Seed: "0123456789abcdef"}, nil)
	require.ErrorContains(t, err, "holds ledger-1-loutres.jsonl and no journal")
	require.Equal(t, exitUsage, exitCode(err, t.Output()))
	require.NoFileExists(t, filepath.Join(c.Dir, "journal.jsonl"))
}

func TestTheBricksThatNothingChecksAreNamed(t *testing.T) {
	checked := &contest.Contest{Bricks: []contest.Brick{{ID: "aws", InPlay: true}, {ID: "api", InPlay: true}, {ID: "concourse"}}}
	require.Equal(t, []string{"aws"}, unchecked(checked, inPlay(checked)))
	for level, want := range map[string][]string{"bronze": {"aws"}, "silver": {"aws"}, "gold": {"aws", "api at gold"}} {
		checked.Bricks[1].Level = level
		require.Equal(t, want, unchecked(checked, inPlay(checked)))
	}
}

func TestAJudgeThatCannotSeeSomeCephSaysWhose(t *testing.T) {
	monitors := &contest.Ceph{Monitors: []string{"192.0.2.11:3300"}}
	checked := &contest.Contest{
		Bricks: []contest.Brick{{ID: "ceph", InPlay: true}},
		Teams:  []contest.Team{{ID: "loutres", Ceph: monitors}, {ID: "pandas", Ceph: &contest.Ceph{Command: []string{"cat"}}}, {ID: "temoin"}},
	}
	require.Contains(t, blind(checked, false), "the Ceph of loutres: want")
	require.Empty(t, blind(checked, true))
	checked.Bricks[0].InPlay = false
	require.Empty(t, blind(checked, false))
}

func TestTheJudgePausesNoPipelineThatItHasNoLoginOf(t *testing.T) {
	nowhere := probe.OpenConcourse(nil, concourse.Options{})
	require.Empty(t, faults(ceph.Nowhere(), nowhere, target.Target{}))
	way := probe.OpenConcourse(&contest.Concourse{URL: "https://ci.example.net"}, concourse.Options{})
	require.Contains(t, faults(ceph.Nowhere(), way, target.Target{}), "pause-pipeline")
}

func TestARedeploymentOfATeamThatShowsNoConcourseCountsAgainstIt(t *testing.T) {
	_, counts := verdict.Of(unshown(t.Context(), "n", nil).Err).Share()
	require.True(t, counts, "else who gives nothing would be better off than who gives something that fails")
}
