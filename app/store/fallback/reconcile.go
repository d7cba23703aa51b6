package fallback

import (
	"errors"
	"slices"

	"golang.org/x/sync/errgroup"

	"bogops/app/store/versioned"
)

// carriers is how many objects are brought home at once.
const carriers = 8

// reconcile brings home what the listed areas hold, takes each empty one off the
// list, and moves to primary when none is left. It has waited as everybody who
// serves has: every write that was acknowledged in an area is seen by its lists.
// An area that cannot be emptied stays, and keeps none of the others.
func (op *operation) reconcile() error {
	if len(op.term.areas) == 0 {
		return op.strike(0)
	}
	var failed []error
	for _, epoch := range op.term.areas {
		err := op.drain(epoch)
		if err == nil {
			err = op.strike(epoch)
		}
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

// drain empties an area. An object that cannot be brought home stays, and keeps
// none of the others away.
func (op *operation) drain(epoch uint64) error {
	area := op.area(epoch)
	for {
		found, failed, cursor := 0, error(nil), ""
		for first := true; first || cursor != ""; first = false {
			heads, next, err := op.s.away.Heads(op.ctx, epoch, cursor, 256)
			if err != nil {
				return err
			}
			group := errgroup.Group{}
			group.SetLimit(carriers)
			for _, head := range heads {
				group.Go(func() error { return op.carryHome(area, head) })
			}
			if err := group.Wait(); err != nil {
				failed = err
			}
			found, cursor = found+len(heads), next
		}
		if found == 0 || failed != nil {
			return failed
		}
	}
}

// carryHome moves one object: home, read back and compared, then away from its
// area. The area's epoch has ended, so a removal that comes late takes nothing
// that anybody waits for.
func (op *operation) carryHome(area versioned.Place, head versioned.Head) error {
	if err := op.s.settle(op.ctx, area, head); err != nil {
		return err
	}
	if err := op.s.compare(op.ctx, area, head); err != nil {
		return err
	}
	return area.Remove(op.ctx, head.Info.Key, head)
}

// strike takes an empty area off the list, unless the epoch has moved. With the
// last one the mode becomes primary, in the same write.
func (op *operation) strike(area uint64) error {
	r, tag, err := op.s.readRecord(op.ctx)
	if err != nil {
		return err
	}
	if r.Epoch != op.term.epoch || r.Lineage != op.term.lineage || r.Mode != Reconciling {
		return errTermEnded
	}
	if area != 0 && !slices.Contains(r.Areas, area) {
		return nil
	}
	next := r.without(area)
	if len(next.Areas) > 0 {
		return op.s.replace(op.ctx, next, tag)
	}
	return op.s.moveTo(op.ctx, next.move(Primary, op.s.name, op.s.clock.Wall()), tag)
}
