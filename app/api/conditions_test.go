package api

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/app/store"
)

func TestAReadIsConditionalInTheOrderOfTheRFC(t *testing.T) {
	b := newBench(t)
	put := b.do("PUT", "/v1/objects/k", "0123456789", "Bogops-Meta-A: b")
	etag := put.header.Get("ETag")
	modified, err := http.ParseTime(b.do("HEAD", "/v1/objects/k", "").header.Get("Last-Modified"))
	require.NoError(t, err)
	at := func(offset time.Duration) string { return modified.Add(offset).Format(http.TimeFormat) }
	now, before, after := at(0), at(-time.Second), at(time.Second)
	for _, c := range []struct {
		status  int
		headers []string
	}{
		{200, []string{"If-Match: " + etag}},
		{200, []string{"If-Match: *"}},
		{200, []string{`If-Match: "x", ` + etag}},
		{200, []string{`If-Match: "x"`, "If-Match: " + etag}},
		{412, []string{`If-Match: "x"`}},
		{412, []string{"If-Match: W/" + etag}}, // strong comparison
		{412, []string{`If-Match: "x"`, "If-None-Match: " + etag}},
		{412, []string{`If-Match: "x"`, "Range: bytes=99-"}},
		{200, []string{"If-Match: " + etag, "If-Unmodified-Since: " + before}}, // the date does not count beside tags
		{200, []string{"If-Unmodified-Since: " + now}},
		{200, []string{"If-Unmodified-Since: " + after}},
		{412, []string{"If-Unmodified-Since: " + before}},
		{412, []string{"If-Unmodified-Since: " + before, "If-None-Match: " + etag}},
		{200, []string{"If-Unmodified-Since: yesterday"}},
		{200, []string{"If-Unmodified-Since: " + before, "If-Unmodified-Since: " + before}},

		{304, []string{"If-None-Match: " + etag}},
		{304, []string{"If-None-Match: W/" + etag}}, // weak comparison
		{304, []string{"If-None-Match: *"}},
		{304, []string{`If-None-Match: "a,b" , W/"c",,` + etag}},
		{200, []string{`If-None-Match: "x"`}},
		{304, []string{"If-None-Match: " + etag, "If-Modified-Since: " + before}},
		{200, []string{`If-None-Match: "x"`, "If-Modified-Since: " + after}},
		{304, []string{"If-None-Match: " + etag, "Range: bytes=0-1"}},
		{304, []string{"If-None-Match: " + etag, "Range: bytes=99-"}},
		{304, []string{"If-Match: " + etag, "If-None-Match: " + etag}},

		{304, []string{"If-Modified-Since: " + now}},
		{304, []string{"If-Modified-Since: " + after}},
		{200, []string{"If-Modified-Since: " + before}},
		{304, []string{"If-Modified-Since: " + modified.Format("Monday, 02-Jan-06 15:04:05 GMT")}},
		{304, []string{"If-Modified-Since: " + modified.Format(time.ANSIC)}},
		{200, []string{"If-Modified-Since: " + modified.Format(time.RFC3339)}},
		{200, []string{"If-Modified-Since:"}},
		{200, []string{"If-Modified-Since: " + after, "If-Modified-Since: " + after}},
		{304, []string{"If-Modified-Since: " + now, "If-Unmodified-Since: " + now}},

		{400, []string{"If-Match: bare"}},
		{400, []string{"If-Match:"}},
		{400, []string{`If-None-Match: "open`}},
		{400, []string{`If-None-Match: "a" "b"`}},
		{400, []string{`If-None-Match: "a b"`}},
		{400, []string{`If-None-Match: w/"a"`}},
		{400, []string{`If-None-Match: *, "a"`}},
	} {
		for _, method := range []string{"GET", "HEAD"} {
			got := b.do(method, "/v1/objects/k", "", c.headers...)
			require.Equal(t, c.status, got.status, "%s %v", method, c.headers)
			if c.status == 304 {
				require.Empty(t, got.body)
				require.Equal(t, etag, got.header.Get("ETag"))
				require.Equal(t, now, got.header.Get("Last-Modified"))
				require.Equal(t, "no-cache", got.header.Get("Cache-Control"))
				require.Empty(t, got.header.Get("Content-Type"))
				require.Empty(t, got.header.Get("Content-Range"))
			}
		}
	}
}

func TestAConditionOnAMissingObjectFailsBefore404(t *testing.T) {
	b := newBench(t)
	for _, method := range []string{"GET", "HEAD"} {
		for header, want := range map[string]int{
			"If-Match: *": 412, `If-Match: "x"`: 412, `If-Match: W/"x"`: 412, "If-Match: x": 400,
			"If-None-Match: *": 404, `If-None-Match: "x"`: 404, "Range: bytes=9-": 404,
			"If-Unmodified-Since: Sat, 01 Jan 2000 00:00:00 GMT": 404, "If-Modified-Since: Sat, 01 Jan 2000 00:00:00 GMT": 404,
		} {
			require.Equal(t, want, b.do(method, "/v1/objects/missing", "", header).status, "%s with %s", method, header)
		}
	}
}

func TestIfRangeGivesTheRangeOfAnUnchangedObjectOnly(t *testing.T) {
	b := newBench(t)
	etag := b.do("PUT", "/v1/objects/k", "0123456789").header.Get("ETag")
	modified := b.do("HEAD", "/v1/objects/k", "").header.Get("Last-Modified")
	for _, asked := range []string{"bytes=2-3", "bytes=-3", "bytes=99-", "bytes=0-0,-1"} {
		for _, changed := range []string{`"x"`, "W/" + etag, modified, "Sat, 01 Jan 2000 00:00:00 GMT", "*", etag + ", " + etag, "bare"} {
			got := b.do("GET", "/v1/objects/k", "", "Range: "+asked, "If-Range: "+changed)
			require.Equal(t, 200, got.status, "%s with If-Range: %s", asked, changed)
			require.Equal(t, "0123456789", got.body)
		}
	}
	got := b.do("GET", "/v1/objects/k", "", "Range: bytes=-3", "If-Range: "+etag)
	require.Equal(t, 206, got.status)
	require.Equal(t, "789", got.body)
	require.Equal(t, 416, b.do("GET", "/v1/objects/k", "", "Range: bytes=99-", "If-Range: "+etag).status)
	require.Equal(t, 200, b.do("GET", "/v1/objects/k", "", "If-Range: "+etag).status)
	require.Equal(t, 304, b.do("GET", "/v1/objects/k", "", "If-Range: "+etag, "Range: bytes=0-1", "If-None-Match: "+etag).status)
}

func TestADateCountsInWholeSecondsAsItIsSent(t *testing.T) {
	at := time.Date(2025, 6, 1, 9, 0, 0, 999_999_999, time.UTC)
	p := preconditions{changeSince: at.Truncate(time.Second)}
	unchanged, err := p.check(store.Info{Modified: at})
	require.NoError(t, err)
	require.True(t, unchanged, "a fraction that Last-Modified does not show made the object newer")
	p = preconditions{unmodifiedSince: at.Truncate(time.Second)}
	_, err = p.check(store.Info{Modified: at})
	require.NoError(t, err)
}
