package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"bogops/app/store"
)

// fill stores a small object under each key; its size is its place.
func fill(ctx context.Context, s store.Store, keys ...string) error {
	for i, key := range keys {
		if _, err := put(ctx, s, key, pattern(i, i)); err != nil {
			return err
		}
	}
	return nil
}

// shows checks one page that must end the listing.
func shows(ctx context.Context, s store.Store, opts store.ListOptions, objects, prefixes []string) error {
	page, err := s.List(ctx, opts)
	if err != nil {
		return fmt.Errorf("list %+v: %w", opts, err)
	}
	if got := keysOf(page); !slices.Equal(got, objects) || !slices.Equal(page.Prefixes, prefixes) {
		return fmt.Errorf("list %+v: got objects %q and prefixes %q, want %q and %q", opts, got, page.Prefixes, objects, prefixes)
	}
	if page.More {
		return fmt.Errorf("list %+v: got More after the last entry", opts)
	}
	return nil
}

func keysOf(page store.Page) []string {
	var keys []string
	for _, info := range page.Objects {
		keys = append(keys, info.Key)
	}
	return keys
}

func listOrder(ctx context.Context, subject Subject) error {
	s := subject.Store
	if err := shows(ctx, s, store.ListOptions{Limit: 10}, nil, nil); err != nil {
		return fmt.Errorf("an empty store: %w", err)
	}
	// In byte order "-" is before "/", "/" before "0", upper case before
	// lower, "é" after all of ASCII.
	keys := []string{"a", "a-b", "a/b", "a0", "a1", "a10", "a2", "aB", "ab", "b", "é"}
	reverse := slices.Clone(keys)
	slices.Reverse(reverse)
	if err := fill(ctx, s, reverse...); err != nil {
		return err
	}
	if err := shows(ctx, s, store.ListOptions{Limit: 100}, keys, nil); err != nil {
		return err
	}
	page, err := s.List(ctx, store.ListOptions{Limit: 100})
	if err != nil {
		return fmt.Errorf("list: %w", err)
	}
	for _, info := range page.Objects {
		stat, err := s.Stat(ctx, info.Key)
		if err != nil {
			return fmt.Errorf("stat %q: %w", info.Key, err)
		}
		if info.Size != stat.Size || info.ETag != stat.ETag || info.ContentType != stat.ContentType || !info.Modified.Equal(stat.Modified) {
			return fmt.Errorf("list: got %+v, want %+v as stat answers", info, stat)
		}
	}
	return nil
}

func listPrefix(ctx context.Context, subject Subject) error {
	s := subject.Store
	if err := fill(ctx, s, "a", "ab", "ab/c", "abc", "ac", "b"); err != nil {
		return err
	}
	return errors.Join(
		shows(ctx, s, store.ListOptions{Prefix: "ab", Limit: 100}, []string{"ab", "ab/c", "abc"}, nil),
		shows(ctx, s, store.ListOptions{Prefix: "ab/", Limit: 100}, []string{"ab/c"}, nil),
		shows(ctx, s, store.ListOptions{Prefix: "b", Limit: 100}, []string{"b"}, nil),
		shows(ctx, s, store.ListOptions{Prefix: "c", Limit: 100}, nil, nil),
	)
}

func listDelimiter(ctx context.Context, subject Subject) error {
	s := subject.Store
	if err := fill(ctx, s, "a", "d/1", "d/2", "d/e/1", "d/e/2", "d0", "f/1", "g-h", "éa"); err != nil {
		return err
	}
	return errors.Join(
		shows(ctx, s, store.ListOptions{Delimiter: "/", Limit: 100}, []string{"a", "d0", "g-h", "éa"}, []string{"d/", "f/"}),
		shows(ctx, s, store.ListOptions{Prefix: "d", Delimiter: "/", Limit: 100}, []string{"d0"}, []string{"d/"}),
		shows(ctx, s, store.ListOptions{Prefix: "d/", Delimiter: "/", Limit: 100}, []string{"d/1", "d/2"}, []string{"d/e/"}),
		shows(ctx, s, store.ListOptions{Prefix: "g", Delimiter: "-", Limit: 100}, nil, []string{"g-"}),
		shows(ctx, s, store.ListOptions{Prefix: "é", Delimiter: "é", Limit: 100}, []string{"éa"}, nil),
	)
}

