package radosstore

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"bogops/app/store"
	"bogops/app/store/versioned"
)

// errGivenUp says that the collector took an upload for dead: it was not heard
// of for longer than the grace. Its head was not written and never will be.
var errGivenUp = fmt.Errorf("%w: the upload was given up, because nothing was heard of it for too long", store.ErrUnavailable)

// uploads is the registry: every upload with tails has a record from before its
// first tail for as long as there are tails, so that whatever a crash, a loser
// or a replaced object leaves is found.
//
// Uploader and collector must not both win. The uploader arms its record before
// it writes the head, the collector dooms the draft before it removes tails, and
// the fence of the shard orders the two: dooming moves it, arming is guarded by
// it. An uploader whose guard fails reads the new fence, then whether it is
// doomed, and tries again under that fence only if it is not.
type uploads struct {
	pool    pool
	now     func() time.Time
	address func() (string, error)

	mu   sync.Mutex
	live map[draftID]*liveUpload

	discarded []discardedUpload // oldest first
}

// liveUpload is an upload of this process. The fence is its own: under one that
// another upload learned of, it would not know whether it was doomed before that.
type liveUpload struct {
	mu      sync.Mutex // one change of the record at a time
	record  record
	fence   uint64
	givenUp error
}

func newUploads(p pool, now func() time.Time) *uploads {
	return &uploads{pool: p, now: now, address: p.address, live: map[draftID]*liveUpload{}}
}

// begin notes an upload. No tail is written before it has returned nil.
func (r *uploads) begin(ctx context.Context, u upload) error {
	l := &liveUpload{record: record{Key: u.key, Started: u.started.UTC()}}
	l.record.Instance, _ = r.address() // only for whoever reads it
	l.mu.Lock()
	defer l.mu.Unlock()
	// The first fence is read, not guessed: from here on nobody who dooms the
	// draft goes unnoticed.
	var err error
	if l.fence, err = readFence(ctx, r.pool, registerName(u.draft)); err != nil {
		return err
	}
	if err := r.store(ctx, u.draft, l, l.record, false); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.live[u.draft] = l
	return nil
}

// alive is called before each tail; an error stops the upload.
func (r *uploads) alive(_ context.Context, u upload) error {
	l := r.find(u.draft)
	if l == nil {
		return errGivenUp
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.givenUp
}

// committing notes what a commit is about to do, before it does it.
func (r *uploads) committing(ctx context.Context, u upload, base, next versioned.Head) error {
	return r.update(ctx, u.draft, func(old record) record { return old.armed(base, next) })
}

// beat says of every upload of this process that it goes on.
func (r *uploads) beat(ctx context.Context) error {
	var errs []error
	for _, d := range r.drafts() {
		err := r.update(ctx, d, func(old record) record { old.Beat++; return old })
		if err != nil && !errors.Is(err, errGivenUp) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (r *uploads) drafts() (all []draftID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for d := range r.live {
		all = append(all, d)
	}
	return all
}

// ended notes how an upload ended, for this process. The record stays for as long
// as there are tails. It does not wait.
func (r *uploads) ended(u upload, how ending) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.live, u.draft)
	if how == discarded && len(r.discarded) < mostDiscarded {
		r.discarded = append(r.discarded, discardedUpload{u, r.now()})
	}
}

// mostDiscarded bounds what is removed without a grace; what is more waits for
// the collector.
const mostDiscarded = 4096

// discardedUpload is one whose tails nobody refers to or ever will.
type discardedUpload struct {
	upload
	at time.Time
}

// quiet returns the discarded uploads that have been so for at least this long.
func (r *uploads) quiet(long time.Duration) (those []upload) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	for len(r.discarded) > 0 && now.Sub(r.discarded[0].at) >= long {
		those = append(those, r.discarded[0].upload)
		r.discarded = r.discarded[1:]
	}
	return those
}

func (r *uploads) find(d draftID) *liveUpload {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.live[d]
}

