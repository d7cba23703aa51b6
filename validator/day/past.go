package day

import (
	"time"

	"bogops/validator/journal"
)

// past is what a journal already tells of the day.
type past struct {
	tick    int                  // the last one with a verdict
	begun   map[string]time.Time // when campaigns that were opened began
	second  map[string]int       // the last second of load, by campaign
	audited map[string]bool      // campaigns whose audits are done for all teams
	closed  bool
}

// recall folds a journal into what a judge must know to go on from it.
func recall(entries []journal.Entry) (past, error) {
	p := past{begun: map[string]time.Time{}, second: map[string]int{}, audited: map[string]bool{}}
	teams, done := 0, map[string]map[string]bool{} // by campaign and team: a crash may have an audit done twice
	for _, e := range entries {
		switch e.Kind {
		case journal.KindOpened:
			opened, err := journal.Decode[journal.Opened](e)
			if err != nil {
				return p, err
			}
			teams = len(opened.Teams)
		case journal.KindVerdict:
			v, err := journal.Decode[journal.Verdict](e)
			if err != nil {
				return p, err
			}
			p.tick = max(p.tick, v.Tick)
		case journal.KindCampaign:
			c, err := journal.Decode[journal.Campaign](e)
			if err != nil {
				return p, err
			}
			p.begun[c.ID] = c.At
		case journal.KindLoad:
			l, err := journal.Decode[journal.Load](e)
			if err != nil {
				return p, err
			}
			p.second[l.Campaign] = max(p.second[l.Campaign], l.Second)
		case journal.KindAudit:
			a, err := journal.Decode[journal.Audit](e)
			if err != nil {
				return p, err
			}
			if a.Done {
				if done[a.Campaign] == nil {
					done[a.Campaign] = map[string]bool{}
				}
				done[a.Campaign][a.Team] = true
				p.audited[a.Campaign] = len(done[a.Campaign]) >= teams
			}
		case journal.KindClosed:
			p.closed = true
		}
	}
	return p, nil
}
