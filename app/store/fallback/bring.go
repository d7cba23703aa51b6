package fallback

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"bogops/app/store"
	"bogops/app/store/versioned"
)

// bring copies the head away, found in an area, over the head here, found in
// Ceph, as the very write that it is: its version, its times, its tag. Nobody
// else's write is lost: ErrMoved says that either head is no longer there. It is
// model's help, and the reconciler's copy.
func (s *Store) bring(ctx context.Context, area versioned.Place, away, here versioned.Head) error {
	err := s.carry(ctx, area, away, here)
	if errors.Is(err, store.ErrUnknown) && here.Version.IsZero() {
		s.mu.Lock()
		s.flights.doubt(away.Info.Key)
		s.mu.Unlock()
	}
	return err
}

func (s *Store) carry(ctx context.Context, area versioned.Place, away, here versioned.Head) error {
	key := away.Info.Key
	if away.Tombstone {
		_, err := s.home.Bury(ctx, key, here, away)
		return err
	}
	body, head, err := area.Open(ctx, key, store.Whole)
	if err != nil {
		return err
	}
	if body == nil {
		return versioned.ErrMoved
	}
	defer body.Close()
	if head.Version != away.Version {
		return versioned.ErrMoved
	}
	draft, err := s.home.Stage(ctx, key, body, store.PutOptions{Size: head.Info.Size, SHA256: head.Info.SHA256})
	if err != nil {
		return err
	}
	defer draft.Discard()
	_, err = draft.Commit(ctx, here, head)
	return err
}

// settle returns once Ceph holds the version of away, or one that is not older.
func (s *Store) settle(ctx context.Context, area versioned.Place, away versioned.Head) error {
	for range helps {
		here, err := s.home.Head(ctx, away.Info.Key)
		if err != nil {
			return err
		}
		if !away.Version.Newer(here.Version) {
			return nil
		}
		if err := s.bring(ctx, area, away, here); err != nil && !errors.Is(err, versioned.ErrMoved) {
			return err
		}
	}
	return fmt.Errorf("%w: others wrote the key meanwhile, %d times", store.ErrUnavailable, helps)
}

// compare reads back from Ceph what was brought home from an area. Something
// newer in its place was written there and needs no comparing.
func (s *Store) compare(ctx context.Context, area versioned.Place, away versioned.Head) error {
	if away.Tombstone {
		return nil
	}
	here, head, err := digest(ctx, s.home, away.Info.Key)
	switch {
	case err != nil:
		return err
	case away.Version.Newer(head.Version):
		return fmt.Errorf("%w: what came home is not there", store.ErrDamaged)
	case head.Version != away.Version:
		return nil
	}
	want := away.Info.SHA256
	if want == nil {
		if want, head, err = digest(ctx, area, away.Info.Key); err != nil || head.Version != away.Version {
			return err
		}
	}
	if !bytes.Equal(here, want) {
		return fmt.Errorf("%w: what came home has sha-256 %x, what was away %x", store.ErrDamaged, here, want)
	}
	return nil
}

// digest reads what a place holds for key.
func digest(ctx context.Context, p versioned.Place, key string) ([]byte, versioned.Head, error) {
	body, head, err := p.Open(ctx, key, store.Whole)
	if err != nil || body == nil {
		return nil, head, err
	}
	defer body.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, body); err != nil {
		return nil, head, err
	}
	return sum.Sum(nil), head, nil
}
