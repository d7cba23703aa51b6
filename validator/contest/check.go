package contest

import (
	"fmt"
	"math"
	"strings"
	"time"

	"bogops/validator/journal"
)

// check finds what is wrong between the parts of a file that is right by
// itself.
func (r *reader) check(c *Contest) {
	if !c.End.After(c.Start) {
		r.wrongAt("contest.end", "is %s, want it after the start, %s", stamp(c.End), stamp(c.Start))
	}
	if c.Freeze.Before(c.Start) || c.Freeze.After(c.End) {
		r.wrongAt("contest.freeze", "is %s, want it between start and end", stamp(c.Freeze))
	}
	if len(c.Seed) < shortestSeed {
		r.wrongAt("contest.seed", "has %d bytes, want at least %d that nobody can guess", len(c.Seed), shortestSeed)
	}
	if c.Trust.RehearsalRoot != "" && c.Trust.Roots != "" {
		r.wrongAt("trust.rehearsal_root", "stands beside roots: want one of the two, a rehearsal trusts nothing else")
	}
	if strings.HasPrefix(c.Judge.URL, "http:") && c.Trust.RehearsalRoot == "" {
		r.wrongAt("judge.url", "is plain http, which is for rehearsals only: who listens would know each nonce before it is live")
	}
	r.checkTeams(c)
	r.checkBricks(c)
	for i := range c.Campaigns {
		r.checkCampaign(c, i)
	}
}

// shortestSeed is as much as nobody finds by trying.
const shortestSeed = 16

func (r *reader) checkTeams(c *Contest) {
	ids, urls, looks := map[string]int{}, map[string]int{}, map[string]int{}
	players, witnesses := 0, 0
	for i, t := range c.Teams {
		path := fmt.Sprintf("teams[%d]", i)
		r.unique(ids, i, path+".id", t.ID, "teams[%d]")
		r.unique(urls, i, path+".url", t.URL, "teams[%d]")
		r.unique(looks, i, path+".colour", t.Colour+" "+t.Shape, "teams[%d]")
		if t.Witness {
			witnesses++
		} else {
			players++
		}
		if witnesses > 1 && t.Witness {
			r.wrongAt(path+".witness", "is a second witness, want at most one")
		}
		if len(t.Resolve) > 0 && c.Trust.RehearsalRoot == "" {
			r.wrongAt(path+".resolve", "is for rehearsals only: give trust.rehearsal_root, or leave it to DNS")
		}
		r.checkCeph(path+".ceph", t.Ceph)
		r.checkConcourse(path+".concourse", t.Concourse)
	}
	if players == 0 {
		r.wrongAt("teams", "has no team beside the witness, want at least one")
	}
}

func (r *reader) unique(seen map[string]int, i int, path, value, first string) {
	if at, ok := seen[value]; ok {
		r.wrongAt(path, "is %q, which is that of "+first+": want another", value, at)
		return
	}
	seen[value] = i
}

// checkCeph wants what each mode needs.
func (r *reader) checkCeph(path string, c *Ceph) {
	if c == nil {
		return
	}
	needs := map[string][]struct {
		key   string
		there bool
	}{
		"rados": {{"monitors", len(c.Monitors) > 0}, {"user", c.User != ""}, {"key", c.Key != ""}, {"pool", c.Pool != ""}},
		"rgw":   {{"endpoint", c.Endpoint != ""}, {"bucket", c.Bucket != ""}, {"access_key", c.AccessKey != ""}, {"secret_key", c.SecretKey != ""}},
		"exec":  {{"command", len(c.Command) > 0}},
	}
	for _, need := range needs[c.Mode] {
		if !need.there {
			r.wrongAt(path, "has mode %s and no %s, which that mode needs", c.Mode, need.key)
		}
	}
	if len(c.Monitors) > 0 && (c.User == "" || c.Key == "") {
		r.wrongAt(path+".monitors", "stands without user and key, want all three: monitors answer nobody else")
	}
	if len(c.Monitors) > 0 && len(c.Status) > 0 {
		r.wrongAt(path+".status", "stands beside monitors: want one of the two ways to ask them")
	}
	if len(c.Monitors) > 0 && len(c.Command) > 0 {
		r.wrongAt(path+".command", "stands beside monitors: want one of the two ways to read")
	}
}

