package ceph

import (
	"context"
	"errors"

	"bogops/validator/target"
	"bogops/validator/verdict"
)

// Settle says whose fault it is that what was asked of Ceph gave nothing, and
// wants completes the sentence. Where the way in is missing, refused or shows
// nothing, the platform may work, but Ceph is not shown: UNPROVEN. Silence may
// as well come from the judge's own network: the target's control gives a second
// opinion. Everything else is the judge's own.
func Settle(ctx context.Context, t target.Target, err error, wants string) error {
	var finding *verdict.Error
	var failure *target.Failure
	switch {
	case err == nil, errors.As(err, &finding), errors.As(err, &failure):
		return err
	case errors.Is(err, ErrNoWay), errors.Is(err, ErrDenied), errors.Is(err, ErrNotFound), errors.Is(err, ErrFailed):
		return Unproven(err.Error(), wants)
	case errors.Is(err, ErrBuild):
		return &verdict.Error{Status: verdict.JudgeError, Message: "The judge cannot look into Ceph", Got: err.Error(), Want: wants}
	case errors.Is(err, ErrUnreachable):
		return silent(ctx, t, err, wants)
	}
	return err
}

// silent asks the control. Without one nobody is blamed by it; but the platform
// answered just before over the same network, so the judge's own is not what is
// broken, and what was not shown stays unproven.
func silent(ctx context.Context, t target.Target, err error, wants string) error {
	opinion := t.Settle(ctx, &target.Failure{Kind: target.TimedOut, What: "Ceph", Err: err})
	if verdict.Of(opinion) == verdict.JudgeError {
		return opinion
	}
	return Unproven(err.Error(), wants)
}
