package concourse

import (
	"context"
	"errors"

	"bogops/validator/target"
	"bogops/validator/verdict"
)

// Settle says whose fault it is that a question to Concourse got no answer, and
// want completes the sentence. What is already a finding, and what is of no
// class of this package, stays as it is.
//
// A refused connection, a wrong certificate and a wrong answer are the team's
// own words. Silence and an unknown name count against the team only while the
// control of t answers, exactly as for the platform itself: without a control
// nothing is concluded.
//
// It dials the control where it needs to, for at most 3 s, also when ctx has
// ended.
func Settle(ctx context.Context, t target.Target, err error, want string) error {
	var finding *verdict.Error
	var failure *target.Failure
	var wrong *StatusError
	switch {
	case err == nil, errors.As(err, &finding):
		return err
	case errors.As(err, &failure):
		return network(ctx, t, failure, want)
	case errors.Is(err, context.Canceled):
		return network(ctx, t, &target.Failure{Kind: target.Cancelled, What: "Concourse", Err: err}, want)
	case errors.Is(err, ErrDenied):
		return &verdict.Error{Status: verdict.Unproven, Message: "Concourse refuses the judge's login", Got: err.Error(), Want: want}
	case errors.Is(err, ErrNotFound):
		return &verdict.Error{Status: verdict.Mumble, Message: "Concourse does not have what the contract names", Got: err.Error(), Want: want}
	case errors.As(err, &wrong):
		return &verdict.Error{Status: verdict.Mumble, Message: "Concourse answers wrongly", Got: err.Error(), Want: want, Err: nil}
	}
	return err
}

// network takes the verdict on a failure from the target, which knows the
// control, and names Concourse where the target would say platform.
func network(ctx context.Context, t target.Target, failure *target.Failure, want string) error {
	var opinion *verdict.Error
	if !errors.As(t.Settle(ctx, failure), &opinion) {
		return failure
	}
	named := *opinion
	named.Want = want
	if sentence, ok := sentences()[failure.Kind]; ok {
		named.Message = sentence
	}
	return &named
}

func sentences() map[target.Kind]string {
	return map[target.Kind]string{
		target.Refused:     "Concourse refuses the connection",
		target.Reset:       "Concourse closes the connection without a whole answer",
		target.Cut:         "Concourse's answer breaks off",
		target.Untrusted:   "Concourse's certificate cannot be trusted",
		target.NotSpoken:   "Concourse's answer breaks the protocol",
		target.TimedOut:    "Concourse does not answer in time",
		target.NoSuchName:  "Concourse's name does not exist",
		target.Unreachable: "Concourse cannot be reached",
	}
}
