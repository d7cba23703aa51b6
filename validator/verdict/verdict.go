// Package verdict names what a check can conclude, and whose fault it is.
package verdict

import (
	"errors"
	"fmt"
)

// Status is the conclusion of one check, or of one brick.
type Status string

// The statuses, from CHALLENGE.md. The comment says who answers for it.
const (
	OK         Status = "OK"          // team
	Degraded   Status = "DEGRADED"    // team: works, below what is required
	Unproven   Status = "UNPROVEN"    // team: works, the mandated technology is not shown
	Recovering Status = "RECOVERING"  // team: was down in the last ticks, is back
	Mumble     Status = "MUMBLE"      // team: answers, and wrongly
	Corrupt    Status = "CORRUPT"     // team: an acknowledged object is missing or changed
	Down       Status = "DOWN"        // team: does not answer
	NotChecked Status = "NOT_CHECKED" // nobody
	NotInPlay  Status = "NOT_IN_PLAY" // nobody
	JudgeError Status = "JUDGE_ERROR" // judge
	Disputed   Status = "DISPUTED"    // judge: two vantage points disagree
	Void       Status = "VOID"        // judge: annulled by an organiser
)

// Share is what a sample of this status counts, and whether it counts at all.
func (s Status) Share() (share float64, counts bool) {
	switch s {
	case OK:
		return 1, true
	case Degraded, Unproven, Recovering:
		return 0.5, true
	case Mumble, Corrupt, Down:
		return 0, true
	}
	return 0, false
}

// Error is a check's finding that is not OK. Got and Want complete Message.
type Error struct {
	Status  Status
	Message string // one sentence without got and want
	Got     string
	Want    string
	Err     error // the cause, where there is one
}

func (e *Error) Error() string {
	text := e.Message
	if e.Got != "" || e.Want != "" {
		text = fmt.Sprintf("%s: got %s, want %s", e.Message, e.Got, e.Want)
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

func (e *Error) Unwrap() error { return e.Err }

// New builds a finding.
func New(s Status, message, got, want string) *Error {
	return &Error{Status: s, Message: message, Got: got, Want: want}
}

// Wrong is a finding of MUMBLE, the most common one.
func Wrong(message, got, want string) *Error { return New(Mumble, message, got, want) }

// Of returns the status that err stands for: OK for nil, what an *Error in its
// chain says, and JUDGE_ERROR for everything else: what nobody classified is
// the judge's fault, never the team's.
func Of(err error) Status {
	if err == nil {
		return OK
	}
	var finding *Error
	if errors.As(err, &finding) {
		return finding.Status
	}
	return JudgeError
}
