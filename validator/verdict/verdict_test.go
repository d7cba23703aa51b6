package verdict_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"bogops/validator/verdict"
)

func TestOnlyWhatATeamAnswersForCounts(t *testing.T) {
	for status, want := range map[verdict.Status]float64{
		verdict.OK: 1, verdict.Degraded: 0.5, verdict.Unproven: 0.5, verdict.Recovering: 0.5,
		verdict.Mumble: 0, verdict.Corrupt: 0, verdict.Down: 0,
	} {
		share, counts := status.Share()
		require.True(t, counts, status)
		require.InDelta(t, want, share, 0, status)
	}
	for _, status := range []verdict.Status{
		verdict.NotChecked, verdict.NotInPlay, verdict.JudgeError, verdict.Disputed, verdict.Void, "UNHEARD_OF",
	} {
		_, counts := status.Share()
		require.False(t, counts, status)
	}
}

func TestWhatNobodyClassifiedIsTheJudges(t *testing.T) {
	require.Equal(t, verdict.OK, verdict.Of(nil))
	require.Equal(t, verdict.JudgeError, verdict.Of(errors.New("of ours")))
	require.Equal(t, verdict.Mumble, verdict.Of(fmt.Errorf("wrapped: %w", verdict.Wrong("GET", "200", "404"))))
	require.Equal(t, verdict.Down, verdict.Of(verdict.New(verdict.Down, "No answer", "", "")))
}

func TestAFindingSaysGotAndWantAndItsCause(t *testing.T) {
	cause := errors.New("the cause")
	finding := verdict.Wrong("GET of a missing key", "200", "404")
	require.EqualError(t, finding, "GET of a missing key: got 200, want 404")
	finding.Err = cause
	require.EqualError(t, finding, "GET of a missing key: got 200, want 404: the cause")
	require.ErrorIs(t, finding, cause)
	require.EqualError(t, verdict.New(verdict.Down, "No answer", "", ""), "No answer")
}
