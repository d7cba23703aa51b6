package rogue_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"bogops/validator/probe"
	"bogops/validator/rogue"
	"bogops/validator/verdict"
)

func TestEveryRogueGetsExactlyTheVerdictsItMust(t *testing.T) {
	for _, r := range rogue.Gallery() {
		t.Run(r.Name, func(t *testing.T) {
			if testing.Short() && (r.Patience > 0 || r.Name == "one-at-a-time") {
				t.Skip("it waits for time-outs: the long run has it")
			}
			t.Parallel()
			verdicts, mistakes, err := rogue.Try(t.Context(), r)
			require.NoError(t, err)
			for _, mistake := range mistakes {
				t.Error(mistake)
			}
			for _, v := range verdicts {
				require.NotEmpty(t, v.Message, "%s says nothing", v.Check)
				if v.Status != verdict.OK {
					require.NotEmpty(t, v.Got, "%s says not what it got", v.Check)
					require.NotEmpty(t, v.Want, "%s says not what it wanted", v.Check)
				}
			}
		})
	}
}

func TestEveryCheckIsFailedBySomeRogue(t *testing.T) {
	failed := map[string]bool{}
	for _, r := range rogue.Gallery() {
		for id := range r.Wants {
			failed[id] = true
		}
	}
	for _, p := range probe.All(probe.Silver) {
		require.True(t, failed[p.Check.ID], "%s is failed by no rogue", p.Check.ID)
	}
}
