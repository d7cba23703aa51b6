package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"bogops/app/process"
	"bogops/app/store"
)

// Whatever stands in a path: one key reaches the store, or none and the answer
// is 400; and the Location of a PUT leads to the same key.
func FuzzKeyInThePath(f *testing.F) {
	for _, path := range []string{
		"k", "", "a%2Fb", "a//b", "c+d", "%252F", ".", "a/../b", "%2e%2E", "%00", "%C0%AF", "%ED%A0%80", "é", "a%2", "%zz", "..%2f", "a?b", "a;b", "*",
		"%F0%9F%A6%A6", strings.Repeat("k", 1025), "/", "//", "a/", "%2F", "a%20b", "[", "|", "%7f", "a:b@c", "\\..\\", "%5c", "%E2%80%AE",
	} {
		f.Add(path)
	}
	d := newDirect()
	f.Fuzz(func(t *testing.T, path string) {
		path, _, _ = strings.Cut(path, "?")
		d.store.keys = nil
		put := d.ask(t, "PUT", "/v1/objects/"+path, "body")
		if put == nil {
			return
		}
		if put.Code == 400 {
			require.Empty(t, d.store.keys, "refused, and asked of the store")
			return
		}
		require.Contains(t, []int{200, 201}, put.Code, put.Body)
		require.Len(t, slices.Compact(d.store.keys), 1)
		key := d.store.keys[0]
		var answer stored
		require.NoError(t, json.Unmarshal(put.Body.Bytes(), &answer))
		require.Equal(t, key, answer.Key, "the answer names another key")
		d.store.keys = nil
		got := d.ask(t, "GET", put.Header().Get("Location"), "")
		require.NotNil(t, got, "Location is no target")
		require.Equal(t, 200, got.Code)
		require.Equal(t, "body", got.Body.String())
		require.Equal(t, []string{key}, slices.Compact(d.store.keys), "Location leads elsewhere")
		require.Equal(t, 204, d.ask(t, "DELETE", "/v1/objects/"+path, "").Code)
		require.Equal(t, 404, d.ask(t, "GET", put.Header().Get("Location"), "").Code)
	})
}

// A range that was understood lies in the object, means the same when it is
// written again, and is what the answer holds.
func FuzzRange(f *testing.F) {
	for _, header := range []string{
		"bytes=0-0", "bytes=5-", "bytes=-5", "bytes=-0", "bytes=0-0,-1", "bytes=9-3", "items=0-1", "bytes=1-99999999999999999999", "bytes=,1-2,",
		"bytes=00-01", "bytes=0-1,0-1,0-1", "bytes= 1-2", "bytes=9223372036854775807-", "bytes=-9223372036854775807", "bytes=0-9223372036854775806", "",
	} {
		f.Add(header, int64(10))
	}
	f.Add("bytes=1-,0-", int64(math.MaxInt64))
	d := newDirect()
	f.Fuzz(func(t *testing.T, header string, size int64) {
		size = max(0, size)
		spans := parseRange([]string{header})
		require.LessOrEqual(t, len(spans), maxSpans)
		parts, ok := partsOf(spans, size)
		total := int64(0)
		for _, p := range parts {
			require.True(t, ok)
			require.GreaterOrEqual(t, p.Offset, int64(0))
			require.Positive(t, p.Length)
			require.LessOrEqual(t, p.Offset, size-p.Length, "%+v of %d", p, size)
			total += p.Length
		}
		require.True(t, 0 <= total && total <= size, "%d bytes of %d", total, size)
		for _, s := range spans {
			again := parseRange([]string{"bytes=" + text(s)})
			require.Equal(t, []span{s}, again, text(s))
			if asked, known := s.asked(); known && s.satisfiable(size) {
				from, to := asked.Clip(size)
				require.Equal(t, s.within(size), store.Range{Offset: from, Length: to - from}, "asked of the store before and after its size is known")
			}
		}

		content := "0123456789abcdefghijklmnopqrstuvwxyz"[:size%37]
		require.Contains(t, []int{200, 201}, d.ask(t, "PUT", "/v1/objects/k", content).Code)
		got := d.ask(t, "GET", "/v1/objects/k", "", "Range", header)
		parts, ok = partsOf(spans, int64(len(content)))
		switch {
		case spans != nil && !ok:
			require.Equal(t, 416, got.Code)
			require.Equal(t, fmt.Sprintf("bytes */%d", len(content)), got.Header().Get("Content-Range"))
		case parts == nil:
			require.Equal(t, 200, got.Code)
			require.Equal(t, content, got.Body.String())
		default:
			require.Equal(t, 206, got.Code)
			require.Equal(t, strconv.Itoa(got.Body.Len()), got.Header().Get("Content-Length"))
			for i, p := range partsOfAnswer(t, got) {
				require.Equal(t, contentRange(parts[i], int64(len(content))), p.described)
				require.Equal(t, content[parts[i].Offset:][:parts[i].Length], p.content)
			}
		}
	})
}

