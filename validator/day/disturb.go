package day

import (
	"context"
	"fmt"

	"bogops/validator/chaos"
	"bogops/validator/journal"
)

// disturb plays one window of the plan on one team: a fault or a redeployment.
func (d *day) disturb(ctx context.Context, c *Campaign, team Team, w journal.Window) error {
	if err := d.until(ctx, c.T0.Add(w.From.Duration())); err != nil {
		return err
	}
	if w.Kind == "redeploy" {
		return d.redeploy(ctx, c, team, w)
	}
	action, ok := team.Actions[w.Action]
	if !ok {
		_, err := d.Journal.Append(journal.KindFault, journal.Fault{
			ID: w.ID, Campaign: c.ID, Team: team.ID, Kind: w.Action, Title: w.Title, State: "unverified", At: d.Now().UTC(),
			Weight: w.Weight, Detail: fmt.Sprintf("the judge has no way to do %q here", w.Action),
		})
		return err
	}
	plan := chaos.Plan{ID: w.ID, Campaign: c.ID, Team: team.ID, Weight: w.Weight, Window: w.Length.Duration()}
	return chaos.Inject(ctx, d.Journal, action, plan, d.Now)
}