func (r *uploads) update(ctx context.Context, d draftID, to func(record) record) error {
	l := r.find(d)
	if l == nil {
		return errGivenUp
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.givenUp != nil {
		return l.givenUp
	}
	next := to(l.record)
	err := r.store(ctx, d, l, next, true)
	if err == nil {
		l.record = next
	}
	if errors.Is(err, errGivenUp) {
		l.givenUp = err
	}
	return err
}

// store sets the record of d, guarded by the fence. There must be one already,
// unless it is the first.
func (r *uploads) store(ctx context.Context, d draftID, l *liveUpload, to record, again bool) error {
	for range 8 {
		edit := fencedEdit{set: map[string][]byte{d.String(): to.encode()}}
		err := editFenced(ctx, r.pool, registerName(d), l.fence, edit)
		if errors.Is(err, store.ErrUnknown) {
			// Noted or not, no tail and no head follows from here: to the caller
			// nothing is in doubt.
			return fmt.Errorf("%w: the registry did not answer in time", store.ErrUnavailable)
		}
		if !errors.Is(err, errGuard) {
			return err
		}
		if l.fence, err = readFence(ctx, r.pool, registerName(d)); err != nil {
			return err
		}
		_, found, doomed, err := r.read(ctx, d)
		if err != nil {
			return err
		}
		if doomed || again && !found {
			return errGivenUp
		}
	}
	return fmt.Errorf("%w: the registry is too busy", store.ErrUnavailable)
}

// read returns the record of d, and whether it is doomed.
func (r *uploads) read(ctx context.Context, d draftID) (found record, ok, doomed bool, err error) {
	pairs, _, err := r.pool.entries(ctx, registerName(d), "", d.String(), 2)
	if err != nil {
		return record{}, false, false, err
	}
	for _, p := range pairs {
		if p.key == d.String()+doomMark {
			doomed = true
			continue
		}
		if found, err = parseRecord(p.value); err != nil {
			return record{}, false, false, err
		}
		ok = true
	}
	return found, ok, doomed, nil
}

// doom makes sure that the draft will not be armed again, and returns its record
// as it stays from here. A doom is never taken back: another collector may have
// found it and be removing the tails.
func (r *uploads) doom(ctx context.Context, d draftID) (found record, ok bool, err error) {
	_, ok, doomed, err := r.read(ctx, d)
	if err != nil || !ok {
		return record{}, false, err
	}
	if !doomed {
		mark := map[string][]byte{d.String() + doomMark: []byte(r.now().UTC().Format(time.RFC3339))}
		if _, err := moveFence(ctx, r.pool, registerName(d), mark); err != nil {
			return record{}, false, fmt.Errorf("doom an upload: %w", err)
		}
	}
	found, ok, _, err = r.read(ctx, d)
	return found, ok, err
}

// erase takes the record of d away, once its tails are gone.
func (r *uploads) erase(ctx context.Context, d draftID) error {
	return dropEntries(ctx, r.pool, registerName(d), d.String(), d.String()+doomMark)
}

// each calls visit for every record. One that cannot be read is passed, and in
// the error at the end.
func (r *uploads) each(ctx context.Context, visit func(d draftID, found record) error) error {
	var unread []error
	for n := range registerShards {
		after := ""
		for more := true; more; {
			var pairs []pair
			var err error
			pairs, more, err = r.pool.entries(ctx, registerShardName(n), after, "", pageMost)
			if err != nil {
				return err
			}
			for _, p := range pairs {
				after = p.key
				d, err := parseDraft(p.key)
				if err != nil {
					continue // a doom mark
				}
				found, err := parseRecord(p.value)
				if err != nil {
					unread = append(unread, err)
					continue
				}
				if err := visit(d, found); err != nil {
					return err
				}
			}
		}
	}
	return errors.Join(unread...)
}

// note sets the record of an upload that nobody of this process carries out.
func (r *uploads) note(ctx context.Context, d draftID, to record) error {
	return r.pool.change(ctx, registerName(d), change{set: map[string][]byte{d.String(): to.encode()}})
}
