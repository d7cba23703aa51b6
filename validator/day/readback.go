package day

import (
	"context"
	"fmt"

	"bogops/validator/journal"
	"bogops/validator/readback"
)

// readBack reads a sample of what the team acknowledged inside its Ceph: the
// share that is found there weighs on the campaign's points.
func (d *day) readBack(ctx context.Context, c *Campaign, team Team) error {
	told, samples, err := readback.Run(ctx, readback.Config{
		Campaign: c.ID, Team: team.ID, Target: team.Target, Ceph: d.Env.Ceph[team.ID],
		Ledger: c.Ledgers[team.ID], Plan: c.Plan, Window: d.scaled(auditWindow),
	})
	if err != nil {
		return err
	}
	if d.Env.Evidence != nil {
		// A disk that takes no evidence is the judge's trouble, and changes no figure.
		if told.Evidence, err = d.Env.Evidence.Put(samples); err != nil {
			d.Progress(fmt.Sprintf("%s: no evidence of what was read in Ceph: %v", team.ID, err))
		}
	}
	d.Progress(fmt.Sprintf("%s: %d of %d sampled objects were read in Ceph, %d are the judge's own fault", team.ID, told.Proven, told.Sampled, told.Void))
	_, err = d.Journal.Append(journal.KindReadback, told)
	return err
}

// inPlay says whether a brick counts in this contest.
func (d *day) inPlay(brick string) bool {
	for _, b := range d.Contest.Bricks {
		if b.ID == brick {
			return b.InPlay
		}
	}
	return false
}
