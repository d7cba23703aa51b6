package fallback

import (
	"context"
	"errors"
	"io"

	"bogops/app/store"
	"bogops/app/store/versioned"
)

// broken switches single rules off, so that the tests can be seen to notice. It
// is no part of any configuration: only this package's tests can fill it in, and
// a binary that was built with the tag brokenrules, for tests only, from its
// environment.
type broken struct {
	noWait        bool // serves a new epoch at once
	noSecond      bool // acknowledges without checking the epoch again
	unguardedS3   bool // writes to an area over whatever is there
	deleteRemoves bool // deletes by removing the head
	firstHit      bool // reads stop at the first place that holds something, Ceph first
	noHelp        bool // a read tells what lies in an area without bringing it home
	listAtOnce    bool // the reconciler lists without waiting
}

// unguarded is an area whose writes land over whatever is there.
type unguarded struct{ versioned.Place }

// Stage implements versioned.Place.
func (u unguarded) Stage(ctx context.Context, key string, body io.Reader, opts store.PutOptions) (versioned.Draft, error) {
	draft, err := u.Place.Stage(ctx, key, body, opts)
	if err != nil {
		return nil, err
	}
	return unguardedDraft{draft, u.Place, key}, nil
}

// Bury implements versioned.Place.
func (u unguarded) Bury(ctx context.Context, key string, _, next versioned.Head) (versioned.Head, error) {
	return over(ctx, u.Place, key, func(base versioned.Head) (versioned.Head, error) {
		return u.Place.Bury(ctx, key, base, next)
	})
}

type unguardedDraft struct {
	versioned.Draft
	place versioned.Place
	key   string
}

// Commit implements versioned.Draft.
func (d unguardedDraft) Commit(ctx context.Context, _, next versioned.Head) (versioned.Head, error) {
	return over(ctx, d.place, d.key, func(base versioned.Head) (versioned.Head, error) {
		return d.Draft.Commit(ctx, base, next)
	})
}

// over writes over whatever a place holds.
func over(ctx context.Context, p versioned.Place, key string, write func(versioned.Head) (versioned.Head, error)) (versioned.Head, error) {
	for {
		base, err := p.Head(ctx, key)
		if err != nil {
			return versioned.Head{}, err
		}
		head, err := write(base)
		if !errors.Is(err, versioned.ErrMoved) {
			return head, err
		}
	}
}

// removing is a place whose tombstones are nothing at all.
type removing struct{ versioned.Place }

// Bury implements versioned.Place.
func (r removing) Bury(ctx context.Context, key string, base, next versioned.Head) (versioned.Head, error) {
	if base.Version.IsZero() {
		return next, nil
	}
	return next, r.Place.Remove(ctx, key, base)
}
