package rehearse

import (
	"net/url"
	"os"
	"os/exec"
	"time"

	"bogops/validator/chaos"
	"bogops/validator/concourse"
	"bogops/validator/day"
	"bogops/validator/journal"
	"bogops/validator/probe"
	"bogops/validator/redeploy"
	"bogops/validator/target"
)

// The judge redeploys each platform once in the morning, for the check that is
// made every tick, and may take as long for it as for one under load.
const (
	proveEvery  = time.Hour // once: a day of a rehearsal is shorter
	proveAgain  = 2 * tick  // where it failed: in the morning there is no pipeline yet
	proveWithin = 90 * time.Second
)

// forgeIsHere says whether this machine can run Concourse.
func forgeIsHere() bool {
	for _, program := range []string{"containerd", "runc", "iptables", "git", "jq", "radosgw"} {
		if _, err := exec.LookPath(program); err != nil {
			return false
		}
	}
	return os.Geteuid() == 0
}

// show gives the judge its way into a member's Concourse, and from a commit to
// its platform.
func (f *forge) show(m *member, at target.Target, entries func() []journal.Entry) {
	m.pipeline = probe.OpenConcourse(m.team.Concourse, concourse.Options{Roots: at.Roots, Resolve: m.team.Resolve, Now: time.Now})
	m.pipeline.Broken = chaos.Windows(entries, m.team.ID)
	line := &redeploy.Line{
		Client: m.pipeline.Client, Nonces: f.nonces, Team: m.team.ID, Target: at,
		Public: target.Target{URL: &url.URL{Scheme: "http", Host: f.siteAt}},
		Wait:   redeploy.Wait{Start: proveWithin},
	}
	m.line = line.Deploy
	m.pipeline.Desk = redeploy.NewDesk(line.Deploy, redeploy.DeskOptions{Every: proveEvery, Again: proveAgain, Within: proveWithin})
}

// pipelines are the judge's ways into every platform's Concourse.
func (c *cast) pipelines() map[string]*probe.Concourse {
	all := map[string]*probe.Concourse{}
	for _, m := range c.members {
		if m.pipeline != nil {
			all[m.team.ID] = m.pipeline
		}
	}
	return all
}

// closePipelines ends what the desks do, and the judge's connections.
func (c *cast) closePipelines() {
	for _, pipeline := range c.pipelines() {
		pipeline.Desk.Close()
		pipeline.Close()
	}
}

// judged is a member as the judge sees it.
func (c *cast) judged(m *member, entries func() []journal.Entry) day.Team {
	at := day.NewTarget(m.team, c.contest, c.roots)
	team := day.Team{Team: m.team, Target: at, Actions: m.actions()}
	if c.forge == nil {
		team.Deploys = deploys(m.platform, at)
		return team
	}
	c.forge.show(m, at, entries)
	team.Deploys, team.Desk = map[string]redeploy.Deploy{"app-deploy": m.line}, m.pipeline.Desk
	return team
}