// checkConcourse wants one of the two ways to log in, and all of it.
func (r *reader) checkConcourse(path string, c *Concourse) {
	switch {
	case c == nil:
	case c.Token != "" && (c.User != "" || c.Password != ""):
		r.wrongAt(path+".token", "stands beside user and password, want one of the two ways to log in")
	case c.Token == "" && (c.User == "" || c.Password == ""):
		r.wrongAt(path, "has no whole login, want user and password, or token")
	}
}

func (r *reader) checkBricks(c *Contest) {
	for _, b := range c.Bricks {
		if b.InPlay {
			return
		}
	}
	r.wrongAt("bricks", "has no brick in play, want at least one")
}

func (r *reader) checkCampaign(c *Contest, i int) {
	campaign, path := c.Campaigns[i], fmt.Sprintf("campaigns[%d]", i)
	end := campaign.At.Add(campaign.Duration)
	if campaign.At.Before(c.Start) || end.After(c.End) {
		r.wrongAt(path+".at", "makes the load last from %s to %s, want that within the contest, %s to %s", stamp(campaign.At), stamp(end), stamp(c.Start), stamp(c.End))
	}
	for j, other := range c.Campaigns[:i] {
		if other.ID == campaign.ID {
			r.wrongAt(path+".id", "is %q, which is that of campaigns[%d]: want another", campaign.ID, j)
		}
		if campaign.At.Before(other.At.Add(other.Duration)) {
			r.wrongAt(path+".at", "is %s, want it after the end of campaigns[%d], %s", stamp(campaign.At), j, stamp(other.At.Add(other.Duration)))
		}
	}
	if campaign.Mix.Put == 0 || campaign.Mix.Get+campaign.Mix.GetProcess == 0 {
		r.wrongAt(path+".mix", "is put %g, get %g, get_process %g, want a share of PUT and a share of GET above 0", campaign.Mix.Put, campaign.Mix.Get, campaign.Mix.GetProcess)
	}
	for _, op := range []string{"put", "get"} {
		if slo := campaign.SLO[op]; slo.Target >= slo.Max {
			r.wrongAt(path+".slo."+op+".target", "is %s, want less than max, %s", brief(slo.Target), brief(slo.Max))
		}
	}
	shares := 0.0
	for _, s := range campaign.Sizes {
		shares += s.Share
	}
	if shares == 0 {
		r.wrongAt(path+".sizes", "gives no size a share above 0")
	}
	r.checkRamp(campaign, path)
	r.checkWindows(c.Windows(campaign), campaign, path)
}

func (r *reader) checkRamp(campaign Campaign, path string) {
	total, rate, peak := time.Duration(0), 0.0, 0.0
	for k, stage := range campaign.Ramp {
		at := fmt.Sprintf("%s.ramp[%d]", path, k)
		_, to := r.places[at+".to"]
		_, hold := r.places[at+".hold"]
		switch {
		case to == hold:
			r.wrongAt(at, "wants either to or hold")
		case hold && stage.To != rate:
			r.wrongAt(at+".hold", "is %g, want the rate that is reached by then, %g", stage.To, rate)
		}
		rate = stage.To
		peak = math.Max(peak, rate)
		total += stage.For
	}
	if total != campaign.Duration {
		r.wrongAt(path+".ramp", "lasts %s, want as long as the campaign, %s", brief(total), brief(campaign.Duration))
	}
	if peak == 0 {
		r.wrongAt(path+".ramp", "never sends anything, want a rate above 0")
	}
}

// checkWindows wants every second scored once, and at least half as baseline.
func (r *reader) checkWindows(windows []journal.Window, campaign Campaign, path string) {
	inside, reached := journal.Seconds(0), journal.Seconds(0)
	length := journal.Of(campaign.Duration)
	for i, w := range windows {
		span := fmt.Sprintf("%s from %s to %s", w.Title, brief(w.From.Duration()), brief((w.From + w.Length).Duration()))
		if w.From+w.Length > length {
			r.wrongAt(path, "has a window (%s) that runs past its end, %s: want it earlier", span, brief(campaign.Duration))
		}
		if i > 0 && w.From < reached {
			r.wrongAt(path, "has windows that overlap: %s begins before %s ends, at %s", span, windows[i-1].Title, brief(reached.Duration()))
		}
		reached = max(reached, w.From+w.Length)
		inside += w.Length
	}
	if 2*inside > length {
		r.wrongAt(path, "has windows of %s in %s: want at least half of a campaign outside windows", brief(inside.Duration()), brief(campaign.Duration))
	}
}

func stamp(t time.Time) string { return t.Format("2006-01-02 15:04:05") }
