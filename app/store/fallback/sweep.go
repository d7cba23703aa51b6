package fallback

import (
	"errors"
	"fmt"

	"bogops/app/store/versioned"
)

// sweep empties areas that are off the list: what they hold was written by late
// attempts that nobody was told of, or is home. It is called in primary only.
func (op *operation) sweep() error {
	areas, err := op.s.away.Areas(op.ctx)
	if err != nil {
		return err
	}
	for _, epoch := range areas {
		if epoch >= op.term.epoch {
			return fmt.Errorf("there is an area of epoch %d, and this is epoch %d in mode %s: has the bucket two control records?", epoch, op.term.epoch, op.term.mode)
		}
		if err := op.second(); err != nil {
			return err
		}
		if err := op.sweepArea(epoch); err != nil {
			return err
		}
	}
	return nil
}

func (op *operation) sweepArea(epoch uint64) error {
	for cursor, first := "", true; first || cursor != ""; first = false {
		heads, next, err := op.s.away.Heads(op.ctx, epoch, cursor, 256)
		if err != nil {
			return err
		}
		cursor = next
		for _, head := range heads {
			if err := op.area(epoch).Remove(op.ctx, head.Info.Key, head); err != nil && !errors.Is(err, versioned.ErrMoved) {
				return err
			}
		}
	}
	_, err := op.s.away.Sweep(op.ctx, epoch)
	return err
}
