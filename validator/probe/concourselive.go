package probe

import (
	"context"
	"fmt"
	"time"

	"bogops/validator/journal"
	"bogops/validator/verdict"
)

// Proof is the outcome of the last redeployment that the judge carried through a
// team's pipeline. The zero Proof says that none has ended yet.
type Proof struct {
	At      time.Time       // when it was concluded
	Build   string          // of app-deploy: its name, as people see it
	Version string          // what the platform was to describe
	Took    journal.Seconds // from the commit to being live
	Seen    int             // fresh connections that described Version
	Asked   int             // out of these
	Err     error           // nil: it is live; else a finding, or the judge's own fault
}

// concourseCommitToLive tells what the last redeployment proved. One that is
// still under way says nothing, and the last that ended stands.
func concourseCommitToLive(_ context.Context, s *Session, way *Concourse) (string, error) {
	if way.Proof == nil {
		return "", verdict.New(verdict.NotInPlay, "Nothing is redeployed here", "no commit of the judge's", "one, as `validator redeploy` makes it")
	}
	proof := way.Proof()
	if proof.At.IsZero() {
		return "", verdict.New(verdict.NotChecked, "The judge has not redeployed yet", "no redeployment that has ended", "one")
	}
	s.note("redeployment", map[string]any{
		"at": proof.At.UTC(), "build": proof.Build, "version": proof.Version, "took": proof.Took, "seen": proof.Seen, "asked": proof.Asked, "error": said(proof.Err),
	})
	if proof.Err != nil {
		return "", proof.Err
	}
	return fmt.Sprintf("%s live on %d of %d fresh connections %.0f s after its commit, by app-deploy #%s at %s",
		proof.Version, proof.Seen, proof.Asked, proof.Took, proof.Build, proof.At.Format(time.TimeOnly)), nil
}

func said(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
