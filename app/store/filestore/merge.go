package filestore

import (
	"sort"
	"strings"

	"bogops/app/store"
)

// shelf is the keys of one shard that a listing has not passed yet, sorted.
type shelf struct {
	keys  []string
	shard *directory
	in    uint64 // the number of the snapshot that they are from
}

// merge yields the entries of a listing in order, from the sorted keys of many
// shards, and looks at few more keys than it yields: it begins in each shard by
// binary search, and passes the keys behind a common prefix in the same way.
type merge struct {
	opts    store.ListOptions
	shelves []shelf // a heap by the first key; none is empty
	last    string  // the common prefix that was yielded last
}

func newMerge(opts store.ListOptions, shelves []shelf) *merge {
	m := &merge{opts: opts}
	from := max(opts.Prefix, opts.After)
	for _, s := range shelves {
		s.keys = s.keys[sort.SearchStrings(s.keys, from):]
		if len(s.keys) > 0 && strings.HasPrefix(s.keys[0], opts.Prefix) {
			m.shelves = append(m.shelves, s)
		}
	}
	for i := len(m.shelves) / 2; i >= 0; i-- {
		m.sink(i)
	}
	return m
}

// entry is a key, or a common prefix and the first key that it stands for.
type entry struct {
	name, key string
	isPrefix  bool
	shard     *directory
	in        uint64
}

// next is not ok at the end.
func (m *merge) next() (e entry, ok bool) {
	for len(m.shelves) > 0 {
		top := m.shelves[0]
		key := top.keys[0]
		name, isPrefix := m.opts.Entry(key)
		if isPrefix {
			m.pass(beyond(top.keys, name))
		} else {
			m.pass(1)
		}
		if name <= m.opts.After || isPrefix && name == m.last {
			continue
		}
		if isPrefix {
			m.last = name
		}
		return entry{name, key, isPrefix, top.shard, top.in}, true
	}
	return entry{}, false
}

// beyond is the place of the first of keys that lies behind all with prefix,
// with which the first of them begins.
func beyond(keys []string, prefix string) int {
	return sort.Search(len(keys), func(i int) bool { return !strings.HasPrefix(keys[i], prefix) })
}

// pass takes the first keys off the first shelf, and puts it where it belongs.
func (m *merge) pass(keys int) {
	rest := m.shelves[0].keys[keys:]
	if len(rest) > 0 && strings.HasPrefix(rest[0], m.opts.Prefix) {
		m.shelves[0].keys = rest
	} else {
		end := len(m.shelves) - 1
		m.shelves[0] = m.shelves[end]
		m.shelves = m.shelves[:end]
	}
	m.sink(0)
}

// sink restores the heap below i.
func (m *merge) sink(i int) {
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(m.shelves); child++ {
			if m.shelves[child].keys[0] < m.shelves[least].keys[0] {
				least = child
			}
		}
		if least == i {
			return
		}
		m.shelves[i], m.shelves[least] = m.shelves[least], m.shelves[i]
		i = least
	}
}
