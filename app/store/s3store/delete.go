package s3store

import (
	"context"
	"fmt"

	"bogops/app/store"
)

// Delete implements store.Store.
//
// Where the server has conditional deletes, each one is: it takes away what was
// found, and one that comes late takes away nothing else. AWS has them since
// 2024, Ceph pacific does not. There the object is looked at first and deleted
// then, and between the two another write is lost unseen.
func (s *Store) Delete(ctx context.Context, key, ifMatch string) error {
	if err := s.delete(ctx, key, ifMatch); err != nil {
		return fmt.Errorf("s3store: delete %s: %w", store.Fingerprint(key), err)
	}
	return nil
}

func (s *Store) delete(ctx context.Context, key, ifMatch string) error {
	traits, err := s.watch.proven(ctx)
	if err != nil {
		return err
	}
	for range attempts {
		base, err := s.head(ctx, key)
		if err != nil {
			return err
		}
		if err := store.CheckMatch(ifMatch, base.info.ETag); err != nil {
			return err
		}
		if !base.exists() {
			return nil
		}
		match := base.info.ETag
		if !traits.deleteMatch {
			match = ""
		}
		err = s.remove(ctx, key, match)
		switch outcomeOf(err) {
		case landed:
			return nil
		case refused:
			return failed(ctx, err)
		case lost:
			return s.settleDelete(ctx, key, err)
		}
		if err := pause(ctx); err != nil {
			return err
		}
	}
	return errOvertaken()
}

// settleDelete looks whether the object is gone after an answer was.
func (s *Store) settleDelete(ctx context.Context, key string, cause error) error {
	settling, cancel := s.settling(ctx)
	defer cancel()
	if now, err := s.head(settling, key); err == nil && !now.exists() {
		return nil
	}
	return unknown(ctx, cause)
}
