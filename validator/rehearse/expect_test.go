package rehearse

import (
	"testing"

	"github.com/stretchr/testify/require"

	"bogops/validator/journal"
	"bogops/validator/verdict"
)

func TestATileTurnsGreenOnlyWithEveryRequiredCheck(t *testing.T) {
	const ok, wrong, none = verdict.OK, verdict.Mumble, verdict.NotInPlay
	for what, test := range map[string]struct {
		first, second, bonus []verdict.Status // by tick
		witness              bool
		fails                string
	}{
		"red, then green":                  {[]verdict.Status{wrong, ok}, []verdict.Status{wrong, ok}, []verdict.Status{ok, ok}, false, ""},
		"a bonus counts for nothing":       {[]verdict.Status{wrong, ok}, []verdict.Status{wrong, ok}, []verdict.Status{ok, wrong}, false, ""},
		"what is not in play neither":      {[]verdict.Status{wrong, ok}, []verdict.Status{none, none}, []verdict.Status{ok, ok}, false, ""},
		"never both at once":               {[]verdict.Status{wrong, ok}, []verdict.Status{ok, wrong}, []verdict.Status{ok, ok}, false, "never turned from red to green: ci/second MUMBLE"},
		"green from the start":             {[]verdict.Status{ok, ok}, []verdict.Status{ok, ok}, []verdict.Status{ok, ok}, false, "green from the start"},
		"green from the start, as witness": {[]verdict.Status{ok, ok}, []verdict.Status{ok, ok}, []verdict.Status{ok, ok}, true, ""},
	} {
		t.Run(what, func(t *testing.T) {
			s := tell(nil)
			s.required = map[string]bool{"ci/first": true, "ci/second": true, "ci/bonus": false}
			for tick := range test.first {
				for check, status := range map[string]verdict.Status{"ci/first": test.first[tick], "ci/second": test.second[tick], "ci/bonus": test.bonus[tick]} {
					s.judge(journal.Verdict{Tick: tick + 1, Team: "loutres", Brick: "ci", Check: check, Status: status})
				}
			}
			err := s.turned("loutres", "ci", test.witness)
			if test.fails == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, test.fails)
		})
	}
}