// text is a span as a header has it.
func text(s span) string {
	switch {
	case s.suffix:
		return fmt.Sprintf("-%d", s.last)
	case s.last == math.MaxInt64:
		return fmt.Sprintf("%d-", s.first)
	}
	return fmt.Sprintf("%d-%d", s.first, s.last)
}

// A list of tags that was understood means the same when it is written again,
// and a write under If-Match takes effect only where the object's own tag is
// in it.
func FuzzEntityTags(f *testing.F) {
	for _, list := range []string{`"a"`, `W/"a"`, "*", `"a,b", "c"`, `"a" "b"`, `,"a",,`, `"`, `W/`, `"a`, `""`, "*,*", "\t\"x\"\t", `"é"`, `"a\"b"`, `"TAG"`, `W/"TAG"`, `"x","TAG"`} {
		f.Add(list)
	}
	d := newDirect()
	f.Fuzz(func(t *testing.T, list string) {
		put := d.ask(t, "PUT", "/v1/objects/k", "old")
		etag := put.Header().Get("ETag")
		list = strings.ReplaceAll(list, `"TAG"`, etag)
		tags, ok := parseTags(list)
		for _, tag := range tags {
			require.Regexp(t, `(?s)^(\*|(W/)?"[^"\x00-\x20\x7f]*")$`, tag)
		}
		if ok {
			again, ok := parseTags(strings.Join(tags, " ,\t"))
			require.True(t, ok)
			require.Equal(t, tags, again)
		}
		strongly := slices.Contains(tags, etag) || slices.Contains(tags, "*")
		weakly := strongly || slices.Contains(tags, "W/"+etag)
		want := func(hit, miss int, matched bool) int {
			switch {
			case !ok:
				return 400
			case matched:
				return hit
			}
			return miss
		}
		require.Equal(t, want(200, 412, strongly), d.ask(t, "GET", "/v1/objects/k", "", "If-Match", list).Code)
		require.Equal(t, want(304, 200, weakly), d.ask(t, "GET", "/v1/objects/k", "", "If-None-Match", list).Code)
		require.Equal(t, want(404, 404, weakly), d.ask(t, "GET", "/v1/objects/none", "", "If-None-Match", list).Code)
		require.Equal(t, want(412, 412, strongly), d.ask(t, "PUT", "/v1/objects/none", "", "If-Match", list).Code)
		code := d.ask(t, "PUT", "/v1/objects/k", "new", "If-Match", list).Code
		require.Equal(t, want(200, 412, strongly), code)
		require.Equal(t, code == 200, d.ask(t, "GET", "/v1/objects/k", "").Body.String() == "new")
	})
}

// A listing is refused, or it is the page that the store's rules select for
// the options that its query reads as.
func FuzzListing(f *testing.F) {
	for _, query := range []string{
		"", "prefix=a", "prefix=a/&delimiter=/", "limit=1", "limit=1001", "delimiter=%C3%A9", "cursor=x", "prefix=%FF", "prefix=a&prefix=b", "process=upper",
		"limit=2&cursor=AQAAYWJjZA", "a=b&&=&;", "prefix=+", "delimiter=&cursor=&prefix=", "limit=01", "%6cimit=1", "prefix=%2500",
	} {
		f.Add(query)
	}
	d := newDirect()
	keys := []string{"a", "a b", "a+b", "a//b", "a/b", "a/b/c", "a/é", "a0", "b/1", "b/2", "é/1", "é/2"}
	for _, key := range keys {
		d.fill(f, key)
	}
	slices.Sort(keys)
	f.Fuzz(func(t *testing.T, query string) {
		d.store.lists = nil
		got := d.ask(t, "GET", "/v1/objects?"+query, "")
		if got == nil {
			return
		}
		if got.Code == 400 {
			require.Empty(t, d.store.lists, "refused, and asked of the store")
			return
		}
		require.Equal(t, 200, got.Code, got.Body)
		require.Len(t, d.store.lists, 1)
		opts := d.store.lists[0]
		var answer page
		require.NoError(t, json.Unmarshal(got.Body.Bytes(), &answer))
		objects, prefixes, more := store.Select(keys, opts)
		require.Equal(t, append([]string{}, objects...), answer.keys())
		require.Equal(t, append([]string{}, prefixes...), answer.Prefixes)
		require.Equal(t, more, answer.NextCursor != nil)
		if more {
			after, ok := parseCursor(opts, *answer.NextCursor)
			require.True(t, ok)
			require.Equal(t, max(slices.Max(append(objects, "")), slices.Max(append(prefixes, ""))), after)
		}
	})
}

