package day

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"bogops/validator/audit"
	"bogops/validator/journal"
	"bogops/validator/redeploy"
	"bogops/validator/target"
	"bogops/validator/verdict"
)

// auditWindow is how long an object may take to come back before it is lost,
// on the real day; auditTries is how often it is asked for in that time.
const (
	auditWindow = 10 * time.Minute
	auditTries  = 3
)

// auditRate is how many objects a second are re-read from each team.
const auditRate = 200

// audits re-reads every acknowledged object of every team, all at once.
func (d *day) audits(ctx context.Context, c *Campaign) error {
	if err := d.phase("audit", "Audit of campaign "+c.ID, d.Now().Add(d.scaled(auditWindow)), "audit ends"); err != nil {
		return err
	}
	for _, team := range d.Teams {
		l := c.Ledgers[team.ID]
		sum, err := l.Sum()
		if err != nil {
			return err
		}
		event := journal.Ledger{
			Campaign: c.ID, Team: team.ID, File: filepath.Base(l.Path()), SHA256: sum,
			Acknowledged: len(l.Acknowledged()), Maybe: l.Maybe(),
		}
		if _, err := d.Journal.Append(journal.KindLedger, event); err != nil {
			return err
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, team := range d.Teams {
		group.Go(func() error { return d.audit(ctx, c, team) })
	}
	return group.Wait()
}

// audit asks the platform for every acknowledged object, and meanwhile Ceph for
// a sample of them. The audit's last line comes after what was read in Ceph: a
// judge that crashes between the two does both again.
func (d *day) audit(ctx context.Context, c *Campaign, team Team) error {
	var result journal.Audit
	group, reading := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		result, err = d.reread(reading, c, team)
		return err
	})
	if d.inPlay("ceph") {
		group.Go(func() error { return d.readBack(reading, c, team) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	d.Progress(fmt.Sprintf("%s: %d of %d acknowledged objects are as they were put", team.ID, result.OK, result.Acknowledged))
	result.Done = true
	_, err := d.Journal.Append(journal.KindAudit, result)
	return err
}

func (d *day) reread(ctx context.Context, c *Campaign, team Team) (journal.Audit, error) {
	return audit.Run(ctx, audit.Config{
		Campaign: c.ID, Team: team.ID, Target: team.Target, Ledger: c.Ledgers[team.ID], Plan: c.Plan,
		Rate: auditRate, Tries: auditTries, Window: d.scaled(auditWindow), Witness: d.witnessOf(ctx, team),
		Progress: func(a journal.Audit) error {
			_, err := d.Journal.Append(journal.KindAudit, a)
			return err
		},
	})
}

// witnessOf asks the witness whether the judge's own network works, for a team
// that does not answer. Without one, and for the witness itself, the control
// target speaks; where there is none either, nobody does.
func (d *day) witnessOf(ctx context.Context, team Team) func() bool {
	for _, w := range d.Teams {
		if w.Witness && w.ID != team.ID {
			return func() bool {
				_, _, err := redeploy.Described(ctx, w.Target)
				return err == nil
			}
		}
	}
	if team.Target.Control == "" {
		return nil
	}
	silence := &target.Failure{Kind: target.TimedOut, What: "the audit"}
	return func() bool { return verdict.Of(team.Target.Settle(ctx, silence)) == verdict.Down }
}
