package board

import (
	"math"
	"time"

	"bogops/validator/journal"
)

const (
	killAt   = 420
	redoAt   = 720
	demoSpan = 1200
)

// demoCampaign opens the demo's campaign now.
func (d *demo) demoCampaign() journal.Campaign {
	return journal.Campaign{
		ID: "1", Title: "Campaign 1", At: d.now(), Duration: demoSpan, Peak: 260,
		Stages: []journal.Stage{{From: 0, To: 80, Seconds: 120}, {From: 80, To: 260, Seconds: 960}, {From: 260, To: 20, Seconds: 120}},
		SLO:    map[string]journal.SLO{"put": {Target: 0.5, Max: 5}, "get": {Target: 1, Max: 8}},
		Windows: []journal.Window{
			{ID: "f1", Kind: "fault", Action: "kill-instance", Title: "Instance killed", From: killAt, Length: 180, Weight: 6},
			{ID: "r1", Kind: "redeploy", Action: "app-deploy", Title: "Redeploy", From: redoAt, Length: 180, Weight: 5},
			{ID: "sealed-fault", Kind: "fault", Action: "stop-osd", Title: "Sealed surprise", From: 1150, Length: 40, Weight: 4},
		},
	}
}

// dip is a share of good answers that falls to bottom at a moment and comes
// back in so many seconds.
func dip(n, at int, bottom, back float64) float64 {
	since := float64(n - at)
	if since < 0 || since > back {
		return 1
	}
	return bottom + (1-bottom)*math.Pow(since/back, 1.4)
}

// second is the demo's load of one team in one second.
func (d *demo) second(c journal.Campaign, team string, n int) journal.Load {
	rate := (&campaign{Campaign: c}).rate(time.Duration(n)*time.Second + time.Second/2)
	share, p99, instances := 1.0, 0.24+0.03*math.Sin(float64(n)/9), 3
	switch {
	case team == "loutres":
		share = dip(n, killAt, 0.45, 40) * dip(n, redoAt, 0.9, 20)
		p99 += 2.2*(1-dip(n, killAt, 0, 60)) + 0.5*(1-dip(n, redoAt, 0, 40))
		if n > 300 && (n < killAt || n > killAt+45) {
			instances = 4
		}
		if n > 800 {
			instances = 5
		}
	default:
		share = dip(n, killAt, 0.02, 110) * dip(n, redoAt, 0.45, 70)
		p99 = p99*1.3 + 7*(1-dip(n, killAt, 0, 160)) + 4*(1-dip(n, redoAt, 0, 120))
		if n >= killAt && n < killAt+120 {
			instances = 2
		}
	}
	offered := int(math.Round(rate))
	good := int(math.Round(rate * share))
	errors := map[string]int{}
	if miss := offered - good; miss > 0 {
		errors["late"], errors["5xx"], errors["refused"] = miss-miss/3-miss/9, miss/3, miss/9
	}
	puts := offered * 4 / 10
	return journal.Load{Campaign: c.ID, Team: team, Second: n, Offered: offered, Right: good, Good: good, Puts: puts, Acked: int(float64(puts) * share),
		Errors: errors, P99: journal.Seconds(p99), Instances: instances, Lag: 0.002}
}

// afternoon plays a campaign up to a second: all bricks green, an instance
// killed, a redeployment.
func (d *demo) afternoon(until int) journal.Campaign {
	d.set(d.start.Add(6 * time.Hour))
	d.tick = 300
	for range 12 {
		d.next()
		d.health(true, "")
		for _, team := range []string{"loutres", "pandas", "temoin"} {
			for brick, f := range map[string]finding{"api": apiOK, "tls": tlsOK, "ceph": cephOK, "concourse": ciOK, "aws": awsOK} {
				if team == "pandas" && brick == "aws" {
					f = oneZone
				}
				d.look(team, brick, f)
			}
		}
	}
	end := d.now().Add(demoSpan * time.Second)
	d.add(journal.KindPhase, journal.Phase{Name: "campaign", Title: "Campaign 1", EndsAt: &end, Next: "audit"})
	c := d.demoCampaign()
	d.add(journal.KindCampaign, c)
	for n := range until {
		d.set(c.At.Add(time.Duration(n+1) * time.Second))
		d.strike(c, n)
		for _, team := range []string{"loutres", "pandas"} {
			d.add(journal.KindLoad, d.second(c, team, n))
		}
	}
	return c
}

