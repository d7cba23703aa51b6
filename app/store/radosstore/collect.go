package radosstore

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"bogops/app/store/versioned"
)

// Collected says what one pass of the collector found and did.
type Collected struct {
	Uploads    int // records in the registry
	Kept       int // their tails are the body of an object
	Waiting    int // their grace is not over
	Gone       int // given up: tails removed, record erased
	Tails      int // removed
	Fenced     int // heads that were touched, or tombstones made, so that no ghost lands
	Tombstones int // removed
	Entries    int // dead entries of the index, dropped or settled
}

// collector removes what no object refers to. It decides by what heads and
// records say and by guarded changes, never by who runs: two at a time do no
// harm, they only do the work twice.
type collector struct {
	home      *Home
	mu        sync.Mutex    // one pass at a time, and what is below
	grace     time.Duration // no read, and no silence of an upload, is longer
	retention time.Duration // of tombstones; 0: they stay
	seen      map[draftID]sighting
	swept     time.Time // when the index was last walked; zero: never
}

// sighting is how a record looked when it first looked like that, and since when
// by this process's clock.
type sighting struct {
	value   string
	landing bool // its head could still take effect
	since   time.Time
}

func newCollector(h *Home, grace, retention time.Duration) *collector {
	return &collector{home: h, grace: grace, retention: retention, seen: map[draftID]sighting{}}
}

// mostErrors is how many failures of one pass are told in words.
const mostErrors = 8

// collect makes one pass. What failed is in the error, and tried again by the
// next pass. It costs one read of a head for every object with tails.
//
// A record whose draft is the body of its key's head is kept. Another one goes
// when nothing of it has changed for the grace: not the record (an upload that
// goes on beats), and not whether its head could still land. So a reader that
// began before its object was replaced has the grace to finish. First the draft
// is doomed, so that it is not committed from here on; then, if its head may
// already be on its way, the head it would replace is fenced; then, if it has
// not landed before that, the tails go, and the record last.
func (c *collector) collect(ctx context.Context) (Collected, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var did Collected
	var errs []error
	failures := 0
	there := map[draftID]bool{}
	err := c.home.uploads.each(ctx, func(d draftID, r record) error {
		did.Uploads++
		there[d] = true
		if err := c.one(ctx, d, r, &did); err != nil {
			if failures++; failures <= mostErrors {
				errs = append(errs, fmt.Errorf("upload %s: %w", d, err))
			}
		}
		return ctx.Err()
	})
	if failures > mostErrors {
		errs = append(errs, fmt.Errorf("and %d more uploads", failures-mostErrors))
	}
	for d := range c.seen {
		if !there[d] && err == nil {
			delete(c.seen, d)
		}
	}
	errs = append(errs, err)
	if now := c.home.now(); c.swept.IsZero() || now.Sub(c.swept) >= c.sweepEvery() {
		if err := c.sweep(ctx, &did); err != nil {
			errs = append(errs, err)
		} else {
			c.swept = now
		}
	}
	return did, errors.Join(errs...)
}

// one decides on one record.
func (c *collector) one(ctx context.Context, d draftID, r record, did *Collected) error {
	if r.Key == "" && !r.Confirmed {
		did.Waiting++ // until another scrub has seen no head of it either
		return nil
	}
	now, ours, err := c.look(ctx, d, r)
	if err != nil {
		return err
	}
	if ours {
		did.Kept++
		delete(c.seen, d)
		return nil
	}
	landing := !r.Armed || r.mayLandOver(now.Head)
	if !c.ripe(d, sighting{value: string(r.encode()), landing: landing}) {
		did.Waiting++
		return nil
	}
	r, ok, err := c.home.uploads.doom(ctx, d)
	if err != nil || !ok {
		return err
	}
	spared, err := c.fenced(ctx, d, r, landing, did)
	if err != nil {
		return err
	}
	if spared {
		did.Waiting++ // and stays doomed: what landed has, and nothing else will
		return nil
	}
	return c.remove(ctx, d, r, did)
}

// ripe reports whether the record has looked like this for the grace.
func (c *collector) ripe(d draftID, s sighting) bool {
	s.since = c.home.now()
	if old, ok := c.seen[d]; ok && old.value == s.value && old.landing == s.landing {
		return s.since.Sub(old.since) >= c.grace
	}
	c.seen[d] = s
	return false
}

// look returns the head of the record's key, and whether the draft is its body.
func (c *collector) look(ctx context.Context, d draftID, r record) (now head, ours bool, err error) {
	if r.Key == "" {
		return head{}, false, nil
	}
	now, err = c.home.readHead(ctx, r.Key)
	return now, err == nil && now.Exists() && !now.inline() && now.draft == d, err
}

// fenced makes sure that no head of a doomed record lands from here on, and
// reports whether one has before, or could have so lately that it may be read.
func (c *collector) fenced(ctx context.Context, d draftID, r record, landing bool, did *Collected) (spared bool, err error) {
	for range 8 {
		now, ours, err := c.look(ctx, d, r)
		if err != nil || ours {
			return ours, err
		}
		if !r.Armed {
			return false, nil
		}
		if !r.mayLandOver(now.Head) {
			// It landed and was replaced, or lost. If that was after the grace
			// began, somebody may be reading what it was.
			return landing, nil
		}
		if err = c.home.fenceHead(ctx, r, now); err == nil {
			did.Fenced++
			return false, nil
		}
		if !errors.Is(err, versioned.ErrMoved) {
			return false, err
		}
	}
	return false, errors.New("the head changes too often to be fenced")
}

// tailGap is more tails than an upload has on their way at once, so that many
// missing in a row mean that there are no more.
const tailGap = 4 * tailWindow

// remove takes away the tails of d from the last to the first, so that what is
// left after a crash is still found from the first one on; then the record.
func (c *collector) remove(ctx context.Context, d draftID, r record, did *Collected) error {
	hash := r.Hash
	if r.Key != "" {
		hash = tailHash(r.Key)
	}
	var found []int
	for n := 0; len(found) == 0 && n < tailGap || len(found) > 0 && n-found[len(found)-1] <= tailGap; n++ {
		_, err := c.home.pool.size(ctx, tailNameOf(hash, d, n))
		switch {
		case err == nil:
			found = append(found, n)
		case !errors.Is(err, errMissing):
			return err
		}
	}
	for i := len(found) - 1; i >= 0; i-- {
		err := c.home.pool.change(ctx, tailNameOf(hash, d, found[i]), change{remove: true})
		if err != nil && !errors.Is(err, errMissing) {
			return err
		}
		did.Tails++
	}
	if err := c.home.uploads.erase(ctx, d); err != nil {
		return err
	}
	delete(c.seen, d)
	did.Gone++
	return nil
}

// discard removes the tails of uploads that were given up by their own process,
// as soon as no operation of theirs can still be on its way.
func (c *collector) discard(ctx context.Context) {
	if !c.mu.TryLock() {
		return // a pass is on
	}
	defer c.mu.Unlock()
	for _, u := range c.home.uploads.quiet(4 * c.home.cfg.OpTimeout) {
		var did Collected
		_ = c.remove(ctx, u.draft, record{Key: u.key}, &did) // what fails is left to a pass
	}
}
