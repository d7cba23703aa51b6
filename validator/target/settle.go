package target

import (
	"context"
	"errors"
	"fmt"
	"time"

	"bogops/validator/verdict"
)

// controlPatience bounds the dial to the control target.
const controlPatience = 3 * time.Second

// Settle says whose fault a failed request is. Errors that hold no Failure are
// returned as they are.
//
// A refusal, a reset and a wrong certificate are the platform's own words and
// need no second opinion. Silence and an unknown name may as well come from
// the judge's own network: they count against the platform only while Control
// answers. Without a Control nothing is concluded (NOT_CHECKED), and with one
// that is silent too the fault is the judge's.
//
// It dials Control where it needs to, for at most 3 s, also when ctx has ended.
func (t Target) Settle(ctx context.Context, err error) error {
	var failure *Failure
	if !errors.As(err, &failure) {
		return err
	}
	finding := &verdict.Error{Want: "a whole answer to " + failure.What, Err: failure}
	switch failure.Kind {
	case Refused:
		finding.Status, finding.Message, finding.Got = verdict.Down, "The platform refuses the connection", "connection refused"
	case Reset:
		finding.Status, finding.Message, finding.Got = verdict.Down, "The platform closes the connection without a whole answer", "connection closed"
	case Cut:
		finding.Status, finding.Message, finding.Got = verdict.Mumble, "The answer's body breaks off", failure.Err.Error()
	case Untrusted:
		finding.Status, finding.Message, finding.Got = verdict.Mumble, "The platform's certificate cannot be trusted", failure.Err.Error()
	case NotSpoken:
		finding.Status, finding.Message, finding.Got = verdict.Mumble, "The answer breaks the protocol", failure.Err.Error()
	case TimedOut:
		finding.Message, finding.Got = "The platform does not answer in time", "nothing in time"
		finding.Status = t.secondOpinion(ctx, finding)
	case NoSuchName:
		finding.Message, finding.Got = "The platform's name does not exist", "no such name"
		finding.Status = t.secondOpinion(ctx, finding)
	case Unreachable:
		finding.Message, finding.Got = "The platform cannot be reached", "no route to it"
		finding.Status = t.secondOpinion(ctx, finding)
	case ResolverFailed:
		finding.Status, finding.Message, finding.Got = verdict.JudgeError, "The judge's resolver does not answer", failure.Err.Error()
	case Cancelled:
		finding.Status, finding.Message, finding.Got = verdict.NotChecked, "The judge stopped the check", "cancelled"
	default:
		finding.Status, finding.Message, finding.Got = verdict.JudgeError, "The judge could not send its request", failure.Err.Error()
	}
	return finding
}

// secondOpinion asks the control target, and notes in the finding what it said.
func (t Target) secondOpinion(ctx context.Context, finding *verdict.Error) verdict.Status {
	if t.Control == "" {
		finding.Got += ", and no control target was given to tell whose fault it is"
		return verdict.NotChecked
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), controlPatience)
	defer cancel()
	conn, err := t.Dial(ctx, "tcp", t.Control)
	if err != nil {
		finding.Got += fmt.Sprintf(", but the control %s does not answer either", t.Control)
		return verdict.JudgeError
	}
	conn.Close()
	finding.Got += fmt.Sprintf(", while the control %s answers", t.Control)
	return verdict.Down
}
