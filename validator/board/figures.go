package board

import (
	"cmp"
	"slices"
	"time"

	"bogops/validator/journal"
)

// figures stand face to face: what the campaign cost each team so far.
type figures struct {
	Teams  []figureHead
	Rows   []figureRow
	Errors []errorRow
}

type figureHead struct{ Name, Colour, Shape, Pos string }

// figureRow is one figure of all teams, with bars in proportion.
type figureRow struct {
	Title, Hint string
	Cells       []figureCell
}

type figureCell struct {
	Team, Colour, Pos string
	Text              string
	Class             string // of the symbol beside it; empty: none
	Width             float64
}

type errorRow struct {
	Kind   string
	Counts []string
}

func (s speech) figures(v *View, c *campaign) figures {
	var f figures
	if c == nil {
		return f
	}
	for i, team := range v.teams {
		f.Teams = append(f.Teams, figureHead{team.Name, colourOf(team.Colour), shapeOf(team.Shape), position(i)})
	}
	f.Rows = []figureRow{
		s.row(v, c, "lgs", func(l *lane) (float64, string) {
			lost := c.lost(l)
			return lost, s.decimal(lost, lostDecimals(lost))
		}),
		s.row(v, c, "recovery", func(l *lane) (float64, string) { return s.worstRecovery(v, c, l) }),
		s.row(v, c, "acked", func(l *lane) (float64, string) {
			n := l.acknowledged()
			return float64(n), s.num(n)
		}),
		s.auditRow(v, c),
	}
	f.Errors = s.errors(v, c, 4)
	return f
}

// row reads one figure of each team.
func (s speech) row(v *View, c *campaign, key string, read func(*lane) (float64, string)) figureRow {
	r := figureRow{Title: s.t(key)}
	most := 0.0
	var values []float64
	for i, team := range v.teams {
		value, text := read(c.lane(team.ID))
		values = append(values, value)
		most = max(most, value)
		r.Cells = append(r.Cells, figureCell{Team: team.Name, Colour: colourOf(team.Colour), Pos: position(i), Text: text})
	}
	for i := range r.Cells {
		if most > 0 {
			r.Cells[i].Width = 100 * values[i] / most
		}
	}
	return r
}

// lost is all good-seconds that a team lost under load so far.
func (c *campaign) lost(l *lane) float64 {
	return c.loss(l, &band{Window: journal.Window{Length: journal.Of(c.span())}}, 1).seconds
}

// worstRecovery is the longest way back after a fault or a redeployment; one
// that is not back yet counts for as long as it has lasted.
func (s speech) worstRecovery(v *View, c *campaign, l *lane) (float64, string) {
	worst, text := time.Duration(-1), "–"
	for _, b := range c.bands {
		lost := c.loss(l, b, v.scale())
		back, spelled := lost.back, span(lost.back)
		if !lost.recovered {
			back = max(0, time.Duration(len(l.seconds))*time.Second-b.From.Duration())
			spelled = ">\u202f" + span(back)
		}
		if back > worst {
			worst, text = back, spelled
		}
	}
	return max(0, worst.Seconds()), text
}

// acknowledged counts objects once the ledger is closed, and acknowledgements
// before.
func (l *lane) acknowledged() int {
	if l.ledger != nil {
		return l.ledger.Acknowledged
	}
	return l.acked
}

// wrong is how many acknowledged objects did not come back as they were put.
func (l *lane) wrong() int {
	if l.audit == nil {
		return 0
	}
	return l.audit.Lost + l.audit.Stale + l.audit.Corrupt
}

// auditRow is what the audit found: nothing is claimed before it has begun.
func (s speech) auditRow(v *View, c *campaign) figureRow {
	r := s.row(v, c, "wrong", func(l *lane) (float64, string) {
		if l.audit == nil {
			return 0, "–"
		}
		return float64(l.wrong()), s.num(l.wrong())
	})
	checked, all, done := 0, 0, true
	for i, team := range v.teams {
		l := c.lane(team.ID)
		if l.audit == nil {
			done = false
			continue
		}
		checked, all, done = checked+l.audit.Checked, all+l.audit.Acknowledged, done && l.audit.Done
		switch {
		case l.wrong() > 0:
			r.Cells[i].Class = "cor"
		case l.audit.Done:
			r.Cells[i].Class = "ok"
		}
	}
	switch {
	case all == 0 && !done:
		r.Hint = s.t("unaudited")
	case !done && all > 0:
		r.Hint = s.t("audited", s.percent(float64(checked)/float64(all)))
	}
	return r
}

// errors are the most frequent kinds.
func (s speech) errors(v *View, c *campaign, most int) []errorRow {
	total := map[string]int{}
	for _, team := range v.teams {
		for kind, n := range c.lane(team.ID).errors {
			total[kind] += n
		}
	}
	var kinds []string
	for kind, n := range total {
		if n > 0 {
			kinds = append(kinds, kind)
		}
	}
	slices.SortFunc(kinds, func(a, b string) int { return cmp.Or(cmp.Compare(total[b], total[a]), cmp.Compare(a, b)) })
	var rows []errorRow
	for _, kind := range kinds[:min(most, len(kinds))] {
		row := errorRow{Kind: s.errorKind(kind)}
		for _, team := range v.teams {
			row.Counts = append(row.Counts, s.num(c.lane(team.ID).errors[kind]))
		}
		rows = append(rows, row)
	}
	return rows
}

// errorKind names a kind of error; one that has no name here says its own.
func (s speech) errorKind(kind string) string {
	key := "error." + kind
	if words[s.Lang][key] == "" {
		return kind
	}
	return s.t(key)
}
