// Package day runs one day of judging by the clock: checks every tick, load
// campaigns with faults and redeployments inside them, the audit after each.
// All it learns goes to the journal; it computes no points.
package day

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"bogops/validator/chaos"
	"bogops/validator/contest"
	"bogops/validator/journal"
	"bogops/validator/probe"
	"bogops/validator/redeploy"
	"bogops/validator/target"
)

// Config is what a day needs. The zero values of Dir, Progress and the maps
// are not usable; everything is read only once Run has begun.
type Config struct {
	Contest  *contest.Contest
	Journal  *journal.Journal
	Teams    []Team // in the order of the contest file
	Probes   []probe.Probe
	Env      probe.Env
	Dir      string           // where ledgers are written
	Now      func() time.Time // the wall clock
	Progress func(string)     // one line for people at a terminal
	MaxLag   time.Duration    // own lag over which a second is inconclusive; 0: as the load has it

	// LoadStarted is called when a campaign begins, in a goroutine that the
	// day waits for. Nil: nothing. A rehearsal uses it to play the villain.
	LoadStarted func(ctx context.Context, campaign *Campaign) error
	// Epilogue is what a rehearsal confesses before the podium. Nil: nothing.
	Epilogue func() []journal.Note
}

// Team is one contestant with what the judge may do to it.
type Team struct {
	contest.Team
	Target  target.Target
	Actions map[string]chaos.Action    // by kind of fault
	Deploys map[string]redeploy.Deploy // by job
	// Desk redeploys between the campaigns, for a check that is made every tick:
	// the day holds it while one is on. Nil: none.
	Desk *redeploy.Desk
}

// day is one running day.
type day struct {
	Config
	pace pace   // what the ticks need to know of the campaigns
	salt uint64 // of the order of checks, from the seed
}

// Run judges until the contest's end and the last audit, or until ctx ends.
// A journal that already holds a part of the day is gone on with: ticks keep
// counting and campaigns that were finished are not run again.
func Run(ctx context.Context, cfg Config) error {
	seed := sha256.Sum256([]byte("order of checks\x00" + string(cfg.Contest.Seed)))
	d := &day{Config: cfg, salt: binary.BigEndian.Uint64(seed[:])}
	past, err := recall(cfg.Journal.Entries())
	if err != nil {
		return err
	}
	if past.closed {
		return errors.New("this journal is closed: its day is over")
	}
	d.holdNow(past)
	ticking, stopTicks := context.WithCancel(ctx)
	defer stopTicks()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return d.ticks(ticking, past.tick) })
	group.Go(func() error {
		defer stopTicks()
		return d.schedule(ctx, past)
	})
	if err := group.Wait(); err != nil {
		return err
	}
	return d.close()
}

// schedule plays the campaigns in order and waits for the end.
func (d *day) schedule(ctx context.Context, past past) error {
	for _, c := range d.Contest.Campaigns {
		if past.audited[c.ID] {
			continue
		}
		if err := d.phase("build", "Build", c.At, "first load"); err != nil {
			return err
		}
		if err := d.campaign(ctx, c, past); err != nil {
			return fmt.Errorf("campaign %s: %w", c.ID, err)
		}
	}
	if len(d.Contest.Campaigns) == 0 {
		if err := d.phase("build", "Build", d.Contest.End, "end"); err != nil {
			return err
		}
	}
	return d.until(ctx, d.Contest.End)
}

// close ends the day: podium, and the seed for everyone to recompute the plan.
func (d *day) close() error {
	if d.Epilogue != nil {
		for _, note := range d.Epilogue() {
			if _, err := d.Journal.Append(journal.KindNote, note); err != nil {
				return err
			}
		}
	}
	if err := d.phase("podium", "Podium", time.Time{}, ""); err != nil {
		return err
	}
	_, err := d.Journal.Append(journal.KindClosed, journal.Closed{
		Seed: string(d.Contest.Seed), Text: "The day is over; the seed is public and every plan can be recomputed.",
	})
	return err
}

func (d *day) phase(name, title string, ends time.Time, next string) error {
	event := journal.Phase{Name: name, Title: title, Next: next}
	if !ends.IsZero() {
		ends = ends.UTC()
		event.EndsAt = &ends
	}
	_, err := d.Journal.Append(journal.KindPhase, event)
	d.Progress(fmt.Sprintf("%s%s", title, countdown(d.Now(), ends)))
	return err
}

func countdown(now, ends time.Time) string {
	if ends.IsZero() {
		return ""
	}
	return fmt.Sprintf(", %s to go", max(0, ends.Sub(now)).Round(time.Second))
}

// until waits for a moment of the wall clock.
func (d *day) until(ctx context.Context, at time.Time) error {
	timer := time.NewTimer(at.Sub(d.Now()))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// scaled is a duration of the real day in this contest's time.
func (d *day) scaled(real time.Duration) time.Duration {
	return time.Duration(float64(real) * d.Contest.Judge.TimeScale)
}
