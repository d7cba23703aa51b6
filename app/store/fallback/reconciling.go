package fallback

import (
	"errors"
	"fmt"
	"strings"

	"bogops/app/store"
	"bogops/app/store/versioned"
)

// helps is how often a read looks again because somebody else was faster at
// bringing the object home.
const helps = 8

// findAnywhere asks the areas that are still listed, and Ceph only after all of
// them have answered: an object on its way home is always seen in one of them.
// One whose newest version lies in an area is brought home before it is told,
// so that no later read, through whichever instance, can see an older one.
func (op *operation) findAnywhere(key string, look look) (versioned.Head, error) {
	if op.s.broken.firstHit {
		return op.findFirst(look)
	}
	for range helps {
		newest, from, err := op.newest(key)
		if err != nil {
			return versioned.Head{}, err
		}
		here, err := look(op.s.home)
		if err != nil || !newest.Version.Newer(here.Version) {
			return here, err
		}
		if op.s.broken.noHelp {
			return look(from)
		}
		err = op.s.bring(op.ctx, from, newest, here)
		if err != nil && !errors.Is(err, versioned.ErrMoved) {
			return versioned.Head{}, fmt.Errorf("%w: bringing the object home: %v", store.ErrUnavailable, err)
		}
	}
	return versioned.Head{}, fmt.Errorf("%w: the object was %d times brought home by others meanwhile", store.ErrUnavailable, helps)
}

// newest returns the highest head of key in the areas, and its place.
func (op *operation) newest(key string) (newest versioned.Head, from versioned.Place, err error) {
	for _, epoch := range op.term.areas {
		area := op.area(epoch)
		head, err := area.Head(op.ctx, key)
		if err != nil {
			return versioned.Head{}, nil, err
		}
		if head.Version.Newer(newest.Version) {
			newest, from = head, area
		}
	}
	return newest, from, nil
}

// findFirst is the broken rule: it stops at the first hit.
func (op *operation) findFirst(look look) (versioned.Head, error) {
	head, err := look(op.s.home)
	for _, epoch := range op.term.areas {
		if err != nil || !head.Version.IsZero() {
			break
		}
		head, err = look(op.area(epoch))
	}
	return head, err
}

// mostListed is how many objects a listing brings home itself.
const mostListed = 256

// bringAll brings home what the areas hold and a listing with opts would show,
// so that Ceph's own listing, asked afterwards, shows it. The alternative is to
// merge heads of the areas into pages of Ceph's: it would show an object that a
// later listing, with its lost guard, might not.
func (op *operation) bringAll(opts store.ListOptions) error {
	brought := 0
	for _, epoch := range op.term.areas {
		area := op.area(epoch)
		for cursor, first := "", true; first || cursor != ""; first = false {
			heads, next, err := op.s.away.Heads(op.ctx, epoch, cursor, mostListed)
			if err != nil {
				return err
			}
			cursor = next
			for _, head := range heads {
				if !strings.HasPrefix(head.Info.Key, opts.Prefix) {
					continue
				}
				if brought++; brought > mostListed {
					return fmt.Errorf("%w: more than %d objects of this listing are not home yet", store.ErrUnavailable, mostListed)
				}
				if err := op.s.settle(op.ctx, area, head); err != nil {
					return fmt.Errorf("%w: bringing an object home: %v", store.ErrUnavailable, err)
				}
			}
		}
	}
	return nil
}
