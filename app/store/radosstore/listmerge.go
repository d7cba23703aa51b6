package radosstore

import (
	"container/heap"
	"context"
	"sort"
	"strings"

	"golang.org/x/sync/errgroup"

	"bogops/app/store"
)

// pageMost is the most entries asked for in one read: what an OSD gives by
// default.
const pageMost = 1024

// group is all entries of one key, in order of their versions.
type group struct {
	key     string
	entries []entry
}

// believed returns the highest entry, and whether it can be believed without
// a look at the head.
func (g group) believed() (e entry, sure bool) {
	last := len(g.entries) - 1
	e = g.entries[last]
	tie := last > 0 && !e.version.Newer(g.entries[last-1].version)
	return e, e.settled && !tie
}

// strand is a place in one shard, and what was read ahead from there.
type strand struct {
	object, prefix string
	ahead          []pair
	after          string // where the next read begins
	more           bool   // there may be entries beyond ahead
}

func (c *strand) dry() bool { return len(c.ahead) == 0 && c.more }

func (c *strand) fill(ctx context.Context, from pool, limit int) (err error) {
	c.ahead, c.more, err = from.entries(ctx, c.object, c.after, c.prefix, limit)
	if n := len(c.ahead); n > 0 {
		c.after = c.ahead[n-1].key
	} else {
		c.more = false
	}
	return err
}

// skip passes the entries whose names sort before to.
func (c *strand) skip(to string) {
	c.ahead = c.ahead[sort.Search(len(c.ahead), func(i int) bool { return c.ahead[i].key >= to }):]
	if len(c.ahead) == 0 {
		c.after = max(c.after, to)
	}
}

// merge yields the entries of all shards in order, a key at a time.
type merge struct {
	from    pool
	size    int       // entries to read ahead from a shard
	strands []*strand // a heap by the next name; those without any are last
	begun   bool
}

func newMerge(from pool, shards int, opts store.ListOptions) *merge {
	m := &merge{from: from, size: pageMost}
	if opts.Limit > 0 {
		m.size = min(opts.Limit/shards*5/4+8, pageMost)
	}
	after := ""
	if opts.After != "" {
		after = cutControl(opts.After) + behindKey
	}
	if opts.Delimiter != "" && strings.HasSuffix(opts.After, opts.Delimiter) {
		if entry, isPrefix := prefixEntry(opts); isPrefix && entry == opts.After {
			after = opts.After + behindAll
		}
	}
	for n := range shards {
		m.strands = append(m.strands, &strand{object: shardName(n), prefix: opts.Prefix, after: after, more: true})
	}
	return m
}

// prefixEntry is the entry that opts.After would stand under, if it were a key.
func prefixEntry(opts store.ListOptions) (entry string, isPrefix bool) {
	if !strings.HasPrefix(opts.After, opts.Prefix) {
		return "", false
	}
	return opts.Entry(opts.After)
}

// next returns the group of the least key not passed yet; not ok at the end.
func (m *merge) next(ctx context.Context) (g group, ok bool, err error) {
	if err := m.fill(ctx); err != nil || len(m.strands) == 0 || len(m.strands[0].ahead) == 0 {
		return group{}, false, err
	}
	top := m.strands[0]
	for len(top.ahead) > 0 {
		e, err := parseEntry(top.ahead[0])
		if err != nil {
			return group{}, false, err
		}
		if len(g.entries) > 0 && e.key != g.key {
			break
		}
		g.key, g.entries = e.key, append(g.entries, e)
		if top.ahead = top.ahead[1:]; top.dry() {
			if err := top.fill(ctx, m.from, m.size); err != nil {
				return group{}, false, err
			}
		}
	}
	heap.Fix(m, 0)
	return g, true, nil
}

// nextUnder is next where the key begins with prefix; not ok where it does not,
// and then it is not passed.
func (m *merge) nextUnder(ctx context.Context, prefix string) (g group, ok bool, err error) {
	if err := m.fill(ctx); err != nil {
		return group{}, false, err
	}
	if top := m.strands[0]; len(top.ahead) == 0 || !strings.HasPrefix(top.ahead[0].key, prefix) {
		return group{}, false, nil
	}
	return m.next(ctx)
}

// skip passes all entries whose names sort before to, and reads none of those
// that were not read ahead.
func (m *merge) skip(to string) {
	for _, c := range m.strands {
		c.skip(to)
	}
	heap.Init(m)
}

// fill reads ahead, from many shards at once, wherever nothing is.
func (m *merge) fill(ctx context.Context) error {
	reads, ctx := errgroup.WithContext(ctx)
	reads.SetLimit(lookers)
	needed := !m.begun
	for _, c := range m.strands {
		if c.dry() {
			needed = true
			reads.Go(func() error { return c.fill(ctx, m.from, m.size) })
		}
	}
	if !needed {
		return nil
	}
	if err := reads.Wait(); err != nil {
		return err
	}
	m.begun = true
	heap.Init(m)
	return nil
}

// The rest is heap.Interface.

func (m *merge) Len() int      { return len(m.strands) }
func (m *merge) Swap(i, j int) { m.strands[i], m.strands[j] = m.strands[j], m.strands[i] }
func (m *merge) Push(any)      { panic("a merge takes no more shards") }
func (m *merge) Pop() any      { panic("a merge gives no shards away") }
func (m *merge) Less(i, j int) bool {
	a, b := m.strands[i].ahead, m.strands[j].ahead
	if len(a) == 0 || len(b) == 0 {
		return len(a) > 0
	}
	return a[0].key < b[0].key
}

var _ heap.Interface = (*merge)(nil)
