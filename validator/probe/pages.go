package probe

import (
	"context"
	"fmt"
	"slices"

	"bogops/validator/target"
	"bogops/validator/verdict"
)

func listDelimiter(ctx context.Context, s *Session) (string, error) {
	p := s.Key(s.Word(8) + "/")
	a, b, c, d := p+"a"+s.Word(3), p+"b"+s.Word(3), p+"c"+s.Word(3), p+"d"+s.Word(3)
	keys := []string{a + "/1", a + "/2", a + "/3/4", b, c + "/d/e", c + "/f", d + "é1", d + "é2", d + "-3"}
	if _, err := s.storeAll(ctx, keys); err != nil {
		return "", err
	}
	if err := s.shown(ctx, p, keys); err != nil {
		return "", err
	}
	for _, fold := range []struct {
		prefix, delimiter string
		objects, prefixes []string
	}{
		{p, "/", []string{b, d + "-3", d + "é1", d + "é2"}, []string{a + "/", c + "/"}},
		{c + "/", "/", []string{c + "/f"}, []string{c + "/d/"}},
		{a, "/", nil, []string{a + "/"}},
		{a + "/", "/", []string{a + "/1", a + "/2"}, []string{a + "/3/"}},
		{d, "é", []string{d + "-3"}, []string{d + "é"}},
		{d, "-", []string{d + "é1", d + "é2"}, []string{d + "-"}},
		{p + s.Word(9), "/", nil, nil},
	} {
		what := fmt.Sprintf("listing with delimiter %s", fold.delimiter)
		got, err := s.complete(ctx, "GET of a "+what, len(keys), s.elsewhere, "prefix", fold.prefix, "delimiter", fold.delimiter)
		if err != nil {
			return "", err
		}
		if err := wantKeys("A "+what, "keys", got.keys(), fold.objects); err != nil {
			return "", err
		}
		if err := wantKeys("A "+what, "prefixes", got.Prefixes, fold.prefixes); err != nil {
			return "", err
		}
	}
	// One item a page makes every prefix the last of its page once.
	times := map[string]int{}
	_, err := s.walk(ctx, len(keys), func() int { return 1 }, func(got page, _ int) error {
		for _, prefix := range got.Prefixes {
			if times[prefix]++; times[prefix] > 1 {
				return verdict.Wrong("A listing page by page", fmt.Sprintf("the prefix %s again", quoted(prefix)), "each prefix once over all pages")
			}
		}
		return nil
	}, "prefix", p, "delimiter", "/")
	return "keys folded by three delimiters, each prefix shown once", err
}

// complete asks for a listing and for the pages that follow: a page may hold
// less than its limit. What has no end is another check's business. Apart says
// over which connection a page is asked for.
func (s *Session) complete(ctx context.Context, what string, items int, apart func(target.Request) target.Request, parameters ...string) (page, error) {
	var all page
	var cursor []string
	for range mostPages(items) {
		got, err := s.pageOf(ctx, what, apart(listing(slices.Concat(parameters, cursor)...)))
		if err != nil {
			return all, err
		}
		all.Objects = append(all.Objects, got.Objects...)
		all.Prefixes = append(all.Prefixes, got.Prefixes...)
		if got.NextCursor == nil {
			break
		}
		cursor = []string{"cursor", *got.NextCursor}
	}
	return all, nil
}

// walk follows the cursors to the end: with a drawn limit for each page, and
// the same other parameters. It gives up after so many pages that every one of
// items keys must long have been shown, and tells whether it met an end.
func (s *Session) walk(ctx context.Context, items int, limit func() int, look func(got page, limit int) error, parameters ...string) (ended bool, err error) {
	cursor := []string{}
	for range mostPages(items) {
		n := limit()
		got, err := s.page(ctx, "GET of a page of a listing", slices.Concat(parameters, []string{"limit", fmt.Sprint(n)}, cursor)...)
		if err != nil {
			return false, err
		}
		if err := look(got, n); err != nil {
			return false, err
		}
		if got.NextCursor == nil {
			return true, nil
		}
		cursor = []string{"cursor", *got.NextCursor}
	}
	return false, nil
}

// mostPages leaves room for pages that are not full.
func mostPages(items int) int { return 3*items + 10 }

func listPages(ctx context.Context, s *Session) (string, error) {
	prefix := s.Key(s.Word(8) + "/")
	var keys []string
	for range 5 {
		folder := prefix + s.Word(6)
		keys = append(keys, folder+"/1", folder+"/2", folder+"/3", prefix+s.Word(7))
	}
	if _, err := s.storeAll(ctx, keys); err != nil {
		return "", err
	}
	if err := s.shown(ctx, prefix, keys); err != nil {
		return "", err
	}
	slices.Sort(keys)
	drawn := func() int { return 1 + s.draw(7) }
	var seen []string
	ended, err := s.walk(ctx, len(keys), drawn, func(got page, limit int) error {
		seen = append(seen, got.keys()...)
		return wantWithin(got, limit)
	}, "prefix", prefix)
	if err != nil {
		return "", err
	}
	if !ended {
		return "", verdict.Wrong(fmt.Sprintf("A listing of %d keys page by page", len(keys)), fmt.Sprintf("no end after %d pages", mostPages(len(keys))), "next_cursor null at the end")
	}
	if err := wantKeys("A listing page by page", "keys", seen, keys); err != nil {
		return "", err
	}
	if err := s.listChanging(ctx, prefix, keys); err != nil {
		return "", err
	}
	folded := func(got page, limit int) error { return wantWithin(got, limit) }
	if _, err := s.walk(ctx, len(keys), drawn, folded, "prefix", prefix, "delimiter", "/"); err != nil {
		return "", err
	}
	for _, limit := range []int{len(keys), 1000} {
		got, err := s.page(ctx, fmt.Sprintf("GET of a listing with limit=%d", limit), "prefix", prefix, "limit", fmt.Sprint(limit))
		if err != nil {
			return "", err
		}
		if err := wantWithin(got, limit); err != nil {
			return "", err
		}
	}
	// Without a prefix this is whatever the platform holds, perhaps very much.
	got, err := s.page(ctx, "GET of a listing without parameters")
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%d keys once each, over pages of varying limits", len(keys)), wantWithin(got, 100)
}

// listChanging removes the first key that it was shown, and goes on: a cursor
// that counts would now pass over another one.
func (s *Session) listChanging(ctx context.Context, prefix string, keys []string) error {
	var seen []string
	removed := false
	_, err := s.walk(ctx, len(keys), func() int { return 3 }, func(got page, _ int) error {
		seen = append(seen, got.keys()...)
		if removed || len(seen) == 0 {
			return nil
		}
		removed = true
		_, err := s.expect(ctx, "DELETE of an object", deleting(seen[0]), 204)
		return err
	}, "prefix", prefix)
	if err != nil {
		return err
	}
	return wantKeys("A listing page by page, while a key already shown was removed,", "keys", seen, keys)
}

// wantWithin is nil where the page holds at most limit objects and prefixes.
func wantWithin(got page, limit int) error {
	if n := len(got.Objects) + len(got.Prefixes); n > limit {
		return verdict.Wrong(fmt.Sprintf("A page of a listing with a limit of %d", limit),
			fmt.Sprintf("%d objects and %d prefixes", len(got.Objects), len(got.Prefixes)), fmt.Sprintf("at most %d together", limit))
	}
	return nil
}
