package rollout

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// record is what a procedure knows of an instance beyond the present moment.
type record struct {
	release  Release
	launched bool      // by this procedure
	streak   int       // looks in a row that found it ready
	settled  bool      // it has been ready often enough, once
	serving  bool      // it was ready at the last look
	since    time.Time // from when it is not ready; zero while it is
	sick     bool
	leaving  bool      // this procedure sends it away
	asked    time.Time // since when it is to drain
	refused  error     // what came of it last
}

func (p *procedure) describe(outer context.Context) (State, error) {
	ctx, cancel := context.WithTimeout(outer, callWithin)
	defer cancel()
	s, err := p.fleet.Describe(ctx)
	if err != nil {
		return State{}, because(outer, fmt.Errorf("look at the fleet: %w", err))
	}
	if s.Size < 1 {
		return State{}, fmt.Errorf("look at the fleet: it wants %d instances; want at least 1", s.Size)
	}
	return s, nil
}

// see takes in what a description shows and returns what lives, as a decision
// towards want sees it, and who has gone that was not sent away.
func (p *procedure) see(s State, want *Release) (all []member, gone []string) {
	there := map[string]bool{}
	for _, i := range s.Instances {
		if i.Phase >= Draining {
			continue
		}
		there[i.ID] = true
		r := p.know(i)
		if before := r.settled; r.look(i.Ready, p.o.Looks) != before {
			p.told("%s is ready", i.ID)
		}
		right := want != nil && i.Release == *want
		// On the way back whoever serves counts, however new it is.
		ready := i.Ready && (r.settled || p.back && !right)
		all = append(all, member{id: i.ID, right: right, ready: ready, sick: r.sick && !ready})
	}
	for id, r := range p.known {
		if !there[id] && !r.leaving {
			gone = append(gone, id)
		}
	}
	return all, gone
}

// know remembers an instance. What is ready when it is first seen, and was not
// launched here, has been so for long enough.
func (p *procedure) know(i Instance) *record {
	r, known := p.known[i.ID]
	if !known {
		r = &record{release: i.Release, settled: i.Ready}
		p.known[i.ID] = r
	}
	return r
}

// look takes in whether it is ready now, and returns settled. One that was launched and has not been
// ready often enough in a row is on the time that it has for that, however often
// it has looked ready for a moment.
func (r *record) look(ready bool, looks int) (settled bool) {
	r.serving = ready
	if !ready {
		r.streak = 0
		if r.since.IsZero() {
			r.since = time.Now()
		}
		return r.settled
	}
	r.streak++
	if r.settled = r.settled || r.streak >= looks; r.settled {
		r.since = time.Time{}
	}
	return r.settled
}

// overdue is the first instance that has not been ready for longer than it may
// be, among those that anybody waits for.
func (p *procedure) overdue(all []member) (id string, within time.Duration, is bool) {
	for _, m := range all {
		r := p.known[m.id]
		within = p.o.OthersWithin
		if r.launched && !r.settled {
			within = p.o.ReadyWithin
		}
		if !m.ready && !m.sick && !r.since.IsZero() && time.Since(r.since) >= within {
			return m.id, within, true
		}
	}
	return "", 0, false
}

// about is what is known of an instance that went wrong: the reason, and
// what it said.
func (p *procedure) about(ctx context.Context, id string) string {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callWithin)
	defer cancel()
	i, err := p.fleet.Instance(ctx, id)
	if err != nil {
		return fmt.Sprintf("no reason is known: %v", err)
	}
	text := i.Reason
	switch {
	case text == "" && i.Ready:
		text = "it is ready now and then, and not often enough in a row"
	case text == "":
		text = "no reason is known"
	}
	if len(i.Log) > 0 {
		text += "\n  its log:\n    " + strings.Join(shortened(i.Log), "\n    ")
	}
	return text
}

// shortened leaves out the middle of a long log: what went wrong is often said
// at the beginning, and then what comes of it, over and over.
func shortened(log []string) []string {
	const first, last = 10, 6
	if len(log) <= first+last+1 {
		return log
	}
	return slices.Concat(log[:first], []string{"(…)"}, log[len(log)-last:])
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}
