package probe

import (
	"context"
	"fmt"
	"time"

	"bogops/validator/verdict"
)

// concourseCommitToLive tells what the last redeployment proved, and has the
// desk begin the next one where it is due. One that is under way says nothing
// yet, and the last that ended stands.
func concourseCommitToLive(ctx context.Context, s *Session, way *Concourse) (string, error) {
	if way.Desk == nil {
		return "", verdict.New(verdict.NotInPlay, "Nothing is redeployed here", "no commit of the judge's", "one, as `validator redeploy` makes it")
	}
	proof, ended := way.Desk.Latest()
	if !ended && neverDeployed(ctx, way) {
		return "", verdict.Wrong(deployJob+" has deployed nothing yet", "no build that has ended", "one of the team's own, before the judge redeploys")
	}
	way.Desk.Begin()
	if !ended {
		return "", verdict.New(verdict.NotChecked, "The first redeployment has not ended yet", "no outcome", "a fresh nonce that is live")
	}
	s.note("redeployment", map[string]any{
		"at": proof.At.UTC(), "nonce": proof.Nonce, "live": proof.Live, "of": proof.Of, "seconds": proof.Took.Seconds(), "error": said(proof.Err),
	})
	if proof.Err != nil {
		return "", proof.Err
	}
	return fmt.Sprintf("nonce %s live on %d of %d fresh connections, %.0f s after the trigger (proven at %s)",
		proof.Nonce, proof.Live, proof.Of, proof.Took.Seconds(), proof.At.UTC().Format(time.TimeOnly+" MST")), nil
}

// neverDeployed says whether the job is there and none of its builds has ended:
// started then, it would wait for a package that does not exist. Whatever else is
// wrong the redeployment itself tells.
func neverDeployed(ctx context.Context, way *Concourse) bool {
	jobs, err := way.Client.Jobs(ctx)
	if err != nil {
		return false
	}
	for _, job := range jobs {
		if job.Name == deployJob {
			return job.FinishedBuild == nil
		}
	}
	return false
}

func said(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
