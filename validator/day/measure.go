package day

import (
	"context"
	"errors"
	"fmt"

	"bogops/validator/load"
)

// ErrMeasure says that the judge's own known-answer checks failed: no load is
// sent by a judge that measures wrongly.
var ErrMeasure = errors.New("the judge's own measure is wrong, no load")

// measureTries is how often the measure may be checked before a campaign. A
// machine that was busy for a moment fails once; a wrong measure always does.
const measureTries = 3

// measure returns nil once all of check's answers are right in one try.
func measure(ctx context.Context, check func(context.Context) []load.Result, say func(string)) error {
	var err error
	for try := 1; try <= measureTries; try++ {
		err = firstWrong(check(ctx))
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err == nil {
			return nil
		}
		say(fmt.Sprintf("Try %d of %d: %v", try, measureTries, err))
	}
	return err
}

func firstWrong(results []load.Result) error {
	for _, r := range results {
		if !r.OK {
			return fmt.Errorf("%w: %s: got %s, want %s", ErrMeasure, r.Name, r.Got, r.Want)
		}
	}
	return nil
}