// A cursor means what it was made of, to its own listing; and whatever is
// taken as a cursor is what formatCursor would have made.
func FuzzCursor(f *testing.F) {
	f.Add("a/", "/", "a/b/", "")
	f.Add("", "", "k", formatCursor(store.ListOptions{}, "k"))
	f.Add("a", "é", "aé", formatCursor(store.ListOptions{Prefix: "a", Delimiter: "é"}, "aé"))
	f.Add("", "", "", "AQAA")
	f.Add("p", "", "p", "AYEA")
	f.Fuzz(func(t *testing.T, prefix, delimiter, after, cursor string) {
		opts := store.ListOptions{Prefix: prefix, Delimiter: delimiter}
		if store.CheckKey(after) == nil && strings.HasPrefix(after, prefix) && utf8.RuneCountInString(delimiter) <= 1 {
			got, ok := parseCursor(opts, formatCursor(opts, after))
			require.True(t, ok)
			require.Equal(t, after, got)
			other := opts
			other.Delimiter += "x"
			_, ok = parseCursor(other, formatCursor(opts, after))
			require.False(t, ok, "taken for another delimiter")
			if prefix != "" {
				_, ok = parseCursor(store.ListOptions{Delimiter: delimiter}, formatCursor(opts, after))
				require.False(t, ok, "taken for another prefix")
			}
		}
		if got, ok := parseCursor(opts, cursor); ok {
			require.NoError(t, store.CheckKey(got))
			require.True(t, strings.HasPrefix(got, prefix))
			require.Equal(t, cursor, formatCursor(opts, got))
		}
	})
}

// A dictionary that was understood means the same when it is written again;
// and a body is stored only where every digest of it that was given is right.
func FuzzDigests(f *testing.F) {
	for _, header := range []string{
		sum256("body"), sum512("body"), sum256("other"), "sha-256=:AAAA:", "md5=:AAAA:, " + sum256("body"), "sha-256", "a=1;b=2", `a="x"`, "a=?1", "",
		sum256("body") + ", " + sum256("other"), "sha-256=10", "sha-512=3, sha-256=0", "a=1.5", ",", "a=*x:/", "sha-256=::",
	} {
		f.Add(header, "body")
	}
	d := newDirect()
	f.Fuzz(func(t *testing.T, header, body string) {
		members, ok := parseDictionary(header)
		if ok {
			var written []string
			for _, m := range members {
				if m.item != "" {
					m.key += "=" + m.item
				}
				written = append(written, m.key)
			}
			again, ok := parseDictionary(strings.Join(written, ", "))
			require.True(t, ok)
			require.Equal(t, members, again)
		}
		require.Equal(t, 204, d.ask(t, "DELETE", "/v1/objects/k", "").Code)
		put := d.ask(t, "PUT", "/v1/objects/k", body, "Content-Digest", header)
		got := d.ask(t, "GET", "/v1/objects/k", "", "Want-Repr-Digest", header)
		if put.Code == 400 {
			require.Equal(t, 404, got.Code, "refused, and stored")
			return
		}
		require.Equal(t, 201, put.Code)
		require.True(t, ok)
		for _, m := range members {
			if m.key == "sha-256" {
				sum, ok := byteSequence(m.item)
				want := sha256.Sum256([]byte(body))
				require.True(t, ok && bytes.Equal(sum, want[:]), "stored under a digest that is another's")
			}
		}
		if digest := got.Header().Get("Repr-Digest"); digest != "" {
			require.Equal(t, sum256(body), digest)
		}
	})
}

