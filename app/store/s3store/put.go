package s3store

import (
	"context"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"time"

	"bogops/app/store"
)

// attempts bounds how often one write is overtaken by others before it gives
// up. Each time another one was done.
const attempts = 40

// Put implements store.Store.
//
// Every write asks for what was found in its place before: without that it
// could not tell whether it replaced anything, and one that comes late, after
// its caller was told that its outcome is unknown, would undo an acknowledged
// one.
func (s *Store) Put(ctx context.Context, key string, body io.Reader, opts store.PutOptions) (store.Info, error) {
	info, err := s.store(ctx, key, body, opts)
	if err != nil {
		return store.Info{}, fmt.Errorf("s3store: put %s: %w", store.Fingerprint(key), err)
	}
	return info, nil
}

func (s *Store) store(ctx context.Context, key string, body io.Reader, opts store.PutOptions) (store.Info, error) {
	traits, err := s.watch.proven(ctx)
	if err != nil {
		return store.Info{}, err
	}
	// A condition that fails already spares the body.
	base, err := s.head(ctx, key)
	if err != nil {
		return store.Info{}, err
	}
	if err := opts.Check(base.info.ETag); err != nil {
		return store.Info{}, err
	}
	m := newMark(time.Now(), opts)
	d, err := s.take(ctx, key, body, opts, m, traits.completeMatch)
	if err != nil {
		return store.Info{}, err
	}
	defer d.discard()
	etag, replaced, err := s.commit(ctx, key, d, m, opts)
	if err != nil {
		return store.Info{}, err
	}
	return store.Info{Key: key, Size: d.size(), ETag: etag, ContentType: opts.ContentType, Modified: m.modified,
		Meta: maps.Clone(opts.Meta), SHA256: d.digest(), Replaced: replaced}, nil
}

// commit puts the draft in the place of what the key holds, over and over as
// long as others are quicker. Only what the server refused is sent again.
func (s *Store) commit(ctx context.Context, key string, d draft, m mark, opts store.PutOptions) (etag string, replaced bool, err error) {
	for range attempts {
		base, err := s.head(ctx, key)
		if err != nil {
			return "", false, err
		}
		if err := opts.Check(base.info.ETag); err != nil {
			return "", false, err
		}
		etag, err := d.commit(ctx, base)
		out := outcomeOf(err)
		if out == landed && etag != "" {
			return etag, base.exists(), nil
		}
		if out == refused {
			return "", false, failed(ctx, err)
		}
		// Own id found: done, whatever the answer was. A refusal counts
		// only where it is not, as somebody on the way may have sent the
		// request twice.
		now, settled := s.readBack(ctx, key)
		if settled && now.id == m.id {
			d.landed()
			return now.info.ETag, base.exists(), nil
		}
		if out == lost && settled && statusOf(err) != 0 && base.id == now.over && base.id != [16]byte{} {
			// What is there now took the very place that was asked for, and
			// the server has done with our request: Ceph pacific answers 500
			// to who loses a race.
			out = moved
		}
		if out == landed || out == lost || !settled {
			d.landed() // perhaps: it must not be touched
			return "", false, unknown(ctx, err)
		}
		if err := pause(ctx); err != nil {
			return "", false, err
		}
	}
	return "", false, errOvertaken()
}

func (s *Store) readBack(ctx context.Context, key string) (found, bool) {
	settling, cancel := s.settling(ctx)
	defer cancel()
	now, err := s.head(settling, key)
	return now, err == nil
}

func unknown(ctx context.Context, cause error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%w: %w", store.ErrUnknown, ctx.Err())
	}
	return fmt.Errorf("%w: %v", store.ErrUnknown, explain(cause))
}

func errOvertaken() error {
	return fmt.Errorf("%w: overtaken by other writes of the key %d times", store.ErrUnavailable, attempts)
}

// pause lets others finish, each for a time of its own.
func pause(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Duration(rand.Int64N(int64(20 * time.Millisecond)))):
		return nil
	}
}
