package probe

import (
	"bogops/validator/journal"
	"bogops/validator/verdict"
)

// The exit codes of a command that ends with verdicts.
const (
	ExitPass         = 0
	ExitFail         = 1
	ExitInconclusive = 2
	ExitJudge        = 3
)

// ExitCode is what a command that ran these checks ends with. One definite
// failure of the team decides; without one, the judge's own fault does, then
// what could not be concluded or was not shown. No verdict at all is not a pass.
func ExitCode(verdicts []journal.Verdict) int {
	var failed, judge, unknown, known bool
	for _, v := range verdicts {
		switch v.Status {
		case verdict.OK:
			known = true
		case verdict.NotInPlay:
		case verdict.JudgeError:
			judge = true
		case verdict.NotChecked, verdict.Disputed, verdict.Void, verdict.Unproven:
			unknown = true
		default:
			failed = true
		}
	}
	switch {
	case failed:
		return ExitFail
	case judge:
		return ExitJudge
	case unknown || !known:
		return ExitInconclusive
	}
	return ExitPass
}
