package redeploy

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"bogops/validator/concourse"
	"bogops/validator/verdict"
)

// checkTries is how often Concourse is asked to look for the revision. A check
// that was under way already when the nonce was committed may not see it.
const checkTries = 3

// check waits until the revision is among the resource's versions. Where it does
// not come the judge first asks whether it serves it at all.
func (r *run) check(ctx context.Context) error {
	var err error
	for range checkTries {
		var unseen *notSeen
		if err = r.checkOnce(ctx); !errors.As(err, &unseen) {
			return err
		}
		if unseen.status == verdict.Down || pause(ctx, r.Wait.poll()) != nil {
			break // it has been waited for as long as a check may take
		}
	}
	if stopped := stopped(ctx); stopped != nil {
		return stopped
	}
	if own := r.reachable(context.WithoutCancel(ctx)); own != nil {
		return own
	}
	var unseen *notSeen
	errors.As(err, &unseen)
	return verdict.New(unseen.status, fmt.Sprintf("Concourse does not find the judge's commit by its resource %s", r.resource()), unseen.got, "revision "+r.outcome.Revision)
}

// notSeen is a check that did not bring the revision.
type notSeen struct {
	status verdict.Status
	got    string
}

func (n *notSeen) Error() string { return n.got }

// checkOnce asks for one check and waits for what it brings, a *notSeen where
// that is not the revision.
func (r *run) checkOnce(ctx context.Context) error {
	bounded, cancel := context.WithTimeout(ctx, r.Wait.check())
	defer cancel()
	var check concourse.Build
	err := r.seek(bounded, &check)
	if errors.Is(err, errOver) && ctx.Err() == nil {
		return &notSeen{verdict.Down, fmt.Sprintf("a check that is %s after %s", orElse(r.shortStatus(check.Status), "not answered"), r.Wait.check())}
	}
	return err
}

func (r *run) seek(ctx context.Context, check *concourse.Build) error {
	err := r.ask(ctx, "a check of the resource "+r.resource(), func() (err error) {
		*check, err = r.Client.Check(ctx, r.resource())
		return err
	})
	if err != nil {
		return err
	}
	r.looking = true
	r.tell(Checking, r.resource())
	for ended := false; ; {
		newest, found, err := r.versions(ctx)
		switch {
		case err != nil:
			return err
		case found:
			r.looking = false
			r.tell(Checked, r.outcome.Revision)
			return nil
		case ended && check.Status == concourse.Succeeded:
			return &notSeen{verdict.Mumble, "a check that succeeded, and " + newest}
		case ended:
			return &notSeen{verdict.Mumble, fmt.Sprintf("a check that %s%s", r.shortStatus(check.Status), r.said(ctx, check.ID))}
		}
		if pause(ctx, r.Wait.poll()) != nil {
			return errOver
		}
		// The versions are read once more after the check was seen to end.
		if check.ID != 0 {
			err = r.ask(ctx, "the check's status", func() error {
				now, err := r.Client.Build(ctx, check.ID)
				if err == nil {
					*check = now
				}
				return err
			})
			if err != nil {
				return err
			}
			ended = check.Status.Ended()
		}
	}
}

// versions says whether the revision is among the resource's versions, and which
// is the newest.
func (r *run) versions(ctx context.Context) (newest string, found bool, err error) {
	var versions []concourse.Version
	err = r.ask(ctx, "the versions of the resource "+r.resource(), func() (err error) {
		versions, err = r.Client.Versions(ctx, r.resource(), 50)
		return err
	})
	newest = "no version"
	for i, version := range versions {
		if i == 0 {
			newest = "as newest version " + r.short(version.Fields["ref"], mostName)
		}
		if version.Fields["ref"] == r.outcome.Revision {
			if !version.Enabled {
				return newest, false, verdict.Wrong("The team has disabled the judge's commit", "a version that no build may take", "a version that the next build takes")
			}
			return newest, true, nil
		}
	}
	return newest, false, err
}

// said is the end of what a check that went wrong printed, as one line.
func (r *run) said(ctx context.Context, id int) string {
	var text strings.Builder
	_ = r.Client.Events(ctx, id, concourse.FromStart, func(e concourse.Event) error {
		text.WriteString(e.Payload + e.Message)
		return nil
	})
	words := r.hide(strings.Join(strings.Fields(text.String()), " "))
	if words == "" {
		return ""
	}
	return ": " + cutBefore(words, mostSaid)
}
