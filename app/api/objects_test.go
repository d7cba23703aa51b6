package api

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"image"
	"image/png"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAPutAnswersWhatWasStored(t *testing.T) {
	b := newBench(t)
	got := b.do("PUT", "/v1/objects/a%2Fb//c+d%20é", "hello", "Content-Type: text/plain; charset=utf-8", "Content-Encoding: gzip")
	require.Equal(t, 201, got.status, got.body)
	require.Equal(t, "/v1/objects/a/b//c+d%20%C3%A9", got.header.Get("Location"))
	etag := got.header.Get("ETag")
	require.Regexp(t, `^"[^"]+"$`, etag)
	var fields map[string]any
	require.NoError(t, json.Unmarshal([]byte(got.body), &fields))
	modified, err := time.Parse(time.RFC3339, fields["modified"].(string))
	require.NoError(t, err)
	require.Equal(t, time.UTC, modified.Location())
	require.WithinDuration(t, time.Now(), modified, time.Minute)
	delete(fields, "modified")
	require.Equal(t, map[string]any{
		"key": "a/b//c+d é", "size": 5.0, "etag": etag, "content_type": "text/plain; charset=utf-8",
	}, fields)

	read := b.do("GET", got.header.Get("Location"), "")
	require.Equal(t, "hello", read.body)
	require.Empty(t, read.header.Get("Content-Encoding"), "kept and sent back")
}

func TestASecondPutOfAKeyAnswers200AndReplacesIt(t *testing.T) {
	b := newBench(t)
	first := b.do("PUT", "/v1/objects/k", "one")
	second := b.do("PUT", "/v1/objects/k", "two!")
	require.Equal(t, []int{201, 200}, []int{first.status, second.status})
	require.NotEqual(t, first.header.Get("ETag"), second.header.Get("ETag"))
	require.Equal(t, "two!", b.do("GET", "/v1/objects/k", "").body)
}

func TestGetAndHeadDescribeTheObjectAlike(t *testing.T) {
	b := newBench(t)
	put := b.do("PUT", "/v1/objects/k", "some bytes\x00\xff")
	get, head := b.do("GET", "/v1/objects/k", ""), b.do("HEAD", "/v1/objects/k", "")
	require.Equal(t, 200, get.status)
	require.Equal(t, 200, head.status)
	require.Equal(t, "some bytes\x00\xff", get.body)
	require.Empty(t, head.body)
	for _, name := range []string{"Content-Length", "Content-Type", "ETag", "Last-Modified"} {
		require.NotEmpty(t, get.header.Get(name), name)
		require.Equal(t, get.header.Get(name), head.header.Get(name), name)
	}
	require.Equal(t, "12", get.header.Get("Content-Length"))
	require.Equal(t, "application/octet-stream", get.header.Get("Content-Type"))
	require.Equal(t, put.header.Get("ETag"), get.header.Get("ETag"))
	_, err := http.ParseTime(get.header.Get("Last-Modified"))
	require.NoError(t, err)
}

func TestAnEmptyObjectIsAnObject(t *testing.T) {
	b := newBench(t)
	require.Equal(t, 201, b.do("PUT", "/v1/objects/empty", "").status)
	got := b.do("GET", "/v1/objects/empty", "")
	require.Equal(t, 200, got.status)
	require.Equal(t, "0", got.header.Get("Content-Length"))
	require.Equal(t, "", got.body)
	require.Equal(t, "0", b.do("HEAD", "/v1/objects/empty", "").header.Get("Content-Length"))
}

func TestDeleteAnswers204AlsoWhereThereWasNothing(t *testing.T) {
	b := newBench(t)
	require.Equal(t, 204, b.do("DELETE", "/v1/objects/never", "").status)
	b.do("PUT", "/v1/objects/k", "x")
	require.Equal(t, 204, b.do("DELETE", "/v1/objects/k", "").status)
	b.wantProblem(b.do("GET", "/v1/objects/k", ""), 404)
	require.Equal(t, 404, b.do("HEAD", "/v1/objects/k", "").status)
	require.Equal(t, 201, b.do("PUT", "/v1/objects/k", "x").status)
}

