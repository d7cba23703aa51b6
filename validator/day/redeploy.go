package day

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"bogops/validator/journal"
	"bogops/validator/redeploy"
	"bogops/validator/verdict"
)

// RedeployWithin is how long a redeployment may take on the real day (contract,
// section 5).
const RedeployWithin = 900 * time.Second

// redeploy has the team's pipeline bring a fresh nonce to life and proves it.
// Every step of it is journalled. What the judge itself could not see through is
// refused, and leaves the score; all else is the team's.
func (d *day) redeploy(ctx context.Context, c *Campaign, team Team, w journal.Window) error {
	say := func(state, detail string, proof redeploy.Proof) error {
		_, err := d.Journal.Append(journal.KindRedeploy, journal.Redeploy{
			ID: w.ID, Campaign: c.ID, Team: team.ID, Job: w.Action, State: state, At: d.Now().UTC(),
			Version: proof.Version, Took: journal.Of(proof.Took), Weight: w.Weight, Detail: detail,
		})
		return err
	}
	deploy, ok := team.Deploys[w.Action]
	if !ok {
		return say("refused", fmt.Sprintf("the judge has no way to run %q here", w.Action), redeploy.Proof{})
	}
	if err := say("started", "", redeploy.Proof{}); err != nil {
		return err
	}
	bounded, cancel := context.WithTimeout(ctx, d.scaled(RedeployWithin))
	defer cancel()
	var lost error // a step that could not be journalled
	proof := deploy(bounded, rand.Text(), func(s redeploy.Step) {
		_, err := d.Journal.Append(journal.KindStep, journal.Step{
			ID: w.ID, Campaign: c.ID, Team: team.ID, At: s.At.UTC(), Name: s.Kind, Build: s.Build, Detail: s.Detail,
		})
		if err != nil && lost == nil {
			lost = err
		}
	})
	switch {
	case ctx.Err() != nil:
		return ctx.Err() // the judge was stopped: nothing is known of the platform
	case lost != nil:
		return lost
	case proof.Err == nil:
		return say("live", "", proof)
	}
	state := "failed"
	if _, counts := verdict.Of(proof.Err).Share(); !counts {
		state = "refused"
	}
	return say(state, proof.Err.Error(), proof)
}

// holdNow holds all desks before the first tick of a day that is gone on with in
// the middle of a campaign, or right before one: what comes before holdDesks may
// take seconds, and a desk does not remember what an earlier judge began.
func (d *day) holdNow(past past) {
	for _, c := range d.Contest.Campaigns {
		if past.audited[c.ID] {
			continue
		}
		for _, team := range d.Teams {
			if team.Desk != nil && !d.Now().Before(c.At.Add(-d.scaled(preloadLead)-team.Desk.Within())) {
				team.Desk.Hold(true)
			}
		}
		return // the next one alone
	}
}

// holdDesks keeps all desks from redeploying until release is called. It waits
// for the moment from which what they begin would not have ended at the given
// time.
func (d *day) holdDesks(ctx context.Context, at time.Time) (release func(), err error) {
	var desks []*redeploy.Desk
	lead := time.Duration(0)
	for _, team := range d.Teams {
		if team.Desk != nil {
			desks = append(desks, team.Desk)
			lead = max(lead, team.Desk.Within())
		}
	}
	if len(desks) > 0 {
		if err := d.until(ctx, at.Add(-lead)); err != nil {
			return nil, err
		}
	}
	hold := func(on bool) {
		for _, desk := range desks {
			desk.Hold(on)
		}
	}
	hold(true)
	return func() { hold(false) }, nil
}
