package api

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/app/store"
)

// page is a listing as a client reads it.
type page struct {
	Objects    []stored `json:"objects"`
	Prefixes   []string `json:"prefixes"`
	NextCursor *string  `json:"next_cursor"`
}

func (p page) keys() []string {
	keys := []string{}
	for _, o := range p.Objects {
		keys = append(keys, o.Key)
	}
	return keys
}

func (b *bench) list(query string) page {
	b.t.Helper()
	got := b.do("GET", "/v1/objects"+query, "")
	require.Equal(b.t, 200, got.status, got.body)
	var p page
	decoder := json.NewDecoder(strings.NewReader(got.body))
	decoder.DisallowUnknownFields()
	require.NoError(b.t, decoder.Decode(&p), got.body)
	require.NotNil(b.t, p.Objects, "objects is null")
	require.NotNil(b.t, p.Prefixes, "prefixes is null")
	require.Contains(b.t, got.body, `"next_cursor":`)
	return p
}

func (b *bench) fill(keys ...string) {
	b.t.Helper()
	for _, key := range keys {
		require.Equal(b.t, 201, b.do("PUT", location(key), "x").status, key)
	}
}

func TestAListingShowsWhatPutAnswered(t *testing.T) {
	b := newBench(t)
	require.JSONEq(t, `{"objects":[],"prefixes":[],"next_cursor":null}`, b.do("GET", "/v1/objects", "").body)
	put := b.do("PUT", "/v1/objects/a%3Cb", "hello", "Content-Type: text/plain")
	got := b.do("GET", "/v1/objects", "")
	require.JSONEq(t, `{"objects":[`+put.body+`],"prefixes":[],"next_cursor":null}`, got.body)
	require.Equal(t, "application/json; charset=utf-8", got.header.Get("Content-Type"))
	head := b.do("HEAD", "/v1/objects", "")
	require.Equal(t, 200, head.status)
	require.Empty(t, head.body)
	require.Equal(t, got.header.Get("Content-Length"), head.header.Get("Content-Length"))
	require.Equal(t, 204, b.do("DELETE", "/v1/objects/a%3Cb", "").status)
	require.Empty(t, b.list("").Objects, "a deleted object is listed")
}

func TestAListingGoesInByteOrderFromPageToPage(t *testing.T) {
	b := newBench(t)
	keys := []string{"a", "a b", "a+b", "a//b", "a/b", "a/b/c", "a/é", "a0", "b/1", "b/2", "z", "é/1", "é/2", "\U0001F9A6"}
	b.fill(keys...)
	slices.Sort(keys)
	for _, limit := range []int{1, 2, 3, 5, 13, 14, 15, 1000} {
		for _, c := range []struct {
			prefix, delimiter string
			objects, prefixes []string
		}{
			{"", "", keys, []string{}},
			{"", "/", []string{"a", "a b", "a+b", "a0", "z", "\U0001F9A6"}, []string{"a/", "b/", "é/"}},
			{"a", "/", []string{"a", "a b", "a+b", "a0"}, []string{"a/"}},
			{"a/", "/", []string{"a/b", "a/é"}, []string{"a//", "a/b/"}},
			{"a", "", []string{"a", "a b", "a+b", "a//b", "a/b", "a/b/c", "a/é", "a0"}, []string{}},
			{"", "é", []string{"a", "a b", "a+b", "a//b", "a/b", "a/b/c", "a0", "b/1", "b/2", "z", "\U0001F9A6"}, []string{"a/é", "é"}},
			{"nothing", "/", []string{}, []string{}},
			{"a+", "", []string{"a+b"}, []string{}},
		} {
			objects, prefixes := []string{}, []string{}
			query := fmt.Sprintf("?prefix=%s&delimiter=%s&limit=%d", url.PathEscape(c.prefix), url.PathEscape(c.delimiter), limit)
			p := b.list(query)
			for pages := 1; ; pages++ {
				require.LessOrEqual(t, len(p.Objects)+len(p.Prefixes), limit)
				objects, prefixes = append(objects, p.keys()...), append(prefixes, p.Prefixes...)
				if p.NextCursor == nil {
					require.Equal(t, max(1, (len(objects)+len(prefixes)+limit-1)/limit), pages, "a page is not full")
					break
				}
				require.Equal(t, limit, len(p.Objects)+len(p.Prefixes))
				p = b.list(query + "&cursor=" + *p.NextCursor)
			}
			require.Equal(t, c.objects, objects, "%s", query)
			require.Equal(t, c.prefixes, prefixes, "%s: each once, over all pages", query)
		}
	}
}

func TestAPageHolds100EntriesUnlessTold(t *testing.T) {
	b := newBench(t)
	for i := range 101 {
		b.fill(fmt.Sprintf("k%03d", i))
	}
	p := b.list("")
	require.Len(t, p.Objects, 100)
	require.NotNil(t, p.NextCursor)
	p = b.list("?prefix=&delimiter=&cursor=" + *p.NextCursor)
	require.Equal(t, []string{"k100"}, p.keys())
	require.Nil(t, p.NextCursor)
	require.Len(t, b.list("?limit=1000&cursor=").Objects, 101)
}