// Metadata comes back as it was sent, or is refused and nothing is stored.
func FuzzMeta(f *testing.F) {
	f.Add("Colour", "green", "Size", "2", uint16(1))
	f.Add("a", "", "A", "x", uint16(1))
	f.Add("x", "v", "y", "", uint16(2046))
	f.Add("x", "v", "y", "", uint16(2047))
	f.Add("", "v", "b", "é", uint16(1))
	f.Add("a_b.c", "a  b", "!#$", "\x7f", uint16(1))
	d := newDirect()
	f.Fuzz(func(t *testing.T, nameA, valueA, nameB, valueB string, times uint16) {
		if len(nameA)+len(valueA)+len(nameB)+len(valueB) > 2100 {
			return
		}
		valueA = strings.Repeat(valueA, min(int(times), 2100/max(1, len(valueA))))
		want := map[string]string{}
		size, visible, named := 0, true, true
		var headers []string
		for _, h := range [][2]string{{nameA, valueA}, {nameB, valueB}} {
			name, value := http.CanonicalHeaderKey(metaPrefix+h[0]), strings.Trim(h[1], " \t")
			if strings.ContainsFunc(name, func(r rune) bool {
				return r > '~' || r <= ' ' || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
			}) || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
				return // net/http refuses it
			}
			if old, twice := want[name]; twice {
				value = old + ", " + value
			}
			want[name] = value
			headers = append(headers, metaPrefix+h[0], strings.Trim(h[1], " \t"))
			named = named && h[0] != ""
		}
		for name, value := range want {
			size += len(name) - len(metaPrefix) + len(value)
			visible = visible && !strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' })
		}
		require.Equal(t, 204, d.ask(t, "DELETE", "/v1/objects/k", "").Code)
		put := d.ask(t, "PUT", "/v1/objects/k", "x", headers...)
		got := d.ask(t, "GET", "/v1/objects/k", "")
		if !named || !visible || size > 2048 {
			require.Equal(t, 400, put.Code)
			require.Equal(t, 404, got.Code)
			return
		}
		require.Equal(t, 201, put.Code)
		require.Equal(t, want, metaOf(reply{got.Code, got.Header(), ""}))
	})
}

// A query with process is refused, or the answer is what the chain makes; one
// without is the object.
func FuzzProcessQuery(f *testing.F) {
	for _, query := range []string{
		"process=upper", "process=slice:1:2,reverse", "process=xor:a", "process=gzip", "process=stretch:n:1", "process=hmac%3Ax%2Cbase64", "process",
		"process=a&process=b", "%70rocess=upper", "process=+", "process=upper,", "x=1&y", "%zz", "process=sha256&x=%FF", "Process=upper", "process=%75pper",
	} {
		f.Add(query)
	}
	d := newDirect()
	const content = "Hello, otters of the bog! \x00\xff"
	f.Fuzz(func(t *testing.T, query string) {
		if strings.Contains(query, "stretch") && len(query) > 60 {
			return // correct, and too slow to try often
		}
		require.Contains(t, []int{200, 201}, d.ask(t, "PUT", "/v1/objects/k", content).Code)
		got := d.ask(t, "GET", "/v1/objects/k?"+query, "")
		if got == nil {
			return
		}
		raw, asked, err := processQuery(query)
		head := d.ask(t, "HEAD", "/v1/objects/k?"+query, "").Code
		if err != nil || asked {
			require.Equal(t, 400, head)
		}
		if err != nil {
			require.Equal(t, 400, got.Code)
			return
		}
		if !asked {
			require.Equal(t, 200, got.Code)
			require.Equal(t, content, got.Body.String())
			return
		}
		chain, err := process.Parse(raw)
		if err != nil {
			require.Equal(t, 400, got.Code)
			return
		}
		require.Equal(t, 200, got.Code, got.Body)
		var want bytes.Buffer
		_, err = want.ReadFrom(chain.Apply(t.Context(), strings.NewReader(content), int64(len(content))))
		require.NoError(t, err)
		require.True(t, bytes.Equal(want.Bytes(), got.Body.Bytes()), "%s", raw)
		require.Empty(t, got.Header().Get("ETag"))
		require.Equal(t, "no-store", got.Header().Get("Cache-Control"))
		if length := got.Header().Get("Content-Length"); length != "" {
			require.Equal(t, strconv.Itoa(got.Body.Len()), length)
		}
	})
}
