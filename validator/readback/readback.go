// Package readback reads a sample of the acknowledged objects of a campaign
// where the contest wants them to be, in Ceph: that the API serves them again is
// the audit's business, and says nothing of where they lie.
package readback

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"bogops/validator/ceph"
	"bogops/validator/evidence"
	"bogops/validator/journal"
	"bogops/validator/ledger"
	"bogops/validator/load"
	"bogops/validator/target"
	"bogops/validator/verdict"
)

// DefaultSample is how many objects are read of each team: the share that is
// found is off by more than 7 % in one of twenty campaigns.
const DefaultSample = 200

// Config is one team's read-back.
type Config struct {
	Campaign string
	Team     string
	Target   target.Target
	Ceph     *ceph.Cluster // nil: the team gave no way into it
	Ledger   *ledger.Ledger
	Plan     *load.Plan    // whose content the objects are, and whose seed draws them
	Sample   int           // objects; 0: DefaultSample
	Window   time.Duration // how long the platform may take to be home, and how long the reading may; 10 minutes on the day
}

// Sample is what became of one object, as evidence.
type Sample struct {
	Key    string         `json:"key"`
	Status verdict.Status `json:"status"` // OK: proven; JUDGE_ERROR: leaves the sample
	Why    string         `json:"why,omitempty"`
	Claim  ceph.Claim     `json:"claim"`
	Found  string         `json:"found,omitempty"`
}

// readers is how many objects are read at the same time, and patience how long
// one may take.
const (
	readers  = 8
	patience = 30 * time.Second
)

// Run waits until the platform says that its store is the primary one, at most
// for c.Window, and then reads the sample in Ceph. What it was told by then
// counts: a platform that is still on S3 is not shown to be in Ceph. Objects
// that were not begun when c.Window has passed once more are no part of the
// sample. An error is the judge's own.
func Run(ctx context.Context, c Config) (journal.Readback, []Sample, error) {
	if c.Ledger == nil || c.Plan == nil || c.Target.URL == nil {
		return journal.Readback{}, nil, errors.New("readback: want a ledger, a plan and a target")
	}
	if c.Ceph == nil {
		c.Ceph = ceph.Nowhere()
	}
	if c.Sample <= 0 {
		c.Sample = DefaultSample
	}
	keys := c.Ledger.Acknowledged()
	c.Plan.Shuffle(keys)
	keys = keys[:min(len(keys), c.Sample)]
	r := &reading{Config: c, client: target.NewClient(c.Target)}
	defer r.client.Close()
	if len(keys) > 0 {
		over := time.Now().Add(c.Window)
		r.awaitHome(ctx)
		r.identify(ctx, max(time.Until(over), patience))
	}
	samples := r.read(ctx, keys)
	return r.sum(samples), samples, ctx.Err()
}

// reading is one Run under way.
type reading struct {
	Config
	client *target.Client
	fsid   string
	blind  error // why the monitors could not be asked
}

// identify asks the monitors which cluster this is, until they say so or within
// has passed: all of the sample rests on the answer, and a cluster that has just
// lost a monitor may owe it for some seconds.
func (r *reading) identify(ctx context.Context, within time.Duration) {
	asking, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	for {
		health, err := r.Ceph.Health(asking)
		if err == nil || final(err) || !pause(asking, betweenAsks) {
			r.fsid, r.blind = health.FSID, ceph.Settle(ctx, r.Target, err, "monitors that say which cluster this is")
			return
		}
	}
}

// betweenAsks is between two questions to monitors that gave no answer.
const betweenAsks = 500 * time.Millisecond

// final says that asking again cannot give another answer.
func final(err error) bool {
	return errors.Is(err, ceph.ErrNoWay) || errors.Is(err, ceph.ErrDenied) || errors.Is(err, ceph.ErrBuild)
}

// pause waits, and returns false once ctx has ended.
func pause(ctx context.Context, length time.Duration) bool {
	timer := time.NewTimer(length)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// read returns the samples that were begun in time, in the order of the keys.
func (r *reading) read(ctx context.Context, keys []string) []Sample {
	samples := make([]Sample, len(keys))
	places := make(chan struct{}, readers)
	over := time.Now().Add(max(r.Window, patience))
	var all sync.WaitGroup
	begun := 0
	for i, key := range keys {
		places <- struct{}{}
		if ctx.Err() != nil || time.Now().After(over) {
			break
		}
		begun++
		all.Go(func() {
			defer func() { <-places }()
			samples[i] = r.sample(ctx, key)
		})
	}
	all.Wait()
	return samples[:begun]
}

// sample is tried twice: a platform may move an object between telling where it
// is and the judge's look.
func (r *reading) sample(ctx context.Context, key string) Sample {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	s := r.look(ctx, key)
	if s.Status != verdict.OK && s.Status != verdict.JudgeError && r.blind == nil {
		s = r.look(ctx, key)
	}
	return s
}

func (r *reading) sum(samples []Sample) journal.Readback {
	redactor := &evidence.Redactor{}
	redactor.Add(r.Target.Token, r.Target.ReaderToken)
	redactor.Add(r.Ceph.Secrets...)
	told := journal.Readback{Campaign: r.Campaign, Team: r.Team, Sampled: len(samples)}
	var reasons []string
	for i, s := range samples {
		samples[i].Why = redactor.String(s.Why)
		samples[i].Claim.Pieces = s.Claim.Pieces[:min(len(s.Claim.Pieces), maxKept)]
		switch s.Status {
		case verdict.OK:
			told.Proven++
			continue
		case verdict.JudgeError:
			told.Void++
		}
		if len(reasons) < maxReasons {
			reasons = append(reasons, fmt.Sprintf("%s: %s", s.Key, samples[i].Why))
		}
	}
	told.Detail = strings.Join(reasons, "; ")
	return told
}

// maxKept is how many pieces of an object the evidence names: a team could tell
// of 65,536 for each.
const maxKept = 64

// maxReasons is how many failures the journal's line tells of; the evidence has
// all.
const maxReasons = 3
