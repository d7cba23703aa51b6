package board

import (
	"fmt"
	"io"

	"bogops/validator/journal"
	"bogops/validator/score"
)

// report is the whole day on one page.
type report struct {
	Lang, Title, Contest string
	CSS                  string
	Rehearsal            bool
	Score                score.Result
	Ranking              []score.Team
	Seed, SeedHash, Head string
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
	result, err := score.Of(entries)
	if err != nil {
		return fmt.Errorf("board: report: %w", err)
	}
	a, err := newArtist(newSpeech(v.opened.Locale, v.opened.Timezone))
	if err != nil {
		return err
	}
	r := report{
		Lang: a.Lang, Title: v.opened.Title, Contest: v.opened.Contest, Rehearsal: v.opened.Rehearsal,
		Score: result, Ranking: result.Ranking(), SeedHash: v.opened.SeedHash, Head: v.head.Hash,
	}
	if v.closed != nil {
		r.Seed = v.closed.Seed
	}
	html, err := a.draw("report", r)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(w, string(html)); err != nil {
		return fmt.Errorf("board: report: %w", err)
	}
	return nil
}
