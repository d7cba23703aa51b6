package rehearse

import (
	"fmt"
	"os"
	"path/filepath"

	"bogops/validator/board"
	"bogops/validator/journal"
	"bogops/validator/score"
)

// finish writes the report, prints the podium and holds the day against what
// a rehearsal must show.
func (r *rehearsal) finish() error {
	path := filepath.Join(r.Out, "journal.jsonl")
	entries, err := journal.Read(path)
	if err != nil {
		return err
	}
	result, err := score.Of(entries)
	if err != nil {
		return err
	}
	if err := r.report(entries); err != nil {
		return err
	}
	r.podium(result)
	failed := 0
	for _, e := range r.expectations(entries, result) {
		mark := "ok  "
		if e.err != nil {
			mark, failed = "FAIL", failed+1
			r.say("%s %s: %v", mark, e.sentence, e.err)
			continue
		}
		r.say("%s %s", mark, e.sentence)
	}
	r.say("Report:  %s", filepath.Join(r.Out, "report.html"))
	r.say("Replay:  %s replay %s --head %s", r.Self, path, r.journal.Head())
	r.say("Explain: %s score %s --explain %s", r.Self, path, robbed)
	if failed > 0 {
		return fmt.Errorf("%w: %d of its expectations failed", ErrUnexpected, failed)
	}
	return nil
}

func (r *rehearsal) report(entries []journal.Entry) error {
	file, err := os.Create(filepath.Join(r.Out, "report.html"))
	if err != nil {
		return err
	}
	if err := board.WriteReport(file, entries); err != nil {
		file.Close()
		return err
	}
	return file.Close()
}

// podium prints the ranking; the witness is unranked.
func (r *rehearsal) podium(result score.Result) {
	place := 0
	for _, team := range result.Ranking() {
		place++
		r.say("%d. %-10s %6.1f points of 1,000 (coverage %.0f %%)", place, r.cast.member(team.ID).team.Name, team.Total, 100*team.Coverage)
	}
	if r.lost.key != "" {
		r.say("The rehearsal itself removed %s of the %s %s.", r.lost.key, r.cast.member(r.lost.team).team.Name, r.cast.scene())
	}
}
