package contest

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"bogops/validator/journal"
)

// Opened is the journal's first line for this contest: the rules and their
// hash, the seed's hash, who plays, and the checks that will be made. version
// is that of the validator.
func (c *Contest) Opened(checks []journal.Check, version string) journal.Opened {
	seed := sha256.Sum256([]byte(c.Seed))
	rules := c.rules()
	opened := journal.Opened{
		Format: 1, Validator: version,
		Contest: c.ID, Title: c.Title, Timezone: c.zone().String(), Locale: c.Locale,
		Start: c.Start.UTC(), End: c.End.UTC(),
		Rehearsal: c.Trust.RehearsalRoot != "",
		SeedHash:  hex.EncodeToString(seed[:]),
		Rules:     rules, RulesHash: rules.Hash(),
		Checks: checks,
	}
	if !c.Freeze.IsZero() {
		freeze := c.Freeze.UTC()
		opened.FreezeAt = &freeze
	}
	if len(c.Campaigns) > 0 {
		first := slices.MinFunc(c.Campaigns, func(a, b Campaign) int { return a.At.Compare(b.At) }).At.UTC()
		opened.FirstLoad = &first
	}
	for _, t := range c.Teams {
		opened.Teams = append(opened.Teams, journal.Team{
			ID: t.ID, Name: t.Name, Full: t.Full, Colour: t.Colour, Shape: t.Shape, Mascot: t.Mascot, URL: t.URL, Witness: t.Witness,
		})
	}
	return opened
}

// defaultPoints make 1,000 together with the bricks' 300.
var defaultPoints = Points{Campaign: 300, Integrity: 50, Chaos: 150, Redeploy: 100, Incidents: 100}

// rules takes out the points of what the contest does not plan: a part that
// can never be won must not be in the sum.
func (c *Contest) rules() journal.Rules {
	points := c.Points
	if points == (Points{}) {
		points = defaultPoints
	}
	faults, redeploys := 0.0, 0.0
	for _, campaign := range c.Campaigns {
		for _, f := range campaign.Faults {
			faults += f.Weight
		}
		for _, r := range campaign.Redeploys {
			redeploys += r.Weight
		}
	}
	if len(c.Campaigns) == 0 {
		points.Campaign, points.Integrity = 0, 0
	}
	if faults == 0 {
		points.Chaos = 0
	}
	if redeploys == 0 {
		points.Redeploy = 0
	}
	rules := journal.Rules{
		TimeScale: c.Judge.TimeScale, GreenAfter: c.Judge.GreenAfter, RedAfter: c.Judge.RedAfter, Tick: journal.Of(c.Judge.Tick),
		Campaign: points.Campaign, Integrity: points.Integrity, Chaos: points.Chaos, Redeploy: points.Redeploy, Incidents: points.Incidents,
	}
	for _, b := range c.Bricks {
		rules.Bricks = append(rules.Bricks, journal.Brick{ID: b.ID, Title: b.Title, Points: b.Points, InPlay: b.InPlay, Hint: b.Hint})
	}
	return rules
}

func (c *Contest) zone() *time.Location {
	if c.Timezone == nil {
		return time.UTC
	}
	return c.Timezone
}

// Lengths of the windows that are scored as a fault or as a redeployment, on
// the real day (judge.time_scale 1).
const (
	faultWindow    = 180 * time.Second
	redeployWindow = 300 * time.Second
)

// Windows are the parts of campaign that are scored apart, in order of time.
func (c *Contest) Windows(campaign Campaign) []journal.Window {
	var windows []journal.Window
	for i, f := range campaign.Faults {
		windows = append(windows, journal.Window{
			ID: fmt.Sprintf("%s-fault-%d", campaign.ID, i+1), Kind: "fault", Action: f.Kind, Title: faultTitle(f.Kind),
			From: journal.Of(f.At), Length: c.scaled(faultWindow), Weight: f.Weight,
		})
	}
	for i, r := range campaign.Redeploys {
		windows = append(windows, journal.Window{
			ID: fmt.Sprintf("%s-redeploy-%d", campaign.ID, i+1), Kind: "redeploy", Action: r.Job, Title: "Redeployment",
			From: journal.Of(r.At), Length: c.scaled(redeployWindow), Weight: r.Weight,
		})
	}
	slices.SortStableFunc(windows, func(a, b journal.Window) int { return cmp.Compare(a.From, b.From) })
	return windows
}

func (c *Contest) scaled(real time.Duration) journal.Seconds {
	return journal.Seconds(real.Seconds() * c.Judge.TimeScale)
}

// faultTitle is how the wall names a kind of fault.
func faultTitle(kind string) string {
	for _, k := range faultKinds {
		if k.kind == kind {
			return k.title
		}
	}
	return kind
}

// faultKinds are the faults that a campaign can plan.
var faultKinds = []struct{ kind, title string }{
	{"kill-instance", "Instance killed"},
	{"terminate-instance", "Instance terminated"},
	{"stop-instance", "Instance stopped"},
	{"reboot-instance", "Instance rebooted"},
	{"take-capacity", "Capacity taken"},
	{"cut-zone", "Zone cut off"},
	{"swap-security-group", "Security group swapped"},
	{"freeze-disk", "Disk frozen"},
	{"stop-osd", "OSD stopped"},
	{"kill-osd", "OSD killed"},
	{"freeze-osd", "OSD frozen"},
	{"stop-monitor", "Monitor stopped"},
	{"kill-monitor", "Monitor killed"},
	{"freeze-monitor", "Monitor frozen"},
	{"pause-pipeline", "Pipeline paused"},
	{"lose-worker", "Worker lost"},
	{"bad-deploy", "Bad version deployed"},
}
