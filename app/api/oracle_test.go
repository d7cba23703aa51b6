package api

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// drawn is one header of a request, drawn to be right, wrong or on the edge.
func drawn(r *rand.Rand, etag string, modified time.Time, size int) []string {
	number := func() string {
		return fmt.Sprint([]int{0, 1, r.IntN(size + 1), size - 1, size, size + 1, 1 << 40}[r.IntN(7)])
	}
	one := func() string {
		return []string{number() + "-" + number(), number() + "-", "-" + number()}[r.IntN(3)]
	}
	set := func() string {
		all := one()
		for range r.IntN(4) {
			all += []string{",", ", ", " ,\t"}[r.IntN(3)] + one()
		}
		return all
	}
	tags := func() string {
		var all []string
		for range 1 + r.IntN(3) {
			all = append(all, []string{etag, `"x"`, "W/" + etag, `W/"x"`, `"a,b"`}[r.IntN(5)])
		}
		return strings.Join(all, ", ")
	}
	date := func() string {
		at := modified.Add(time.Duration(r.IntN(5)-2) * time.Second)
		return at.Format([]string{http.TimeFormat, time.RFC3339, time.ANSIC, "Monday, 02-Jan-06 15:04:05 GMT"}[r.IntN(4)])
	}
	name := []string{"If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "If-Range", "Range", "Range", "Range"}[r.IntN(8)]
	switch name {
	case "If-Match", "If-None-Match":
		return []string{name, []string{tags(), tags(), "*"}[r.IntN(3)]}
	case "If-Range":
		return []string{name, []string{etag, `"x"`, "W/" + etag}[r.IntN(3)]}
	case "Range":
		return []string{name, "bytes=" + set()}
	}
	return []string{name, date()}
}

// net/http's ServeContent is another reading of the same RFC, so it is the
// oracle here. It differs by intent, and these requests are left out or drawn
// so that they do not occur:
//   - a malformed or backward range is 416 there and ignored here;
//   - a range of an empty object is ignored there, and 416 here, or ignored
//     where it is a suffix; so the objects drawn hold something;
//   - "-0" among several ranges is a part of no bytes there, and none here;
//   - any number of ranges is served there, at most 8 here;
//   - a date in If-Range counts there where it is Last-Modified, never here;
//   - Range counts for HEAD there, and for GET only here.
func TestRangesAndConditionsAreReadAsNetHTTPReadsThem(t *testing.T) {
	r := rand.New(rand.NewPCG(9110, 13))
	statuses := map[int]int{}
	for object := range 40 {
		content := make([]byte, 1+r.IntN(200))
		for i := range content {
			content[i] = byte(r.IntN(256))
		}
		d := newDirect()
		put := d.ask(t, "PUT", "/v1/objects/k", string(content), "Content-Type", "text/plain")
		require.Equal(t, 201, put.Code)
		info, err := d.store.Stat(t.Context(), "k")
		require.NoError(t, err)
		for range 250 {
			var headers []string
			for range r.IntN(4) {
				header := drawn(r, info.ETag, info.Modified, len(content))
				if headers == nil || !strings.Contains(strings.Join(headers, "|"), header[0]) {
					headers = append(headers, header...)
				}
			}
			method := []string{"GET", "GET", "GET", "HEAD"}[r.IntN(4)]
			oracle := httptest.NewRecorder()
			oracle.Header().Set("ETag", info.ETag)
			oracle.Header().Set("Content-Type", "text/plain")
			request := httptest.NewRequest(method, "/", nil)
			for i := 0; i < len(headers); i += 2 {
				if method == "GET" || headers[i] != "Range" {
					request.Header.Add(headers[i], headers[i+1])
				}
			}
			if differs(request.Header.Get("Range"), len(content)) {
				continue
			}
			http.ServeContent(oracle, request, "", info.Modified, bytes.NewReader(content))
			got := d.ask(t, method, "/v1/objects/k", "", headers...)
			what := fmt.Sprintf("object %d of %d bytes: %s %q", object, len(content), method, headers)
			require.Equal(t, oracle.Code, got.Code, what)
			statuses[got.Code]++
			for _, name := range []string{"Content-Range", "Accept-Ranges", "ETag", "Last-Modified"} {
				if got.Code != 412 && got.Code != 416 || name == "Content-Range" {
					require.Equal(t, headerOf(oracle, got.Code, name), headerOf(got, got.Code, name), "%s: %s", name, what)
				}
			}
			if got.Code == 200 || got.Code == 206 {
				require.Equal(t, partsOfAnswer(t, oracle), partsOfAnswer(t, got), what)
			}
			if got.Code == 304 {
				require.Empty(t, got.Body.Bytes(), what)
			}
		}
	}
	for _, status := range []int{200, 206, 304, 412, 416} {
		require.Greater(t, statuses[status], 100, "%v: hardly an answer was %d", statuses, status)
	}
}

// differs tells the ranges that the two read differently by intent.
func differs(sent string, size int) bool {
	for one := range strings.SplitSeq(strings.TrimPrefix(sent, "bytes="), ",") {
		from, to, _ := strings.Cut(strings.TrimSpace(one), "-")
		var first, last int
		if _, err := fmt.Sscan(from, &first); err == nil {
			if _, err := fmt.Sscan(to, &last); err == nil && last < first {
				return true // backward
			}
		} else if to == "0" {
			return true
		}
	}
	return false
}

// headerOf leaves out what a 304 may have or not: ServeContent tells which
// ranges it takes, and no date beside a tag.
func headerOf(w *httptest.ResponseRecorder, status int, name string) string {
	if status == http.StatusNotModified && name != "ETag" {
		return ""
	}
	return w.Header().Get(name)
}

// partsOfAnswer is an answer's body, without the boundary that is drawn for it.
func partsOfAnswer(t *testing.T, w *httptest.ResponseRecorder) []part {
	content, err := io.ReadAll(w.Body)
	require.NoError(t, err)
	if parts := partsIn(t, reply{w.Code, w.Header(), string(content)}); parts != nil {
		return parts
	}
	return []part{{w.Header().Get("Content-Type"), w.Header().Get("Content-Range"), string(content)}}
}
