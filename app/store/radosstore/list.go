package radosstore

import (
	"context"
	"strings"

	"golang.org/x/sync/errgroup"

	"bogops/app/store"
	"bogops/app/store/versioned"
)

// lookers is how many heads one listing looks at, and how many shards it reads,
// at the same time.
const lookers = 16

// lister reads pages of the listing.
type lister struct {
	index *index
	look  func(ctx context.Context, key string) (versioned.Head, error)
}

// list returns a page of the listing in byte order of the keys.
//
// A page of L entries costs at least one omap read for each shard, each with
// about 5/4 L/shards + 8 entries, sixteen at a time; and one read of a head for
// each key whose highest entry is pending: those written within about
// a second, and those whose writer crashed. A common prefix costs, whatever
// stands behind it, the entries of it that were read ahead, and one more read of
// each shard that had nothing else in store.
func (l *lister) list(ctx context.Context, opts store.ListOptions) (store.Page, error) {
	var page store.Page
	if hasControl(opts.Prefix) {
		return page, nil // no key holds one
	}
	shards, err := l.index.open(ctx)
	if err != nil {
		return page, err
	}
	m := newMerge(l.index.pool, len(shards), opts)
	for {
		want := 256 // with no limit, as many at a time
		if opts.Limit > 0 {
			want = opts.Limit + 1 - len(page.Objects) - len(page.Prefixes)
		}
		slots, end, err := l.gather(ctx, m, opts, want)
		if err != nil {
			return store.Page{}, err
		}
		for _, s := range slots {
			switch {
			case !s.shown:
				continue
			case opts.Limit > 0 && len(page.Objects)+len(page.Prefixes) == opts.Limit:
				page.More = true
				return page, nil
			case s.prefix != "":
				page.Prefixes = append(page.Prefixes, s.prefix)
			default:
				page.Objects = append(page.Objects, s.info)
			}
		}
		if end {
			return page, nil
		}
	}
}

// slot is a place in a page: a common prefix that is known to stand for an
// object, or a key.
type slot struct {
	prefix string
	group  group
	info   store.Info
	shown  bool
}

// gather takes up to want slots from m and finds out which of them are shown.
func (l *lister) gather(ctx context.Context, m *merge, opts store.ListOptions, want int) (slots []*slot, end bool, err error) {
	for len(slots) < want {
		g, ok, err := m.next(ctx)
		if err != nil {
			return nil, false, err
		}
		if !ok {
			end = true
			break
		}
		name, isPrefix := opts.Entry(g.key)
		switch {
		case name <= opts.After && isPrefix:
			m.skip(name + behindAll)
		case name <= opts.After:
		case isPrefix:
			shown, err := l.anyUnder(ctx, m, name, g)
			if err != nil {
				return nil, false, err
			}
			if shown {
				slots = append(slots, &slot{prefix: name, shown: true})
			}
			m.skip(name + behindAll)
		default:
			slots = append(slots, &slot{group: g})
		}
	}
	return slots, end, l.settleAll(ctx, slots)
}

// anyUnder reports whether an object stands behind a common prefix, whose first
// key is that of g.
func (l *lister) anyUnder(ctx context.Context, m *merge, prefix string, g group) (bool, error) {
	for ok := true; ok; {
		var some []*slot
		for ok && len(some) < lookers {
			some = append(some, &slot{group: g})
			if e, sure := g.believed(); sure && !e.tombstone {
				return true, nil
			}
			var err error
			if g, ok, err = m.nextUnder(ctx, prefix); err != nil {
				return false, err
			}
		}
		if err := l.settleAll(ctx, some); err != nil {
			return false, err
		}
		for _, s := range some {
			if s.shown {
				return true, nil
			}
		}
	}
	return false, nil
}

// settleAll finds out what the keys of slots hold: from their entries where
// these can be believed, else from the heads, some at a time.
func (l *lister) settleAll(ctx context.Context, slots []*slot) error {
	looks, ctx := errgroup.WithContext(ctx)
	looks.SetLimit(lookers)
	for _, s := range slots {
		if s.prefix != "" {
			continue
		}
		if e, sure := s.group.believed(); sure {
			s.info, s.shown = e.info, !e.tombstone
			continue
		}
		looks.Go(func() error {
			head, err := l.lookAt(ctx, s.group)
			if err != nil {
				return err
			}
			s.info, s.shown = listed(head.Info), head.Exists()
			return nil
		})
	}
	return looks.Wait()
}

// listed is what a listing shows of an object, wherever it learns of it.
func listed(info store.Info) store.Info {
	info.Meta, info.Replaced = nil, false
	return info
}

// lookAt returns the head of a key, and settles of its entries what that says.
// The head's own entry must be among them for that, else a lister that began
// before it was set could find none at all.
func (l *lister) lookAt(ctx context.Context, g group) (versioned.Head, error) {
	fence := l.index.shardOf(g.key).seen() // before the head is looked at; see remove
	head, err := l.look(ctx, g.key)
	if err != nil || !head.Exists() {
		return head, err
	}
	for _, own := range g.entries {
		if own.version != head.Version {
			continue
		}
		own.settled, own.tombstone, own.info = true, false, head.Info
		l.index.settle(own, fence, versioned.Version{})
		for _, e := range g.entries {
			if head.Version.Newer(e.version) {
				l.index.drop(e) // its guard is gone, so it never takes effect
			}
		}
	}
	return head, nil
}

func hasControl(s string) bool { return s != cutControl(s) }

// cutControl returns s up to its first byte below 0x20. No key holds such
// a byte, so the keys after s are those after s cut.
func cutControl(s string) string {
	if at := strings.IndexFunc(s, func(r rune) bool { return r < 0x20 }); at >= 0 {
		return s[:at]
	}
	return s
}
