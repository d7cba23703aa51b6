package store

import (
	"sort"
	"strings"
)

// Select picks from all keys, in byte order, those that a page with opts
// shows. An entry of a listing is a key, or the part of a key up to the first
// delimiter after the prefix, which stands once for all keys that it begins.
// The page holds the first entries that sort after opts.After; a Limit of 0
// or less is no limit.
func Select(keys []string, opts ListOptions) (objects, prefixes []string, more bool) {
	from := sort.SearchStrings(keys, opts.Prefix)
	last := ""
	for _, key := range keys[from:] {
		if !strings.HasPrefix(key, opts.Prefix) {
			break
		}
		entry, isPrefix := opts.Entry(key)
		if entry <= opts.After || isPrefix && entry == last {
			continue
		}
		if opts.Limit > 0 && len(objects)+len(prefixes) == opts.Limit {
			return objects, prefixes, true
		}
		if last = ""; isPrefix {
			prefixes, last = append(prefixes, entry), entry
		} else {
			objects = append(objects, key)
		}
	}
	return objects, prefixes, false
}

// Entry returns what stands for key, which begins with opts.Prefix, in
// a listing with opts: the key, or a common prefix.
func (opts ListOptions) Entry(key string) (entry string, isPrefix bool) {
	if opts.Delimiter == "" {
		return key, false
	}
	rest := key[len(opts.Prefix):]
	at := strings.Index(rest, opts.Delimiter)
	if at < 0 {
		return key, false
	}
	return key[:len(opts.Prefix)+at+len(opts.Delimiter)], true
}

// Last is the entry of p that sorts last, the After of the next page; empty
// where the page is empty.
func (p Page) Last() string {
	last := ""
	if n := len(p.Objects); n > 0 {
		last = p.Objects[n-1].Key
	}
	if n := len(p.Prefixes); n > 0 {
		last = max(last, p.Prefixes[n-1])
	}
	return last
}