// strike journals what begins or ends in second n.
func (d *demo) strike(c journal.Campaign, n int) {
	for i, team := range []string{"loutres", "pandas"} {
		fault := journal.Fault{ID: "f1", Campaign: c.ID, Team: team, Kind: "kill-instance", Title: "Instance killed", At: d.now(), Weight: 6}
		redo := journal.Redeploy{ID: "r1", Campaign: c.ID, Team: team, Job: "app-deploy", At: d.now(), Weight: 5, Version: "v2"}
		switch n {
		case killAt:
			fault.State = "injected"
			d.add(journal.KindFault, fault)
		case killAt + 2:
			fault.State = "verified"
			d.add(journal.KindFault, fault)
		case killAt + 40:
			fault.State = "healed"
			d.add(journal.KindFault, fault)
		case redoAt:
			redo.State = "started"
			d.add(journal.KindRedeploy, redo)
			d.step(c, team, "committed", "8d3f1c")
		case redoAt + 4:
			d.step(c, team, "checked", "8d3f1c")
			d.step(c, team, "triggered", "7")
		case redoAt + 8 + 12*i:
			d.step(c, team, "started", "")
			d.step(c, team, "task", "fetch-package")
		case redoAt + 24 + 12*i:
			d.step(c, team, "task-end", "fetch-package")
			d.step(c, team, "task", "roll-out")
		case redoAt + 72 + 60*i:
			d.step(c, team, "task-end", "roll-out")
			d.step(c, team, "finished", "succeeded")
		case redoAt + 80 + 60*i:
			redo.State, redo.Took = "live", journal.Seconds(80+60*i)
			d.step(c, team, "live", "50/50")
			d.add(journal.KindRedeploy, redo)
		}
	}
}

// step journals one event on the way of the demo's redeployment.
func (d *demo) step(c journal.Campaign, team, name, detail string) {
	d.add(journal.KindStep, journal.Step{ID: "r1", Campaign: c.ID, Team: team, At: d.now(), Name: name, Detail: detail, Build: 31})
}

// evening audits, crowns and closes.
func (d *demo) evening(c journal.Campaign) {
	end := d.now().Add(10 * time.Minute)
	d.add(journal.KindPhase, journal.Phase{Name: "audit", Title: "Audit", EndsAt: &end, Next: "podium"})
	d.audit(c, "loutres", 59108, true)
	d.audit(c, "pandas", 53859, true, demoLost...)
	d.add(journal.KindPhase, journal.Phase{Name: "podium", Title: "Podium"})
	d.pass(time.Minute)
	d.add(journal.KindClosed, journal.Closed{Seed: "1f5e0c7a9d3b48e6a2c4d6e8f0a1b2c31f5e0c7a9d3b48e6a2c4d6e8f0a1b2c3", Text: "The day is over."})
}

var demoLost = []journal.Finding{
	{Key: "load/7f3a/000412", Class: "lost", Got: "404", Want: "the 65,536 B put at 15:37:02", Tries: 3, Evidence: demoEvidenceHash},
	{Key: "load/19bc/002218", Class: "lost", Got: "404", Want: "the 4,096 B put at 15:37:03", Tries: 3},
	{Key: "load/e01d/001907", Class: "stale", Got: "version 2", Want: "version 3", Tries: 3},
}

func (d *demo) audit(c journal.Campaign, team string, acknowledged int, done bool, findings ...journal.Finding) {
	d.pass(2 * time.Minute)
	d.add(journal.KindLedger, journal.Ledger{Campaign: c.ID, Team: team, File: team + ".ledger", Acknowledged: acknowledged})
	a := journal.Audit{Campaign: c.ID, Team: team, Done: done, Acknowledged: acknowledged, Checked: acknowledged, Findings: findings}
	for _, f := range findings {
		if f.Class == "stale" {
			a.Stale++
		} else {
			a.Lost++
		}
	}
	if !done {
		a.Checked = acknowledged / 3
	}
	a.OK = a.Checked - a.Lost - a.Stale
	d.add(journal.KindAudit, a)
}