func TestKeysAreDecodedExactlyOnceAndNeverResolved(t *testing.T) {
	b := newBench(t)
	for target, key := range map[string]string{
		"a/b":                          "a/b",
		"a%2fb%2Fc":                    "a/b/c",
		"a//b":                         "a//b",
		"a/b/":                         "a/b/",
		"/":                            "/",
		"c+d":                          "c+d",
		"%252F":                        "%2F",
		"%41":                          "A",
		"...":                          "...",
		"a/..b/.c":                     "a/..b/.c",
		"%E2%82%AC":                    "€",
		"q%3Fx%23y":                    "q?x#y",
		"list?limit=1":                 "list",
		strings.Repeat("k", 1024):      strings.Repeat("k", 1024),
		strings.Repeat("%C3%A9", 512):  strings.Repeat("é", 512),
		"%C2%A0":                       "\u00a0",
		"healthz":                      "healthz",
		"%F0%9F%A6%A6/.well-known/%25": "🦦/.well-known/%",
	} {
		got := b.do("PUT", "/v1/objects/"+target, "x")
		require.Equal(t, 201, got.status, "%s: %s", target, got.body)
		var put stored
		require.NoError(t, json.Unmarshal([]byte(got.body), &put))
		require.Equal(t, key, put.Key, target)
		require.Equal(t, "x", b.do("GET", got.header.Get("Location"), "").body, "the Location of %s leads elsewhere", target)
	}
	require.Equal(t, 404, b.do("GET", "/v1/objects/a/b/c/", "").status, "a/b/c and a/b/c/ are one key")
}

func TestWhatIsNoKeyIsRefused(t *testing.T) {
	b := newBench(t)
	for target, want := range map[string]string{
		"":                               "the key is empty",
		".":                              `it has "." as a segment`,
		"..":                             `it has ".." as a segment`,
		"a/../b":                         `it has ".." as a segment`,
		"../../healthz":                  `it has ".." as a segment`,
		"a/%2e%2E/b":                     `it has ".." as a segment`,
		"a%2F.%2e":                       `it has ".." as a segment`,
		"a/./b":                          `it has "." as a segment`,
		"a/.":                            `it has "." as a segment`,
		"%00":                            "U+0000",
		"a%0A":                           "U+000A",
		"%1f":                            "U+001F",
		"%7F":                            "U+007F",
		"%C2%80":                         "U+0080",
		"%C2%9F":                         "U+009F",
		"%FF":                            "not UTF-8",
		"%C0%AF":                         "not UTF-8",
		"%ED%A0%80":                      "not UTF-8",
		strings.Repeat("k", 1025):        "1025 bytes",
		strings.Repeat("%E2%82%AC", 342): "1026 bytes",
	} {
		for _, method := range []string{"PUT", "GET", "DELETE"} {
			p := b.wantProblem(b.do(method, "/v1/objects/"+target, ""), 400)
			require.Contains(t, p.Detail, want, "%s %s", method, target)
		}
		require.Equal(t, 400, b.do("HEAD", "/v1/objects/"+target, "").status, target)
	}
}

func TestAChunkedBodyIsStoredUpToTheLimit(t *testing.T) {
	b := newBench(t)
	chunked := func(size int) reply {
		// A reader of unknown kind: the client cannot tell its length.
		body := io.MultiReader(strings.NewReader(strings.Repeat("x", size)))
		r, err := http.NewRequest("PUT", b.url+"/v1/objects/chunked", body)
		require.NoError(t, err)
		r.Header.Set("Authorization", "Bearer "+judgeToken)
		return b.send(r)
	}
	require.Equal(t, 201, chunked(1000).status)
	require.Equal(t, "1000", b.do("HEAD", "/v1/objects/chunked", "").header.Get("Content-Length"))
	b.wantProblem(chunked(1001), 413)
	require.Equal(t, "1000", b.do("HEAD", "/v1/objects/chunked", "").header.Get("Content-Length"), "the refused body replaced the object")
}

func TestABodyOverTheLimitIsRefusedByItsLength(t *testing.T) {
	b := newBench(t)
	require.Equal(t, 201, b.do("PUT", "/v1/objects/k", strings.Repeat("x", 1000)).status)
	p := b.wantProblem(b.do("PUT", "/v1/objects/k2", strings.Repeat("x", 1001)), 413)
	require.Equal(t, "The body is 1001 bytes long; this platform takes at most 1000.", p.Detail)
	require.Equal(t, 404, b.do("HEAD", "/v1/objects/k2", "").status)
}

