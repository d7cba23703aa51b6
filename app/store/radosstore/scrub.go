package radosstore

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"bogops/app/store"
	"bogops/app/store/versioned"
)

// ScrubOptions says how thorough a scrub is. The zero value reads heads alone.
type ScrubOptions struct {
	Bodies bool // read every body and compare its checksums
	AtOnce int  // objects at once; default 4
}

// Scrubbed says what a scrub found and did.
type Scrubbed struct {
	Objects    int // heads of objects that were read
	Tombstones int
	Damaged    []string // names of RADOS objects that are not what was once written
	Unindexed  int      // heads whose index entry was missing, and is there now
	Dead       int      // index entries dropped, for nothing can come of them
	Unrecorded int      // uploads of objects that the registry had lost, recorded again
	Orphans    int      // drafts with tails, but without a record and a head; recorded
	Confirmed  int      // such drafts found again, which the collector may have now
}

// scrub walks all objects of the pool's namespace and mends what follows from
// the heads: the index, and the registry. It goes on where something fails, and
// says so in the error. It holds a name in memory for every draft with tails.
type scrub struct {
	home *Home
	opts ScrubOptions

	mu    sync.Mutex
	did   Scrubbed
	heads map[draftID]bool   // drafts that are the body of an object
	tails map[draftID]string // drafts with tails, and the hash of their key
	mute  map[string]bool    // hashes of the keys whose heads could not be read
	errs  []error
}

// Scrub reads every head and repairs the listing and the registry from them. It
// can run beside everything else, on several instances too. What it costs is one
// or two reads for each object, and with opts.Bodies all the bytes.
func (h *Home) Scrub(ctx context.Context, opts ScrubOptions) (Scrubbed, error) {
	if opts.AtOnce <= 0 {
		opts.AtOnce = 4
	}
	s := &scrub{home: h, opts: opts, heads: map[draftID]bool{}, tails: map[draftID]string{}, mute: map[string]bool{}}
	if _, err := h.index.open(ctx); err != nil {
		return Scrubbed{}, err
	}
	checks, checking := errgroup.WithContext(ctx)
	checks.SetLimit(opts.AtOnce)
	err := h.pool.each(checking, func(name string) error {
		if key, ok := strings.CutPrefix(name, headPrefix); ok {
			checks.Go(func() error { s.head(checking, name, key); return checking.Err() })
		}
		if hash, d, ok := parseTail(name); ok {
			s.mu.Lock()
			s.tails[d] = hash
			s.mu.Unlock()
		}
		return nil
	})
	err = errors.Join(err, checks.Wait())
	if err == nil { // half a walk proves nobody an orphan
		err = s.orphans(ctx)
	}
	var swept Collected
	err = errors.Join(err, newCollector(h, h.cfg.Grace, 0).sweep(ctx, &swept))
	s.did.Dead = swept.Entries
	h.index.flush()
	return s.did, errors.Join(append(s.errs, err)...)
}

// head checks one head and its entry.
func (s *scrub) head(ctx context.Context, name, key string) {
	now, err := s.home.readHead(ctx, key)
	read := err == nil
	if err == nil && s.opts.Bodies && now.Exists() {
		err = s.home.readThrough(ctx, key)
	}
	var mended, recorded bool
	if err == nil && !now.Version.IsZero() {
		mended, err = s.home.index.mend(ctx, key, now.Head)
	}
	tailed := now.Exists() && !now.inline()
	if err == nil && tailed {
		recorded, err = s.home.uploads.mend(ctx, key, now)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case errors.Is(err, store.ErrDamaged):
		s.did.Damaged = append(s.did.Damaged, name)
	case err != nil:
		s.errs = append(s.errs, err)
	case now.Version.IsZero(): // went while we came
	case now.Tombstone:
		s.did.Tombstones++
	default:
		s.did.Objects++
	}
	if mended {
		s.did.Unindexed++
	}
	if recorded {
		s.did.Unrecorded++
	}
	if tailed {
		s.heads[now.draft] = true
	}
	if !read {
		s.mute[tailHash(key)] = true
	}
}

// readThrough reads the body of key, which checks it.
func (h *Home) readThrough(ctx context.Context, key string) error {
	body, _, err := h.Open(ctx, key, store.Whole)
	if err != nil || body == nil {
		return err
	}
	_, err = io.Copy(io.Discard, body)
	return errors.Join(err, body.Close())
}

// mend sees to it that the head of key, as it was read, has an entry, and
// reports whether it had none. What it sets is pending: whoever lists the key
// looks at the head, and settles it.
func (x *index) mend(ctx context.Context, key string, head versioned.Head) (bool, error) {
	entries, err := x.entriesOf(ctx, key)
	if err != nil {
		return false, err
	}
	for _, e := range entries {
		if e.version == head.Version {
			return false, nil
		}
	}
	t, err := x.put(pendingEntry(head, key, x.now()))
	if err != nil {
		return false, err
	}
	if err := t.wait(ctx); err != nil {
		return false, err
	}
	return true, nil
}

// mend sees to it that the upload whose tails are the body of now has a record,
// and reports whether it had none.
func (r *uploads) mend(ctx context.Context, key string, now head) (bool, error) {
	_, ok, _, err := r.read(ctx, now.draft)
	if err != nil || ok {
		return false, err
	}
	err = r.note(ctx, now.draft, record{Key: key, Started: now.Info.Modified})
	return err == nil, err
}

// orphans records the drafts that have tails and nothing else. A head with these
// tails may have been written after the walk had passed its key, so only what
// another scrub finds just so is left to the collector.
func (s *scrub) orphans(ctx context.Context) error {
	for d, hash := range s.tails {
		if s.heads[d] || s.mute[hash] {
			continue
		}
		r, ok, _, err := s.home.uploads.read(ctx, d)
		if err != nil {
			return err
		}
		switch {
		case !ok:
			s.did.Orphans++
			err = s.home.uploads.note(ctx, d, record{Hash: hash, Started: s.home.now().UTC()})
		case r.Key == "" && !r.Confirmed && s.home.now().Sub(r.Started) >= s.home.cfg.Grace:
			s.did.Confirmed++
			r.Confirmed = true
			err = s.home.uploads.note(ctx, d, r)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
