package day

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"bogops/validator/chaos"
	"bogops/validator/journal"
	"bogops/validator/target"
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

// redeployWithin is how long a build may take on the real day (contract,
// section 5).
const redeployWithin = 900 * time.Second

// redeploy has the team's pipeline bring a fresh nonce to life and proves it.
func (d *day) redeploy(ctx context.Context, c *Campaign, team Team, w journal.Window) error {
	began := d.Now()
	say := func(state, version, detail string) error {
		event := journal.Redeploy{
			ID: w.ID, Campaign: c.ID, Team: team.ID, Job: w.Action, State: state, At: d.Now().UTC(),
			Version: version, Weight: w.Weight, Detail: detail,
		}
		if state == "live" {
			event.Took = journal.Of(d.Now().Sub(began))
		}
		_, err := d.Journal.Append(journal.KindRedeploy, event)
		return err
	}
	deploy, ok := team.Deploys[w.Action]
	if !ok {
		return say("refused", "", fmt.Sprintf("the judge has no way to run %q here", w.Action))
	}
	nonce := rand.Text()
	if err := say("started", "", ""); err != nil {
		return err
	}
	bounded, cancel := context.WithTimeout(ctx, d.scaled(redeployWithin))
	defer cancel()
	version, err := deploy(bounded, nonce)
	if err == nil {
		err = prove(bounded, team.Target, version)
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err() // the judge was stopped: nothing is known of the platform
	case err != nil:
		return say("failed", version, err.Error())
	}
	return say("live", version, "")
}

// A version is live once at least livePerCent of freshConnections see it.
const (
	freshConnections = 50
	livePerCent      = 95
)

// prove asks for the described version over fresh connections, since each may
// reach another instance.
func prove(ctx context.Context, t target.Target, version string) error {
	seen := map[string]int{}
	for range freshConnections {
		got, err := described(ctx, t)
		if err != nil {
			got = err.Error()
		}
		seen[got]++
	}
	if seen[version]*100 < freshConnections*livePerCent {
		return fmt.Errorf("version %s on %d of %d fresh connections, want %d %%; seen: %v", version, seen[version], freshConnections, livePerCent, seen)
	}
	return nil
}

// described returns the version that one instance describes itself with.
func described(ctx context.Context, t target.Target) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	client := target.NewClient(t)
	defer client.Close()
	reply, err := client.Do(ctx, target.Request{Method: http.MethodGet, Path: "/.well-known/bogops.json", Fresh: true})
	if err != nil {
		return "", err
	}
	var description struct{ Version string }
	if err := json.Unmarshal(reply.Body, &description); err != nil {
		return "", fmt.Errorf("the self-description is no JSON: %w", err)
	}
	return description.Version, nil
}
