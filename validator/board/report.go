package board

import (
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"

	"bogops/validator/journal"
	"bogops/validator/score"
)

// report is the whole day on one page.
type report struct {
	Lang, Title, Contest, When string
	Rehearsal                  bool
	CSS                        template.CSS
	Podium                     podium
	Sums                       sums
	Rows                       []reportRow
	Campaigns                  []reportCampaign
	Trees                      []tree
	Events                     []line
	Provisional                bool
}

// reportRow is one brick of all teams as the day left it.
type reportRow struct {
	Spine spine
	Tiles []face
}

// reportCampaign is one campaign's chart and figures, and what struck it.
type reportCampaign struct {
	Title   string
	Chart   chart
	Figures figures
	Strikes []strikeFace
}

// strikeFace is a fault or a redeployment of one team.
type strikeFace struct {
	Icon, Time, Title   string
	Team, Colour, Shape string
	State, Cost, Detail string
	Way                 []wayStep
}

// tree is every point of one team.
type tree struct {
	Team, Colour, Shape string
	Total, Coverage     string
	Parts               []score.Node
}

// WriteReport writes the day as one HTML file that needs nothing else: it
// opens offline, loads nothing and runs no script. entries is a whole journal;
// one that is not closed yet gives the report of the day so far.
func WriteReport(w io.Writer, entries []journal.Entry) error {
	v := NewView(newScorer())
	for _, e := range entries {
		if err := v.Add(e); err != nil {
			return fmt.Errorf("board: report: line %d: %w", e.Seq, err)
		}
	}
	if v.head.Seq == 0 {
		return fmt.Errorf("board: report: got a journal without a line, want one that begins with %q", journal.KindOpened)
	}
	v.frozen = nil // whoever has the journal can compute the score
	result, err := score.Of(entries)
	if err != nil {
		return fmt.Errorf("board: report: %w", err)
	}
	a, err := newArtist(newSpeech(v.opened.Locale, v.opened.Timezone))
	if err != nil {
		return err
	}
	css, err := inlined()
	if err != nil {
		return err
	}
	html, err := a.draw("report", a.report(v, result, css))
	if err != nil {
		return err
	}
	if _, err := io.WriteString(w, string(html)); err != nil {
		return fmt.Errorf("board: report: %w", err)
	}
	return nil
}

// inlined is the style sheet with its font inside.
func inlined() (template.CSS, error) {
	css, err := styleSheet(files, reportSheets)
	if err != nil {
		return "", err
	}
	font, err := files.ReadFile("assets/inter.woff2")
	if err != nil {
		return "", fmt.Errorf("board: %w", err)
	}
	data := "data:font/woff2;base64," + base64.StdEncoding.EncodeToString(font)
	return template.CSS(strings.Replace(string(css), "/assets/inter.woff2", data, 1)), nil
}

func (s speech) report(v *View, result score.Result, css template.CSS) report {
	standings := v.standings()
	r := report{
		Lang: s.Lang, Title: v.opened.Title, Contest: v.opened.Contest, When: v.opened.Start.In(s.zone).Format("2006-01-02"), Rehearsal: v.opened.Rehearsal,
		CSS: css, Podium: s.podium(v, standings), Sums: s.sums(v, standings), Events: s.ticker(v, kept),
	}
	r.Sums.Findings, r.Sums.More = s.findings(v, 200)
	for i := range r.Sums.Findings {
		r.Sums.Findings[i].Evidence = "" // a link would lead nowhere offline
	}
	for i := range v.opened.Rules.Bricks {
		row := reportRow{Spine: s.spine(v, i)}
		for n, team := range v.teams {
			f := s.face(team, team.tiles[i], position(n), v.length())
			f.Evidence = ""
			row.Tiles = append(row.Tiles, f)
		}
		r.Rows = append(r.Rows, row)
	}
	for _, c := range v.campaigns {
		r.Campaigns = append(r.Campaigns, reportCampaign{c.Title, s.chart(v, c), s.figures(v, c), s.strikes(v, c)})
	}
	for _, t := range result.Ranking() {
		team := v.side(t.ID)
		r.Trees = append(r.Trees, tree{team.Name, colourOf(team.Colour), shapeOf(team.Shape), s.decimal(t.Total, 3), s.percent(t.Coverage), t.Parts})
	}
	return r
}

// strikes lists what struck each team, and what it cost.
func (s speech) strikes(v *View, c *campaign) []strikeFace {
	var faces []strikeFace
	for _, b := range c.bands {
		for _, team := range v.teams {
			state, struck := b.teams[team.ID]
			if !struck {
				continue
			}
			f := strikeFace{
				Icon: "i-kill", Time: s.clock(b.at), Title: b.Title, Team: team.Name, Colour: colourOf(team.Colour), Shape: shapeOf(team.Shape),
				State: state, Detail: b.notes[team.ID],
			}
			note := s.noteFace(v, newAxis(c), b, team, c.lane(team.ID))
			f.Cost = note.Lost + note.Back
			if b.Kind == "redeploy" {
				f.Icon, f.Way = "i-redo", s.waySteps(b.ways[team.ID])
				if took := b.took[team.ID]; took > 0 {
					f.Cost += ", " + s.t("live.in", span(took))
				}
			}
			faces = append(faces, f)
		}
	}
	return faces
}
