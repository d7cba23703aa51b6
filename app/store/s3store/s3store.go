// Package s3store keeps objects in a bucket of an S3 server, each under its own
// key and with its own bytes: whoever may read the bucket reads them as they
// are. Any server will do that keeps its word on conditional writes, which is
// put to the test before the first write. Beside it, Away keeps what the
// platform holds in S3 while Ceph is not there.
//
// An ETag is that of S3. It names the bytes, so two writes of the same bytes
// may have the same.
package s3store

import (
	"context"
	"fmt"
	"io"
	"strings"

	"bogops/app/store"
)

// Store is a store.Store on a bucket of its own.
type Store struct {
	*bucket
	watch *watch
}

var (
	_ store.Store   = (*Store)(nil)
	_ store.Locator = (*Store)(nil)
)

// Open returns the store of a bucket that nobody else writes to. Where the
// server does not keep its word on conditional writes, that is the error. Where
// it does not answer, the store is down until it does.
func Open(ctx context.Context, opts Options) (*Store, error) {
	b, err := newBucket(ctx, opts)
	if err != nil {
		return nil, fmt.Errorf("s3store: %w", err)
	}
	w, err := startWatch(ctx, b, opts)
	if err != nil {
		return nil, fmt.Errorf("s3store: %w", err)
	}
	return &Store{bucket: b, watch: w}, nil
}

// Get implements store.Store.
func (s *Store) Get(ctx context.Context, key string, rng store.Range) (io.ReadCloser, store.Info, error) {
	err := s.watch.open(ctx)
	if err == nil {
		var r io.ReadCloser
		var f found
		if r, f, err = s.bucket.get(ctx, key, rng); err == nil {
			if r == nil {
				r = io.NopCloser(strings.NewReader(""))
			}
			return r, f.info, nil
		}
	}
	return nil, store.Info{}, fmt.Errorf("s3store: get %s: %w", store.Fingerprint(key), err)
}

// Stat implements store.Store.
func (s *Store) Stat(ctx context.Context, key string) (store.Info, error) {
	err := s.watch.open(ctx)
	if err == nil {
		var f found
		if f, err = s.described(ctx, key); err == nil {
			return f.info, nil
		}
	}
	return store.Info{}, fmt.Errorf("s3store: stat %s: %w", store.Fingerprint(key), err)
}

// Locate implements store.Locator.
func (s *Store) Locate(ctx context.Context, key string) (store.Location, error) {
	info, err := s.Stat(ctx, key)
	if err != nil {
		return store.Location{}, err
	}
	return store.Location{Kind: kind, ETag: info.ETag, Size: info.Size, Bucket: s.name, Object: key}, nil
}

const kind = "s3" // the contract's word

// Describe implements store.Store.
func (s *Store) Describe() store.Description { return store.Description{Kind: kind, Durable: true} }

// Health implements store.Store. It asks nobody: the server is looked at in
// the background.
func (s *Store) Health(context.Context) store.Health { return s.watch.health() }

// Close implements store.Store.
func (s *Store) Close() error {
	s.watch.stop()
	s.bucket.close()
	return nil
}
