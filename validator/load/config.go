// Package load sends a fixed plan of requests to a platform and times each from
// the moment it was due, so that a stall is charged for the queue it caused.
// Every body is verified byte by byte.
package load

import (
	"context"
	"errors"
	"net"
	"time"

	"bogops/validator/journal"
	"bogops/validator/ledger"
	"bogops/validator/target"
)

// Config is one team's part in a campaign.
type Config struct {
	Plan     *Plan // the same for all teams
	Team     string
	Campaign string
	Target   target.Target
	T0       time.Time // the same for all teams
	Ledger   *ledger.Ledger

	MaxInFlight int           // requests that wait for an answer; 0: 512
	TimeScale   float64       // of the day; 0: 1
	First       int           // the first second to send, after a crash of the judge
	MaxLag      time.Duration // p99 of our own lag over which a second is inconclusive; 0: 10 ms
	MaxCPU      float64       // share of the cores that this process may use likewise; 0: 0.8
	Injector    Injector

	// Second is called once for every second of the plan, in order, when all of
	// its arrivals are settled. An error ends the run.
	Second func(journal.Load) error

	// What tests replace: how to connect, and what latency counts from.
	dial   func(ctx context.Context, network, address string) (net.Conn, error)
	origin func(due, sent time.Time) time.Time
}

// Injector is a share of the plan: the arrivals n with n mod Of = Index. The
// zero value is all of it.
type Injector struct{ Index, Of int }

func (i Injector) takes(n int) bool { return i.Of <= 1 || n%i.Of == i.Index }

// The limits of the real day, before TimeScale.
const (
	tooLate       = 5 * time.Second  // a request that would start later is not served
	consentEvery  = 10 * time.Second // how often the consent is looked at
	connectionAge = 60 * time.Second // give or take a fifth
)

// answerMax is the SLO of an operation that the campaign gives none.
const answerMax = 30 * time.Second

// normal checks the configuration and fills in its defaults.
func (c Config) normal() (Config, error) {
	switch {
	case c.Plan == nil:
		return c, errors.New("load: no plan was given")
	case c.Ledger == nil:
		return c, errors.New("load: no ledger was given")
	case c.Target.URL == nil:
		return c, errors.New("load: the target has no URL")
	}
	if c.MaxInFlight <= 0 {
		c.MaxInFlight = 512
	}
	if c.TimeScale <= 0 {
		c.TimeScale = 1
	}
	if c.MaxLag <= 0 {
		c.MaxLag = 10 * time.Millisecond
	}
	if c.MaxCPU <= 0 {
		c.MaxCPU = 0.8
	}
	if c.Second == nil {
		c.Second = func(journal.Load) error { return nil }
	}
	if c.dial == nil {
		c.dial = c.Target.Dial
	}
	if c.origin == nil {
		c.origin = func(due, _ time.Time) time.Time { return due }
	}
	return c, nil
}

func (c Config) scaled(d time.Duration) time.Duration {
	return time.Duration(float64(d) * c.TimeScale)
}

// max is the longest latency that is good, for op put or get.
func (c Config) max(op string) time.Duration {
	if slo := c.Plan.campaign.SLO[op]; slo.Max > 0 {
		return slo.Max
	}
	return answerMax
}
