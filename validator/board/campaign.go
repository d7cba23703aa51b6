package board

import (
	"time"

	"bogops/validator/journal"
)

// campaign is one load campaign as measured so far.
type campaign struct {
	journal.Campaign
	lanes map[string]*lane // by team
	bands []*band          // in the order in which they began
}

// lane is one team's load.
type lane struct {
	seconds []second // index: second after T0
	errors  map[string]int
	acked   int
	ledger  *journal.Ledger
	audit   *journal.Audit
}

// second is one journalled second.
type second struct {
	known           bool
	offered, good   int
	p99             time.Duration
	instances       int
	inconclusive    bool
	puts, acked, at int
}

// band is a fault or a redeployment that has begun. Those that are only
// planned have none: the plan stays sealed on the wall too.
type band struct {
	journal.Window
	at    time.Time
	teams map[string]string // state by team
	took  map[string]time.Duration
	notes map[string]string
	ways  map[string]*way // of a redeployment, by team
}

func (v *View) start(c journal.Campaign, _ journal.Entry) {
	v.campaigns = append(v.campaigns, &campaign{Campaign: c, lanes: map[string]*lane{}})
}

// campaign returns the one of that id, nil for a stranger.
func (v *View) campaign(id string) *campaign {
	for _, c := range v.campaigns {
		if c.ID == id {
			return c
		}
	}
	return nil
}

// latest is the campaign that the wall shows, nil before the first.
func (v *View) latest() *campaign {
	if len(v.campaigns) == 0 {
		return nil
	}
	return v.campaigns[len(v.campaigns)-1]
}

func (c *campaign) lane(team string) *lane {
	l := c.lanes[team]
	if l == nil {
		l = &lane{errors: map[string]int{}}
		c.lanes[team] = l
	}
	return l
}

func (v *View) load(l journal.Load, _ journal.Entry) {
	c := v.campaign(l.Campaign)
	const day = 24 * 60 * 60
	if c == nil || l.Second < 0 || l.Second > day {
		return
	}
	lane := c.lane(l.Team)
	for len(lane.seconds) <= l.Second {
		lane.seconds = append(lane.seconds, second{at: len(lane.seconds)})
	}
	lane.seconds[l.Second] = second{
		known: true, at: l.Second, offered: l.Offered, good: l.Good, p99: l.P99.Duration(),
		instances: l.Instances, inconclusive: l.Inconclusive, puts: l.Puts, acked: l.Acked,
	}
	lane.acked += l.Acked
	for kind, n := range l.Errors {
		lane.errors[kind] += n
	}
}

func (v *View) ledger(l journal.Ledger, _ journal.Entry) {
	if c := v.campaign(l.Campaign); c != nil {
		c.lane(l.Team).ledger = &l
	}
}

func (v *View) audit(a journal.Audit, e journal.Entry) {
	c := v.campaign(a.Campaign)
	if c == nil {
		return
	}
	lane := c.lane(a.Team)
	lane.audit = &a
	s := v.side(a.Team)
	if !a.Done || s == nil || s.Witness {
		return
	}
	h := happening{at: e.At, icon: "s-ok", class: "ok", teams: []string{a.Team}, audit: &a}
	if lane.wrong() > 0 {
		h.icon, h.class = "s-cor", "cor"
	}
	v.happened(h)
}

// band returns the band of id, opened at its first step. Its place is the
// plan's; a fault that the plan does not know stands where it happened.
func (c *campaign) band(id, kind, title string, at time.Time) *band {
	for _, b := range c.bands {
		if b.ID == id {
			return b
		}
	}
	b := &band{Window: journal.Window{ID: id, Kind: kind, Title: title, From: journal.Of(at.Sub(c.At))}, at: at,
		teams: map[string]string{}, took: map[string]time.Duration{}, notes: map[string]string{}, ways: map[string]*way{}}
	for _, w := range c.Windows {
		if w.ID == id {
			b.Window = w
		}
	}
	c.bands = append(c.bands, b)
	return b
}

func (v *View) fault(f journal.Fault, _ journal.Entry) {
	c := v.campaign(f.Campaign)
	if c == nil {
		return
	}
	b := c.band(f.ID, "fault", f.Title, f.At)
	b.teams[f.Team] = f.State
	if f.State == "refused" || f.State == "unverified" {
		b.notes[f.Team] = f.Detail
	}
	if f.State == "injected" {
		v.struck(f.ID, f.Team, "i-kill", b.Title, f.At)
	}
}

func (v *View) redeploy(r journal.Redeploy, _ journal.Entry) {
	c := v.campaign(r.Campaign)
	if c == nil {
		return
	}
	b := c.band(r.ID, "redeploy", r.Job, r.At)
	b.teams[r.Team] = r.State
	w := b.way(r.Team)
	switch r.State {
	case "started":
		w.began = r.At
		v.struck(r.ID, r.Team, "i-redo", b.Title, r.At)
	case "live":
		b.took[r.Team] = r.Took.Duration()
		b.notes[r.Team] = r.Version
	case "failed", "refused":
		b.notes[r.Team] = r.Detail
	}
	if r.State != "started" {
		w.ended = r.At
	}
}

// span is how long the campaign is planned to last.
func (c *campaign) span() time.Duration {
	if c.Duration > 0 {
		return c.Duration.Duration()
	}
	var total time.Duration
	for _, s := range c.Stages {
		total += s.Seconds.Duration()
	}
	return max(total, time.Second)
}

// rate is the planned rate at an offset, in requests a second.
func (c *campaign) rate(at time.Duration) float64 {
	for _, s := range c.Stages {
		d := s.Seconds.Duration()
		if at <= d && d > 0 {
			return s.From + (s.To-s.From)*at.Seconds()/d.Seconds()
		}
		at -= d
	}
	if n := len(c.Stages); n > 0 {
		return c.Stages[n-1].To
	}
	return 0
}

// now is how far the measurements of the contestants go: the first second
// that no lane has yet.
func (c *campaign) now(teams []*side) time.Duration {
	n := 0
	for _, s := range teams {
		if l := c.lanes[s.ID]; l != nil {
			n = max(n, len(l.seconds))
		}
	}
	return min(time.Duration(n)*time.Second, c.span())
}