func TestAContentTypeThatCannotBeSentBackIsRefused(t *testing.T) {
	b := newBench(t)
	b.wantProblem(b.do("PUT", "/v1/objects/k", "x", "Content-Type: "+strings.Repeat("t", 256)), 400)
	b.wantProblem(b.do("PUT", "/v1/objects/k", "x", "Content-Type: text/\xff"), 400)
	require.Equal(t, 404, b.do("HEAD", "/v1/objects/k", "").status)
}

func TestAConditionalWriteIsHonouredOrRefusedNeverIgnored(t *testing.T) {
	b := newBench(t)
	etag := b.do("PUT", "/v1/objects/k", "old").header.Get("ETag")
	for _, c := range []struct {
		method  string
		key     string
		status  int
		headers []string
	}{
		{"PUT", "k", 412, []string{"If-None-Match: *"}},
		{"PUT", "k", 400, []string{`If-None-Match: "other"`}},
		{"PUT", "k", 400, []string{"If-None-Match: *", "If-Match: *"}},
		{"PUT", "k", 400, []string{"If-None-Match:", "If-Match: *"}},
		{"PUT", "k", 400, []string{"If-Match: bare"}},
		{"PUT", "k", 400, []string{`If-Match: "open`}},
		{"PUT", "k", 400, []string{`If-Match: "a" "b"`}},
		{"PUT", "k", 400, []string{"If-Match:"}},
		{"PUT", "k", 412, []string{`If-Match: "other"`}},
		{"PUT", "k", 412, []string{"If-Match: W/" + etag}},
		{"PUT", "k", 412, []string{`If-Match: "a", W/"b","c,d"`}},
		{"PUT", "missing", 412, []string{"If-Match: *"}},
		{"PUT", "missing", 412, []string{`If-Match: "a"`}},
		{"PUT", "missing", 412, []string{`If-Match: "a", "b"`}},
		{"PUT", "k", 400, []string{"If-Unmodified-Since: Sat, 01 Jan 2000 00:00:00 GMT"}},
		{"PUT", "k", 400, []string{"Content-Range: bytes 0-2/9"}},
		{"DELETE", "k", 412, []string{`If-Match: "other"`}},
		{"DELETE", "missing", 412, []string{"If-Match: *"}},
		{"DELETE", "k", 400, []string{"If-None-Match: *"}},
		{"DELETE", "k", 400, []string{"If-Unmodified-Since: Sat, 01 Jan 2000 00:00:00 GMT"}},
	} {
		b.wantProblem(b.do(c.method, "/v1/objects/"+c.key, "new", c.headers...), c.status)
		require.Equal(t, "old", b.do("GET", "/v1/objects/k", "").body, "%v %v overwrote the object", c.method, c.headers)
	}
	require.Equal(t, 404, b.do("HEAD", "/v1/objects/missing", "").status)

	require.Equal(t, 201, b.do("PUT", "/v1/objects/fresh", "x", "If-None-Match: *").status)
	next := b.do("PUT", "/v1/objects/k", "new", "If-Match: "+etag)
	require.Equal(t, 200, next.status)
	next = b.do("PUT", "/v1/objects/k", "newer", `If-Match: "a,b", `+next.header.Get("ETag"))
	require.Equal(t, 200, next.status)
	require.Equal(t, 200, b.do("PUT", "/v1/objects/k", "newest", "If-Match: *").status)
	require.Equal(t, 412, b.do("DELETE", "/v1/objects/k", "", "If-Match: "+next.header.Get("ETag")).status)
	require.Equal(t, 204, b.do("DELETE", "/v1/objects/k", "", "If-Match: *").status)
}

func TestAProcessedGetIsComputedForThisRequestAlone(t *testing.T) {
	b := newBench(t)
	b.do("PUT", "/v1/objects/k", "hello world", "Content-Type: text/plain")
	got := b.do("GET", "/v1/objects/k?process=slice:0:5,upper", "",
		"Range: bytes=0-1", "If-None-Match: *", `If-Match: "nothing"`, "If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT")
	require.Equal(t, 200, got.status, got.body)
	require.Equal(t, "HELLO", got.body)
	require.Equal(t, "application/octet-stream", got.header.Get("Content-Type"))
	require.Equal(t, "no-store", got.header.Get("Cache-Control"))
	require.Equal(t, strconv.Itoa(len("HELLO")), got.header.Get("Content-Length"))
	require.NotContains(t, got.header, "Etag")
	require.NotContains(t, got.header, "Last-Modified")
	require.Equal(t, "OLLEH", b.do("GET", "/v1/objects/k?x=%2B&process=slice%3a0%3A5%2Creverse%2Cupper&y", "").body)
	require.Equal(t, "", b.do("GET", "/v1/objects/k?process=slice:99:5", "").body)
}

