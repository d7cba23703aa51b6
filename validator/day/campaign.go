package day

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"bogops/validator/contest"
	"bogops/validator/journal"
	"bogops/validator/ledger"
	"bogops/validator/load"
)

// Campaign is one running load campaign.
type Campaign struct {
	contest.Campaign
	T0      time.Time // when second 0 begins, for all teams
	Plan    *load.Plan
	Windows []journal.Window
	Ledgers map[string]*ledger.Ledger // by team
	first   int                       // the first second to send: later than 0 after a crash of the judge
}

// preloadLead is how long before its start a campaign stores the objects that
// its first GETs ask for, on the real day.
const preloadLead = 2 * time.Minute

// campaign prepares, loads, breaks, redeploys and audits. What the journal
// holds of it from before a crash of the judge is not done again.
func (d *day) campaign(ctx context.Context, c contest.Campaign, past past) error {
	plan, err := load.NewPlan([]byte(d.Contest.Seed), c)
	if err != nil {
		return err
	}
	running := &Campaign{Campaign: c, T0: c.At, Plan: plan, Windows: d.Contest.Windows(c), Ledgers: map[string]*ledger.Ledger{}}
	for _, team := range d.Teams {
		l, err := ledger.Open(filepath.Join(d.Dir, ledgerName(c.ID, team.ID)))
		if err != nil {
			return err
		}
		defer l.Close()
		running.Ledgers[team.ID] = l
	}
	release, err := d.holdDesks(ctx, c.At.Add(-d.scaled(preloadLead)))
	if err != nil {
		return err
	}
	defer release()
	began, resumed := past.begun[c.ID]
	if resumed {
		running.T0 = began
		running.first = max(past.second[c.ID]+1, int(d.Now().Sub(began)/time.Second)+1)
	} else if err := d.prepare(ctx, running); err != nil {
		return err
	}
	if err := d.play(ctx, running, resumed); err != nil {
		return err
	}
	return d.audits(ctx, running)
}

// ledgerName is the file of a team's ledger, in the day's directory.
func ledgerName(campaign, team string) string {
	return fmt.Sprintf("ledger-%s-%s.jsonl", campaign, team)
}

// leadIn is how long before its first second the engine starts, so that
// consent and connections cost the first arrivals nothing.
const leadIn = 2 * time.Second

// prepare checks the measure itself, then fills the platforms.
func (d *day) prepare(ctx context.Context, c *Campaign) error {
	if err := d.until(ctx, c.At.Add(-d.scaled(preloadLead))); err != nil {
		return err
	}
	if err := measure(ctx, load.QuickCheck, d.Progress); err != nil {
		return err
	}
	d.Progress(fmt.Sprintf("Campaign %s: the measure is right; storing the first objects", c.ID))
	group, ctx := errgroup.WithContext(ctx)
	for _, team := range d.Teams {
		group.Go(func() error { return load.Preload(ctx, d.loadConfig(c, team)) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if d.Now().After(c.T0.Add(-leadIn)) {
		// The judge was not ready in time: all teams begin later, and none
		// pays for it.
		c.T0 = d.Now().Add(leadIn)
		d.Progress(fmt.Sprintf("Campaign %s begins %s late: the preparation took that long", c.ID, c.T0.Sub(c.At).Round(time.Second)))
	}
	return nil
}

// play sends the load to all teams at once, with the plan's faults and
// redeployments at the same offsets for each.
func (d *day) play(ctx context.Context, c *Campaign, resumed bool) error {
	if err := d.until(ctx, c.T0.Add(-leadIn)); err != nil {
		return err
	}
	d.pace.open(c.T0, c.Windows)
	if err := d.phase("campaign", "Campaign "+c.ID, c.T0.Add(c.Duration), "load ends"); err != nil {
		return err
	}
	if !resumed {
		if _, err := d.Journal.Append(journal.KindCampaign, d.opening(c)); err != nil {
			return err
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, team := range d.Teams {
		group.Go(func() error {
			_, err := load.Run(ctx, d.loadConfig(c, team))
			return err
		})
		for _, w := range c.Windows {
			if late := d.Now().After(c.T0.Add(w.From.Duration() + time.Second)); !late {
				group.Go(func() error { return d.disturb(ctx, c, team, w) })
			}
		}
	}
	if d.LoadStarted != nil {
		group.Go(func() error { return d.LoadStarted(ctx, c) })
	}
	return group.Wait()
}

// opening is the journal's line for a campaign that begins.
func (d *day) opening(c *Campaign) journal.Campaign {
	event := journal.Campaign{
		ID: c.ID, Title: "Campaign " + c.ID, At: c.T0.UTC(), Duration: journal.Of(c.Duration),
		SLO: map[string]journal.SLO{}, PlanHash: c.Plan.Hash(), Windows: c.Windows,
		Stages: c.Plan.Stages(), Peak: c.Plan.Peak(),
	}
	for op, slo := range c.SLO {
		event.SLO[op] = journal.SLO{Target: journal.Of(slo.Target), Max: journal.Of(slo.Max)}
	}
	return event
}

func (d *day) loadConfig(c *Campaign, team Team) load.Config {
	return load.Config{
		Plan: c.Plan, Team: team.ID, Campaign: c.ID, Target: team.Target, T0: c.T0,
		Ledger: c.Ledgers[team.ID], TimeScale: d.Contest.Judge.TimeScale, First: c.first, MaxLag: d.MaxLag,
		Second: func(second journal.Load) error {
			d.pace.measured(team.ID, second.Lag.Duration())
			_, err := d.Journal.Append(journal.KindLoad, second)
			return err
		},
	}
}
