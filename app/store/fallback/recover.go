package fallback

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"bogops/app/store"
	"bogops/app/store/versioned"
)

// markName is the record in the Ceph pool that says that fall-back is configured
// and which epoch the platform has come to: in mode primary and reconciling at
// least the control record's.
const markName = "fallback"

type poolMark struct {
	Epoch uint64 `json:"epoch"` // that a holder of the control record moved to, or was about to
	Tried uint64 `json:"tried"` // that somebody meant to begin at where the record was lost
	Nonce string `json:"nonce"`
}

func (m poolMark) reached() uint64 { return max(m.Epoch, m.Tried) }

// RefuseMarked returns an error where the pool that records belong to is used
// with fall-back: whoever opened it without S3 would serve a part of what it
// keeps. It is for those who open a pool alone. Another error says that the pool
// could not be asked.
func RefuseMarked(ctx context.Context, records versioned.Records) error {
	mark, _, err := readMark(ctx, records)
	if err == nil && mark.reached() > 0 {
		err = fmt.Errorf("the pool is used with fall-back, at epoch %d or later: objects of it may be in S3; configure its S3 here too", mark.reached())
	}
	return err
}

// readMark returns the pool's mark, the zero one where there is none.
func readMark(ctx context.Context, records versioned.Records) (mark poolMark, tag string, err error) {
	value, tag, err := records.Read(ctx, markName)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return poolMark{}, "", nil
	case err != nil:
		return poolMark{}, "", err
	}
	if err := json.Unmarshal(value, &mark); err != nil {
		return poolMark{}, "", fmt.Errorf("%w: record %s of the pool: %w", store.ErrDamaged, markName, err)
	}
	return mark, tag, nil
}

// raiseMark has the pool's mark name the epoch that the mode moves to, and returns
// that epoch: a later one than was asked for where somebody else has claimed it,
// and then was not the one to make the lost record. A mark that was itself moved
// further belongs to another platform, or to a record that is gone.
func (s *Store) raiseMark(ctx context.Context, epoch uint64) (uint64, error) {
	err := s.changeMark(ctx, func(mark poolMark) (poolMark, error) {
		if mark.Epoch > epoch {
			return mark, fmt.Errorf("the pool has come to epoch %d, and the control record to %d only: do they belong together?", mark.Epoch, epoch)
		}
		epoch = max(epoch, mark.Tried)
		mark.Epoch = epoch
		return mark, nil
	})
	return epoch, err
}

// claimMark has the pool's mark name the epoch that a new control record begins
// at, before there is one.
func (s *Store) claimMark(ctx context.Context, epoch uint64) error {
	return s.changeMark(ctx, func(mark poolMark) (poolMark, error) {
		if mark.reached() > epoch {
			return mark, fmt.Errorf("another instance has come to epoch %d meanwhile", mark.reached())
		}
		mark.Tried = epoch
		return mark, nil
	})
}

// changeMark puts what change makes of the pool's mark in its place.
func (s *Store) changeMark(ctx context.Context, change func(poolMark) (poolMark, error)) error {
	ctx, cancel := context.WithTimeout(ctx, s.callTimeout)
	defer cancel()
	for {
		mark, tag, err := readMark(ctx, s.home.Records())
		if err != nil {
			return err
		}
		next, err := change(mark)
		if err != nil || next == mark {
			return err
		}
		next.Nonce = nonce()
		value, err := json.Marshal(next)
		if err != nil {
			return err
		}
		_, err = s.home.Records().Write(ctx, markName, value, tag)
		if !errors.Is(err, versioned.ErrMoved) {
			return err
		}
	}
}

// restore makes a control record where there is none, or where it went back to
// an older epoch (tag is its tag then). It begins after every epoch that left a
// trace: in Ceph, as an area, in the instances' health records, or here. All
// areas are listed again: what they hold is home or newer than what is there,
// and a version says which.
func (s *Store) restore(ctx context.Context, tag string) error {
	traces, areas, err := s.traces(ctx)
	if err != nil {
		return err
	}
	callCtx, cancel := context.WithTimeout(ctx, s.callTimeout)
	mark, _, err := readMark(callCtx, s.home.Records())
	cancel()
	begins := record{Mode: Primary, Areas: areas, By: s.name, Since: s.clock.Wall(), Lineage: nonce(), Lease: s.cfg.Lease.Milliseconds()}
	switch {
	case err != nil && s.cfg.NewPool && traces == 0:
		begins = begins.move(Fallback, s.name, begins.Since)
	case err != nil:
		return fmt.Errorf("there is no control record, and Ceph, which may know of one, cannot be asked: %w", err)
	default:
		begins.Epoch = 1 + max(traces, mark.reached())
		if len(areas) > 0 {
			begins.Mode = Reconciling
		}
		if err := s.claimMark(ctx, begins.Epoch); err != nil {
			return fmt.Errorf("leaving the mark in the pool: %w", err)
		}
	}
	before := s.clock.Now()
	made, err := s.writeRecord(ctx, begins, tag)
	if err != nil {
		return fmt.Errorf("making the control record: %w", err)
	}
	s.log.Warn("fall-back: made a control record where none was found", "epoch", begins.Epoch, "mode", begins.Mode, "areas", begins.Areas)
	return s.adopt(begins, made, before)
}

// traces returns the last epoch that S3 or this process knows of, and all areas
// that hold anything. Where an instance lives by a lease of another length there
// is no telling how long to wait for it, and that is an error.
func (s *Store) traces(ctx context.Context) (last uint64, areas []uint64, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Lease)
	defer cancel()
	if areas, err = s.away.Areas(ctx); err != nil {
		return 0, nil, err
	}
	s.mu.Lock()
	last = s.lease.known.Epoch
	s.mu.Unlock()
	if len(areas) > 0 {
		last = max(last, slices.Max(areas))
	}
	names, err := s.away.Names(ctx, instances)
	if err != nil {
		return 0, nil, err
	}
	for _, name := range names {
		var h health
		if _, err := s.readJSON(ctx, name, &h); err != nil && !errors.Is(err, store.ErrNotFound) {
			return 0, nil, err
		}
		if own := s.cfg.Lease.Milliseconds(); h.Lease != 0 && h.Lease != own {
			return 0, nil, fmt.Errorf("instance %s has a lease of %d ms, and this one of %d ms; want the same everywhere, and no record %s where it is gone", h.Name, h.Lease, own, name)
		}
		last = max(last, h.Epoch)
	}
	return last, areas, nil
}
