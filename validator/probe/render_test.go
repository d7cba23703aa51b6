package probe_test

import (
	"encoding/xml"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"bogops/validator/journal"
	"bogops/validator/probe"
	"bogops/validator/verdict"
)

func with(statuses ...verdict.Status) []journal.Verdict {
	var all []journal.Verdict
	for _, status := range statuses {
		all = append(all, journal.Verdict{Check: "api/x", Brick: "api", Status: status, Message: "It is so"})
	}
	return all
}

func TestADefiniteFailureDecidesTheExitCode(t *testing.T) {
	for _, c := range []struct {
		statuses []verdict.Status
		exit     int
	}{
		{nil, 2},
		{[]verdict.Status{verdict.OK}, 0},
		{[]verdict.Status{verdict.OK, verdict.NotInPlay}, 0},
		{[]verdict.Status{verdict.NotInPlay}, 2},
		{[]verdict.Status{verdict.OK, verdict.NotChecked}, 2},
		{[]verdict.Status{verdict.OK, verdict.Disputed}, 2},
		{[]verdict.Status{verdict.NotChecked, verdict.JudgeError, verdict.OK}, 3},
		{[]verdict.Status{verdict.JudgeError, verdict.NotChecked, verdict.Mumble}, 1},
		{[]verdict.Status{verdict.OK, verdict.Down}, 1},
		{[]verdict.Status{verdict.OK, verdict.Corrupt}, 1},
		{[]verdict.Status{verdict.OK, verdict.Degraded}, 1},
		{[]verdict.Status{verdict.OK, verdict.Unproven}, 2},
		{[]verdict.Status{verdict.Unproven, verdict.JudgeError}, 3},
		{[]verdict.Status{verdict.Unproven, verdict.Corrupt}, 1},
	} {
		require.Equal(t, c.exit, probe.ExitCode(with(c.statuses...)), "%v", c.statuses)
	}
}

func TestTheTextHasOneLineForEachCheck(t *testing.T) {
	verdicts := with(verdict.OK, verdict.OK, verdict.Mumble, verdict.JudgeError, verdict.NotInPlay)
	verdicts[1].Retried = true
	verdicts[2].Got, verdicts[2].Want, verdicts[2].Check = "200", "404", "api/missing"
	var text strings.Builder
	require.NoError(t, probe.WriteText(&text, verdicts))
	require.Equal(t, strings.Join([]string{
		"✓ OK          api/x        It is so",
		"~ OK          api/x        It is so",
		"✗ MUMBLE      api/missing  It is so: got 200, want 404",
		"? JUDGE_ERROR api/x        It is so",
		"- NOT_IN_PLAY api/x        It is so",
		"",
	}, "\n"), text.String())
}

func TestJUnitTellsFailuresFromTheJudgesErrors(t *testing.T) {
	verdicts := with(verdict.OK, verdict.Mumble, verdict.JudgeError, verdict.NotChecked)
	verdicts[1].Got, verdicts[1].Want = `<"a">`, "b"
	verdicts = append(verdicts, journal.Verdict{Check: "tls/chain", Brick: "tls", Status: verdict.OK, Seconds: 1.5})
	var text strings.Builder
	require.NoError(t, probe.WriteJUnit(&text, verdicts))
	var back struct {
		Suites []struct {
			Name     string  `xml:"name,attr"`
			Tests    int     `xml:"tests,attr"`
			Failures int     `xml:"failures,attr"`
			Errors   int     `xml:"errors,attr"`
			Skipped  int     `xml:"skipped,attr"`
			Time     float64 `xml:"time,attr"`
			Cases    []struct {
				Failure *struct {
					Message string `xml:"message,attr"`
				} `xml:"failure"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	require.NoError(t, xml.Unmarshal([]byte(text.String()), &back))
	require.Len(t, back.Suites, 2)
	api := back.Suites[0]
	require.Equal(t, []int{4, 1, 1, 1}, []int{api.Tests, api.Failures, api.Errors, api.Skipped})
	require.Equal(t, `It is so: got <"a">, want b`, api.Cases[1].Failure.Message)
	require.Equal(t, "tls", back.Suites[1].Name)
	require.InDelta(t, 1.5, back.Suites[1].Time, 0)
}

func TestEveryCheckHasItsOwnNameAndPromise(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range probe.All(probe.Bronze) {
		for _, text := range []string{p.Check.ID, p.Check.Promise} {
			require.NotEmpty(t, text)
			require.False(t, seen[text], text)
			seen[text] = true
		}
		require.True(t, strings.HasPrefix(p.Check.ID, p.Check.Brick+"/"))
		require.Positive(t, p.Timeout)
	}
	require.Len(t, probe.Select(probe.All(probe.Bronze), "ceph", "api", "tls", "concourse"), len(probe.All(probe.Bronze)))
	require.Empty(t, probe.All("platinum"))
}
