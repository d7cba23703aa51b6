package day

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"bogops/validator/journal"
	"bogops/validator/probe"
	"bogops/validator/verdict"
)

// ticks runs every check on every team, once a tick, until ctx ends. A tick
// that takes longer than its time delays the next one; none is skipped over.
func (d *day) ticks(ctx context.Context, last int) error {
	if err := d.until(ctx, d.Contest.Start); err != nil {
		return nil
	}
	alarm := alarm{}
	for n := last + 1; ; n++ {
		began := d.Now()
		verdicts := d.tick(ctx, n)
		if ctx.Err() != nil {
			return nil // half a tick proves nothing
		}
		if err := d.record(n, verdicts, &alarm, began); err != nil {
			return err
		}
		if d.until(ctx, began.Add(d.Contest.Judge.Tick)) != nil {
			return nil
		}
	}
}

// smeared is the part of a tick over which launches are spread, so that a
// platform cannot tell the judge by a burst.
const smeared = 0.6

// tick returns the verdicts in the order of teams and checks. All teams get
// the same check at the same moment; the order of checks changes every tick.
func (d *day) tick(ctx context.Context, n int) []journal.Verdict {
	order := rand.New(rand.NewPCG(uint64(n), d.salt)).Perm(len(d.Probes))
	step := time.Duration(float64(d.Contest.Judge.Tick) * smeared / float64(max(1, len(d.Probes))))
	verdicts := make([]journal.Verdict, len(d.Teams)*len(d.Probes))
	var all sync.WaitGroup
	began := d.Now()
	for i, p := range order {
		if d.until(ctx, began.Add(time.Duration(i)*step)) != nil {
			break
		}
		for t := range d.Teams {
			all.Go(func() {
				v := probe.Run(ctx, d.Probes[p], d.Teams[t].Target, d.Env)
				v.Tick, v.Team = n, d.Teams[t].ID
				verdicts[t*len(d.Probes)+p] = v
			})
		}
	}
	all.Wait()
	return verdicts
}

// record writes a tick's verdicts, then what the witness annuls of them.
func (d *day) record(n int, verdicts []journal.Verdict, alarm *alarm, began time.Time) error {
	for _, v := range verdicts {
		if _, err := d.Journal.Append(journal.KindVerdict, v); err != nil {
			return err
		}
	}
	voids := d.witnessVoids(n, verdicts, began)
	for _, v := range voids {
		if _, err := d.Journal.Append(journal.KindVoid, v); err != nil {
			return err
		}
	}
	health := alarm.health(len(voids), d.Now().Sub(began), d.pace.lag())
	_, err := d.Journal.Append(journal.KindHealth, health)
	return err
}

// witnessVoids annuls a check for all teams when the witness, which is known
// to be right, was DOWN in it: then it is the judge's network that failed.
// Inside a fault window the witness is broken on purpose.
func (d *day) witnessVoids(n int, verdicts []journal.Verdict, began time.Time) []journal.Void {
	if d.pace.inWindow(began) || d.pace.inWindow(d.Now()) {
		return nil
	}
	var voids []journal.Void
	for i, v := range verdicts {
		if d.Teams[i/len(d.Probes)].Witness && silent(v) {
			voids = append(voids, journal.Void{
				Tick: n, Check: v.Check, Author: "judge",
				Reason: fmt.Sprintf("the witness did not answer in the same tick: %s", v.Message),
			})
		}
	}
	return voids
}

// silent says that a check met no answer: DOWN, or NOT_CHECKED where nothing
// could tell whose fault the silence was. Of Concourse NOT_CHECKED says that
// builds and redeployments of this one platform have not ended: nothing that
// concerns the others.
func silent(v journal.Verdict) bool {
	return v.Status == verdict.Down || v.Status == verdict.NotChecked && v.Brick != "concourse"
}

// alarm counts the ticks running in which the witness annulled something.
type alarm struct{ running int }

// health sums a tick up for the head of the wall.
func (a *alarm) health(voids int, took time.Duration, lag time.Duration) journal.Health {
	h := journal.Health{OK: true, Witness: "ok", Lag: journal.Of(lag), Text: fmt.Sprintf("last tick took %.1f s", took.Seconds())}
	if voids == 0 {
		a.running = 0
	} else {
		a.running++
		h.Witness = fmt.Sprintf("did not answer %d checks, nobody loses", voids)
	}
	h.OK = a.running < 2
	return h
}