func TestGzipIsAnsweredThoughItsSizeIsNotKnown(t *testing.T) {
	b := newBench(t)
	b.do("PUT", "/v1/objects/k", "hello world")
	got := b.do("GET", "/v1/objects/k?process=upper,gzip", "", "Accept-Encoding: identity")
	require.Equal(t, 200, got.status, got.body)
	require.Equal(t, "application/gzip", got.header.Get("Content-Type"))
	require.NotContains(t, got.header, "Content-Encoding", "gzip is what was asked for, not how it is sent")
	unzip, err := gzip.NewReader(strings.NewReader(got.body))
	require.NoError(t, err)
	text, err := io.ReadAll(unzip)
	require.NoError(t, err)
	require.Equal(t, "HELLO WORLD", string(text))
}

func TestAThumbnailIsDrawnFromAPictureOnly(t *testing.T) {
	b := newBench(t)
	var file bytes.Buffer
	require.NoError(t, png.Encode(&file, image.NewGray(image.Rect(0, 0, 40, 20))))
	for key, body := range map[string]string{"whole": file.String(), "cut": file.String()[:file.Len()-13], "text": "no picture", "none": ""} {
		b.do("PUT", "/v1/objects/"+key, body)
	}
	got := b.do("GET", "/v1/objects/whole?process=thumbnail:8:8", "")
	require.Equal(t, 200, got.status, got.body)
	require.Equal(t, "image/png", got.header.Get("Content-Type"))
	require.Equal(t, "no-store", got.header.Get("Cache-Control"))
	small, err := png.Decode(strings.NewReader(got.body))
	require.NoError(t, err)
	require.Equal(t, image.Rect(0, 0, 8, 4), small.Bounds())
	for _, key := range []string{"cut", "text", "none"} {
		b.wantProblem(b.do("GET", "/v1/objects/"+key+"?process=thumbnail:8:8", ""), 422)
	}
	b.wantProblem(b.do("GET", "/v1/objects/missing?process=thumbnail:8:8", ""), 404)
}

func TestABadProcessQueryIsRefusedBeforeTheKeyIsLookedUp(t *testing.T) {
	b := newBench(t)
	for _, query := range []string{
		"process", "process=", "process=,", "process=upper,", "process=Upper", "process=xor:n:n", "process=gzip,upper",
		"process=stretch:n:0", "process=thumbnail:0:1", "process=thumbnail:1:1,upper", "process=slice:1", "process=hmac:a+b", "process=hmac:a%20b",
		"process=upper&process=upper", "process=upper&%70rocess=upper", "process=upper%zz", "%zz=1", "process=upper%2",
		"process=" + strings.Repeat("upper,", 8) + "upper",
	} {
		b.wantProblem(b.do("GET", "/v1/objects/missing?"+query, ""), 400)
	}
	b.wantProblem(b.do("GET", "/v1/objects/missing?process=upper", ""), 404)
	require.Equal(t, 400, b.do("HEAD", "/v1/objects/missing?process=upper", "").status)
	b.wantProblem(b.do("PUT", "/v1/objects/missing?process=upper", "x"), 400)
	require.Equal(t, 404, b.do("HEAD", "/v1/objects/missing", "").status)
}

func TestAStepsInputOverTheLimitIs422AtAnyPlaceOfTheChain(t *testing.T) {
	b := newBench(t)
	b.do("PUT", "/v1/objects/300", strings.Repeat("x", 300))
	b.do("PUT", "/v1/objects/301", strings.Repeat("x", 301))
	require.Equal(t, 200, b.do("GET", "/v1/objects/300?process=reverse,base64", "").status)
	b.wantProblem(b.do("GET", "/v1/objects/301?process=reverse", ""), 422)
	b.wantProblem(b.do("GET", "/v1/objects/301?process=slice:0:1", ""), 422)
	p := b.wantProblem(b.do("GET", "/v1/objects/300?process=base64,sha256", ""), 422)
	require.Contains(t, p.Detail, "step 2 (sha256) would read 400 bytes; at most 300")
	require.Equal(t, 200, b.do("GET", "/v1/objects/301", "").status, "the limit is for processing only")
}
