// Package audit reads again, after the load and the faults, every object that
// a platform has acknowledged.
package audit

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"bogops/validator/journal"
	"bogops/validator/ledger"
	"bogops/validator/load"
	"bogops/validator/target"
)

// Config is one team's audit.
type Config struct {
	Campaign string
	Team     string
	Target   target.Target
	Ledger   *ledger.Ledger
	Plan     *load.Plan    // whose content the objects are
	Rate     float64       // objects a second; 0: 100
	Tries    int           // before an object is lost; 0: 3
	Window   time.Duration // from the first try of all to the last; 10 minutes on the day

	// Progress is called about once a second while objects are read.
	Progress func(journal.Audit) error

	// Witness reports whether the witness answers. While it does not, a platform
	// that does not answer either is not blamed. Nil: there is no witness.
	Witness func() bool
}

// inFlight bounds the reads that wait for an answer.
const inFlight = 64

// maxFindings is how many findings the journal's line carries.
const maxFindings = 100

func (c Config) normal() (Config, error) {
	switch {
	case c.Ledger == nil:
		return c, errors.New("audit: no ledger was given")
	case c.Plan == nil:
		return c, errors.New("audit: no plan was given")
	case c.Target.URL == nil:
		return c, errors.New("audit: the target has no URL")
	}
	if c.Rate <= 0 {
		c.Rate = 100
	}
	if c.Tries <= 0 {
		c.Tries = 3
	}
	if c.Progress == nil {
		c.Progress = func(journal.Audit) error { return nil }
	}
	if c.Witness == nil {
		c.Witness = func() bool { return true }
	}
	return c, nil
}

// Run reads every acknowledged object at a fixed rate, in an order that the
// seed draws. What does not come back is tried again, up to Tries times spread
// over Window, before it is lost; a wrong answer is not asked for twice. The
// result has Done set. An error is the judge's own.
func Run(ctx context.Context, c Config) (journal.Audit, error) {
	c, err := c.normal()
	if err != nil {
		return journal.Audit{}, err
	}
	keys := c.Ledger.Acknowledged()
	c.Plan.Shuffle(keys)
	transport := c.Target.Transport()
	defer transport.CloseIdleConnections()
	a := &audit{
		Config: c, transport: transport, told: time.Now(),
		total: journal.Audit{Campaign: c.Campaign, Team: c.Team, Acknowledged: len(keys)},
	}
	left := make([]*object, 0, len(keys))
	for _, key := range keys {
		left = append(left, &object{key: key})
	}
	start := time.Now()
	for try := 1; try <= c.Tries && len(left) > 0; try++ {
		if try > 1 && !sleepUntil(ctx, start.Add(c.Window*time.Duration(try-1)/time.Duration(c.Tries-1))) {
			break
		}
		if left, err = a.pass(ctx, left, try == c.Tries); err != nil {
			return a.sofar(), err
		}
	}
	total := a.sofar()
	total.Done = ctx.Err() == nil
	return total, ctx.Err()
}

// audit is one Run under way.
type audit struct {
	Config
	transport *http.Transport
	told      time.Time

	mu    sync.Mutex
	total journal.Audit

	asking  sync.Mutex
	asked   time.Time
	answers bool // the witness, when it was asked
}

// object is one acknowledged object on its way to a class.
type object struct {
	key   string
	tries []try
}

// pass tries every object once and returns those that need another try.
func (a *audit) pass(ctx context.Context, objects []*object, last bool) ([]*object, error) {
	var reads sync.WaitGroup
	defer reads.Wait()
	places := make(chan struct{}, inFlight)
	start := time.Now()
	for i, o := range objects {
		due := start.Add(time.Duration(float64(i) / a.Rate * float64(time.Second)))
		if !sleepUntil(ctx, due) {
			return nil, ctx.Err()
		}
		select {
		case places <- struct{}{}:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		reads.Go(func() {
			defer func() { <-places }()
			o.tries = append(o.tries, a.read(ctx, o.key))
			if ctx.Err() == nil {
				a.settle(o, last)
			}
		})
		if err := a.tell(); err != nil {
			return nil, fmt.Errorf("audit: %w", err)
		}
	}
	reads.Wait()
	var again []*object
	for _, o := range objects {
		if o.class(last) == "" {
			again = append(again, o)
		}
	}
	return again, ctx.Err()
}

// settle counts an object whose class is known.
func (a *audit) settle(o *object, last bool) {
	class := o.class(last)
	if class == "" {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.total.Checked++
	switch class {
	case classOK:
		a.total.OK++
		return
	case classStale:
		a.total.Stale++
	case classLost:
		a.total.Lost++
	case classCorrupt:
		a.total.Corrupt++
	case classUnreachable:
		a.total.Unreachable++
	case classInconclusive:
		a.total.Inconclusive++
		return // no finding: it is ours
	}
	if len(a.total.Findings) < maxFindings {
		a.total.Findings = append(a.total.Findings, journal.Finding{
			Key: o.key, Class: class, Got: o.tries[len(o.tries)-1].got, Want: a.want(o.key), Tries: len(o.tries),
		})
	}
}

// want says which version is acknowledged, and never which bytes.
func (a *audit) want(key string) string {
	text := ""
	for i, v := range a.Ledger.Lawful(key) {
		if i > 0 {
			text += ", or "
		}
		if v.Number == 0 {
			text += "no object"
		} else {
			text += fmt.Sprintf("version %d, %d bytes", v.Number, v.Size)
		}
	}
	return text
}

func (a *audit) sofar() journal.Audit {
	a.mu.Lock()
	defer a.mu.Unlock()
	total := a.total
	total.Findings = append([]journal.Finding(nil), total.Findings...)
	return total
}

// tell passes progress on, once a second.
func (a *audit) tell() error {
	if time.Since(a.told) < time.Second {
		return nil
	}
	a.told = time.Now()
	return a.Progress(a.sofar())
}

func sleepUntil(ctx context.Context, t time.Time) bool {
	timer := time.NewTimer(time.Until(t))
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