func TestABadListingIsRefusedWithWhatWasGiven(t *testing.T) {
	b := newBench(t)
	b.fill("a/1", "a/2", "b")
	cursor := *b.list("?prefix=a&limit=1").NextCursor
	for query, want := range map[string]string{
		"limit=0":                               `limit is "0"; want a whole number from 1 to 1000.`,
		"limit=1001":                            `limit is "1001"; want a whole number from 1 to 1000.`,
		"limit=":                                `limit is ""`,
		"limit":                                 `limit is ""`,
		"limit=-1":                              `limit is "-1"`,
		"limit=+1":                              `limit is "+1"`,
		"limit=%201":                            `limit is " 1"`,
		"limit=01":                              `limit is "01"`,
		"limit=1.0":                             `limit is "1.0"`,
		"limit=1e2":                             `limit is "1e2"`,
		"limit=0x10":                            `limit is "0x10"`,
		"limit=%D9%A1":                          `limit is "١"`,
		"limit=99999999999999999999":            `limit is "99999999999999999999"`,
		"limit=1&limit=1":                       "limit is given twice",
		"prefix=a&prefix=b":                     "prefix is given twice",
		"prefix=a&%70refix=a":                   "prefix is given twice",
		"delimiter=/&delimiter=/":               "delimiter is given twice",
		"cursor=&cursor=":                       "cursor is given twice",
		"prefix=%zz":                            "not followed by two hex digits",
		"prefix=a%2":                            "not followed by two hex digits",
		"%=1":                                   "not followed by two hex digits",
		"prefix=%FF":                            `prefix is "\xff"; want at most 1,024 bytes of UTF-8 without control characters.`,
		"prefix=%C3":                            `prefix is "\xc3"`,
		"prefix=a%00":                           `prefix is "a\x00"`,
		"prefix=%C2%80":                         `prefix is "\u0080"`,
		"prefix=" + strings.Repeat("k", 1025):   `prefix is "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"…`,
		"delimiter=//":                          `delimiter is "//"; want one character that a key may hold.`,
		"delimiter=e%CC%81":                     "delimiter is \"e\u0301\"",
		"delimiter=%C3":                         `delimiter is "\xc3"`,
		"delimiter=%0A":                         `delimiter is "\n"`,
		"process=upper":                         "process goes with GET of an object only, not with a listing.",
		"process":                               "process goes with",
		"cursor=x":                              `cursor is "x"; want the next_cursor`,
		"cursor=" + cursor:                      "with the same prefix and delimiter",
		"prefix=b&cursor=" + cursor:             "with the same prefix and delimiter",
		"prefix=a/&cursor=" + cursor:            "with the same prefix and delimiter",
		"prefix=a&delimiter=/&cursor=" + cursor: "with the same prefix and delimiter",
		"prefix=a&cursor=" + cursor + "A":       "want the next_cursor",
		"prefix=a&cursor=" + cursor[1:]:         "want the next_cursor",
		"prefix=a&cursor=" + strings.ToLower(cursor): "want the next_cursor",
		"prefix=a&cursor=a/1":                        "want the next_cursor",
	} {
		p := b.wantProblem(b.do("GET", "/v1/objects?"+query, ""), 400)
		require.Contains(t, p.Detail, want, query)
		require.Equal(t, 400, b.do("HEAD", "/v1/objects?"+query, "").status, query)
	}
	require.Equal(t, []string{"a/2"}, b.list("?cursor="+cursor+"&prefix=a&limit=1000").keys(), "a cursor does not bind the limit")
	require.Len(t, b.list("?Limit=0&perfix=b&x&&=&y=%zz").Objects, 3, "an unknown parameter is passed over")
}

func TestTheListingTakesGetAndHeadOnly(t *testing.T) {
	b := newBench(t)
	for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "BREW"} {
		got := b.do(method, "/v1/objects", "")
		b.wantProblem(got, 405)
		require.Equal(t, "GET, HEAD", allowOf(got), method)
	}
	require.Equal(t, 200, b.do("GET", "/v1/objects", "", "Authorization: Bearer "+readerToken).status)
	require.Equal(t, 401, b.do("GET", "/v1/objects", "", "Authorization:").status)
	require.Equal(t, 400, b.do("GET", "/v1/objects/", "").status, "an empty key is no listing")
}

func TestAListingThatTheStoreCannotGiveIsNotAnEmptyOne(t *testing.T) {
	for status, broken := range map[int]func(store.Page) (store.Page, error){
		503: func(store.Page) (store.Page, error) {
			return store.Page{}, fmt.Errorf("disk: %w", store.ErrUnavailable)
		},
		500: func(p store.Page) (store.Page, error) { p.More = true; return p, nil }, // for ever
	} {
		b := newBench(t, func(c *Config) { c.Store = listless{c.Store, broken} })
		b.wantProblem(b.do("GET", "/v1/objects", ""), status)
	}
}

func TestACursorRoundTripsForItsListingOnly(t *testing.T) {
	after := "a/é+b/"
	for _, opts := range []store.ListOptions{{}, {Prefix: "a/"}, {Delimiter: "/"}, {Prefix: "a/", Delimiter: "é"}, {Prefix: after}} {
		cursor := formatCursor(opts, after)
		require.Equal(t, cursor, url.PathEscape(cursor), "a cursor needs no escapes")
		got, ok := parseCursor(opts, cursor)
		require.True(t, ok)
		require.Equal(t, after, got)
		for i := range cursor {
			changed := []byte(cursor)
			changed[i] ^= 1
			_, ok := parseCursor(opts, string(changed))
			require.False(t, ok, "taken with another byte %d", i)
			_, ok = parseCursor(opts, cursor[:i])
			require.False(t, ok, "taken when cut to %d", i)
		}
	}
}

func TestListedTimesAreInUTC(t *testing.T) {
	b := newBench(t)
	b.fill("k")
	require.Equal(t, time.UTC, b.list("").Objects[0].Modified.Location())
	require.Contains(t, b.do("GET", "/v1/objects", "").body, `Z"`)
}
