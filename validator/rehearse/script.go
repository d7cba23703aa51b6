package rehearse

import (
	"strings"
	"time"

	"bogops/validator/contest"
	"bogops/validator/probe"
)

// The compressed day. The score's durations are a twelfth of the real ones.
const (
	timeScale = 1.0 / 12
	tick      = 6 * time.Second // silver is 50 checks on three teams, on two cores that also carry the teams
	buildFor  = 60 * time.Second
	forgeFor  = 8 * time.Minute // as long, where three pipelines share two cores
	auditFor  = 52 * time.Second
	level     = probe.Silver
	largeBody = 4 << 20 // bytes of the largest object that a check stores
	racers    = 8       // and not 32: every connection is a handshake on the same two cores, at each end

	// The judge shares its cores with six instances, so it is granted more lag
	// of its own than on the day, before a second is nobody's fault.
	maxLag = 50 * time.Millisecond
)

// script writes the contest of the rehearsal, which begins at start.
func (c *cast) script(start time.Time, locale string) {
	campaign := firstCampaign(start.Add(c.buildFor()), c.withCeph)
	c.contest = &contest.Contest{
		ID: contestID, Title: "Rehearsal", Timezone: time.Local, Locale: locale, Seed: c.seed,
		Start: start, Freeze: start.Add(24 * time.Hour), End: campaign.At.Add(campaign.Duration + auditFor),
		Judge: contest.Judge{
			Tick: tick, TimeScale: timeScale, GreenAfter: 3, RedAfter: 2, KeepBodies: 64 << 10,
			Control: strings.TrimPrefix(c.authority.Directory(), "https://"),
		},
		Trust:     contest.Trust{RehearsalRoot: "pebble", MinValidity: time.Hour},
		Bricks:    bricks(c.withCeph, c.forge != nil),
		Campaigns: []contest.Campaign{campaign},
	}
	if at := strings.IndexByte(c.contest.Judge.Control, '/'); at >= 0 {
		c.contest.Judge.Control = c.contest.Judge.Control[:at]
	}
	for _, m := range c.members {
		c.contest.Teams = append(c.contest.Teams, m.team)
	}
}

// buildFor is how long the teams have until the load. With Concourse everything
// that runs is built, tested and rolled out by their pipelines first.
func (c *cast) buildFor() time.Duration {
	if c.forge != nil {
		return forgeFor
	}
	return buildFor
}

// bricks are the five, of which a machine without accounts has two, three where
// it has Ceph, and four where it has Concourse too.
func bricks(withCeph, withConcourse bool) []contest.Brick {
	const absent = "make rehearsal puts it in play"
	hint := map[bool]string{false: absent}
	return []contest.Brick{
		{ID: "ceph", Title: "Ceph", Points: 80, InPlay: withCeph, Hint: hint[withCeph]},
		{ID: "api", Title: "REST API", Points: 60, Level: level, InPlay: true},
		{ID: "tls", Title: "TLS", Points: 40, InPlay: true},
		{ID: "concourse", Title: "Concourse", Points: 60, InPlay: withConcourse, Hint: hint[withConcourse]},
		{ID: "aws", Title: "AWS", Points: 60, Hint: "not in the rehearsal yet"},
	}
}

// firstCampaign is the ramp with one killed instance and one redeployment, and
// with one stopped OSD where Ceph is in play. The rates fit two cores that carry
// six instances and the judge, and the daemons of three clusters besides.
func firstCampaign(at time.Time, withCeph bool) contest.Campaign {
	c := contest.Campaign{
		ID: "1", At: at, Duration: 84 * time.Second,
		Ramp: []contest.Stage{
			{To: 10, For: 4 * time.Second}, {To: 60, For: 56 * time.Second},
			{To: 60, For: 18 * time.Second}, {To: 10, For: 6 * time.Second},
		},
		Mix:       contest.Mix{Put: 40, Get: 30, GetProcess: 30},
		Sizes:     []contest.Size{{Bytes: 4 << 10, Share: 60}, {Bytes: 64 << 10, Share: 35}, {Bytes: 512 << 10, Share: 5}},
		SLO:       map[string]contest.SLO{"put": {Target: 100 * time.Millisecond, Max: 2 * time.Second}, "get": {Target: 60 * time.Millisecond, Max: 2 * time.Second}},
		Faults:    []contest.Fault{{At: 14 * time.Second, Kind: "kill-instance", Weight: 6}},
		Redeploys: []contest.Redeploy{{At: 42 * time.Second, Job: "app-deploy", Weight: 5}},
	}
	if withCeph {
		c.Duration = 116 * time.Second
		c.Ramp = []contest.Stage{
			{To: 5, For: 4 * time.Second}, {To: 25, For: 60 * time.Second},
			{To: 25, For: 46 * time.Second}, {To: 5, For: 6 * time.Second},
		}
		c.SLO = map[string]contest.SLO{"put": {Target: 250 * time.Millisecond, Max: 4 * time.Second}, "get": {Target: 100 * time.Millisecond, Max: 4 * time.Second}}
		c.Faults = append(c.Faults, contest.Fault{At: 84 * time.Second, Kind: "stop-osd", Weight: 4})
	}
	return c
}
