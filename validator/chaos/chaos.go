// Package chaos breaks one thing of one team at a time, looks whether it
// really broke, and always puts it back.
package chaos

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"bogops/validator/journal"
)

// ErrRefused says that a platform has nothing that a fault could hit, or
// forbids what the contract obliges it to allow.
var ErrRefused = errors.New("the platform refuses the fault")

// Action is a way to break one team's platform. Its functions may be called
// from one goroutine at a time.
type Action struct {
	Kind  string // as in the contest file: kill-instance
	Title string // as on the wall: Instance killed

	// Resolve says what Do would hit, without touching it. An ErrRefused is
	// the team's: it has nothing of that kind, or forbids it. Any other error
	// is the judge's own, and costs nobody.
	Resolve func(ctx context.Context) (victim string, err error)
	// Do breaks it.
	Do func(ctx context.Context) error
	// Verify returns nil once the break can be seen from outside. A fault
	// that was not seen pays nobody and costs nobody.
	Verify func(ctx context.Context) error
	// Healed returns nil once the platform is whole again by itself.
	Healed func(ctx context.Context) error
	// Undo puts things back. It is idempotent and is called in any case; it
	// reports whether anything was left for it to do.
	Undo func(ctx context.Context) (acted bool, err error)

	// Stays says that the break lasts for the whole window, also once the
	// platform is healed: it lives without what is broken.
	Stays bool
	// Shows is how long the break may take to be seen; 0: 10 s.
	Shows time.Duration
	// Undoes is how long Undo may take; 0: 15 s.
	Undoes time.Duration
}

// Plan is one fault of the contest on one team.
type Plan struct {
	ID, Campaign, Team string
	Weight             float64
	Window             time.Duration // how long the platform may take to heal itself
}

// Journal is where the steps of a fault are written, each before it counts.
type Journal interface {
	Append(kind journal.Kind, payload any) (journal.Entry, error)
}

// verifyWithin bounds how long a fault may take to show, unless it says so itself.
const verifyWithin = 10 * time.Second

// undoWithin bounds a rollback, which runs also when the day is interrupted,
// unless the fault says so itself.
const undoWithin = 15 * time.Second

// Inject carries the action through its life: injected, verified or
// unverified, then healed (by the platform itself) or rolled-back (by us). It
// returns when that is settled; the rollback runs also when ctx ends early. One
// that fails is told in the journal and is no error: one team's platform that
// cannot be put back must not end the day of all.
func Inject(ctx context.Context, j Journal, action Action, plan Plan, now func() time.Time) (err error) {
	say := func(state, detail string) error {
		_, err := j.Append(journal.KindFault, journal.Fault{
			ID: plan.ID, Campaign: plan.Campaign, Team: plan.Team, Kind: action.Kind, Title: action.Title,
			State: state, At: now().UTC(), Weight: plan.Weight, Detail: detail,
		})
		return err
	}
	victim, err := action.Resolve(ctx)
	switch {
	case ctx.Err() != nil:
		return ctx.Err() // nothing was touched, and nobody refused anything
	case errors.Is(err, ErrRefused):
		return say("refused", err.Error())
	case err != nil:
		return say("unverified", err.Error())
	}
	// Written before the deed: a judge that dies here knows what to undo.
	if err := say("injected", victim); err != nil {
		return err
	}
	defer func() {
		undoing, cancel := context.WithTimeout(context.WithoutCancel(ctx), cmp.Or(action.Undoes, undoWithin))
		defer cancel()
		switch acted, failed := action.Undo(undoing); {
		case failed != nil:
			err = errors.Join(err, notUndone(j, action, plan, failed))
		case acted:
			err = errors.Join(err, say("rolled-back", victim))
		}
	}()
	if err := action.Do(ctx); err != nil {
		return say("unverified", err.Error())
	}
	over, done := context.WithTimeout(ctx, plan.Window)
	defer done()
	if err := within(ctx, cmp.Or(action.Shows, verifyWithin), action.Verify); err != nil {
		return say("unverified", err.Error())
	}
	if err := say("verified", victim); err != nil {
		return err
	}
	// The window runs from the deed: what shows late is not broken for longer.
	if err := within(over, plan.Window, action.Healed); err != nil {
		return nil // not healed alone: the deferred rollback says so
	}
	err = say("healed", "by the platform itself")
	if action.Stays {
		<-over.Done() // or the day was interrupted
	}
	return err
}

// notUndone tells people that they have to put back what the judge could not.
func notUndone(j Journal, action Action, plan Plan, failed error) error {
	_, err := j.Append(journal.KindNote, journal.Note{
		Team: plan.Team, Icon: "kill", Text: fmt.Sprintf("%s: the judge could not put it back: %v", action.Title, failed), Fault: plan.ID,
	})
	return err
}

// within asks check until it returns nil or limit has passed, and returns the
// last answer.
func within(ctx context.Context, limit time.Duration, check func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for {
		err := check(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-ticker.C:
		}
	}
}