// listPages walks listings with pages of every length.
func listPages(ctx context.Context, subject Subject) error {
	s := subject.Store
	if err := fill(ctx, s, "p/a", "p/d/1", "p/d/2", "p/d/3", "p/d0", "p/e/1", "p/f", "q"); err != nil {
		return err
	}
	for limit := 1; limit <= 8; limit++ {
		if err := errors.Join(
			walk(ctx, s, store.ListOptions{Limit: limit},
				[]string{"p/a", "p/d/1", "p/d/2", "p/d/3", "p/d0", "p/e/1", "p/f", "q"}),
			walk(ctx, s, store.ListOptions{Prefix: "p/", Delimiter: "/", Limit: limit},
				[]string{"p/a", "p/d/", "p/d0", "p/e/", "p/f"}),
			walk(ctx, s, store.ListOptions{Prefix: "p/", Delimiter: "/", After: "p/b", Limit: limit},
				[]string{"p/d/", "p/d0", "p/e/", "p/f"}),
		); err != nil {
			return err
		}
	}
	return nil
}

// walk goes from page to page, and wants these entries in this order.
func walk(ctx context.Context, s store.Store, opts store.ListOptions, want []string) error {
	var got []string
	for {
		page, err := s.List(ctx, opts)
		if err != nil {
			return fmt.Errorf("list %+v: %w", opts, err)
		}
		entries := append(keysOf(page), page.Prefixes...)
		slices.Sort(entries)
		got = append(got, entries...)
		if len(entries) > opts.Limit || len(got) > len(want) {
			return fmt.Errorf("list %+v: got a page of %q and in all %q, want at most %d a page and in all %q", opts, entries, got, opts.Limit, want)
		}
		if !page.More {
			break
		}
		if len(entries) == 0 {
			return fmt.Errorf("list %+v: got an empty page with more behind it", opts)
		}
		opts.After = page.Last()
	}
	if !slices.Equal(got, want) {
		return fmt.Errorf("pages of %d, prefix %q, delimiter %q: got %q, want %q", opts.Limit, opts.Prefix, opts.Delimiter, got, want)
	}
	return nil
}

// listAcknowledged lets some write, replace, delete and list keys of their own
// beside each other.
func listAcknowledged(ctx context.Context, subject Subject) error {
	const writers, each = 4, 5
	errs := make([]error, writers)
	var all sync.WaitGroup
	for n := range writers {
		all.Go(func() { errs[n] = listAsWritten(ctx, subject.Store, fmt.Sprintf("w%d/", n), each) })
	}
	all.Wait()
	return errors.Join(errs...)
}

func listAsWritten(ctx context.Context, s store.Store, prefix string, each int) error {
	var keys []string
	for i := range each {
		key := fmt.Sprint(prefix, i)
		keys = append(keys, key)
		if _, err := put(ctx, s, key, []byte(key)); err != nil {
			return err
		}
		if err := shows(ctx, s, store.ListOptions{Prefix: prefix, Limit: 100}, keys, nil); err != nil {
			return fmt.Errorf("after the put of %q: %w", key, err)
		}
		if _, err := put(ctx, s, keys[0], []byte("again")); err != nil {
			return err
		}
	}
	for len(keys) > 0 {
		if err := s.Delete(ctx, keys[0], ""); err != nil {
			return fmt.Errorf("delete %q: %w", keys[0], err)
		}
		if err := shows(ctx, s, store.ListOptions{Prefix: prefix, Limit: 100}, keys[1:], nil); err != nil {
			return fmt.Errorf("after the delete of %q: %w", keys[0], err)
		}
		keys = keys[1:]
	}
	return nil
}
