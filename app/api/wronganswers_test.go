package api

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"bogops/app/store/memstore"
)

// script is a short life of a server: what it answers is what the wrong
// servers below get wrong.
var script = []struct {
	method, target, body, token string
	header                      [2]string
}{
	{"PUT", "/v1/objects/a%2Fb", "otter", judgeToken, [2]string{"Bogops-Meta-River", "Loire"}},
	{"PUT", "/v1/objects/a%2Fb", "otter", writerToken, [2]string{"Bogops-Meta-River", "Loire"}},
	{"GET", "/v1/objects/a/b", "", readerToken, [2]string{}},
	{"GET", "/v1/objects/a/b", "", readerToken, [2]string{"Range", "bytes=1-2"}},
	{"GET", "/v1/objects/a/b", "", readerToken, [2]string{"If-None-Match", "*"}},
	{"GET", "/v1/objects/a/b?process=sha256", "", readerToken, [2]string{}},
	{"HEAD", "/v1/objects/a/b", "", readerToken, [2]string{}},
	{"GET", "/v1/objects?limit=1", "", readerToken, [2]string{}},
	{"PUT", "/v1/objects/a/b", "", readerToken, [2]string{}},
	{"GET", "/v1/objects/..", "", judgeToken, [2]string{}},
	{"GET", "/v1/objects/a", "", "stranger", [2]string{}},
	{"DELETE", "/v1/objects/a/b", "", judgeToken, [2]string{}},
	{"PATCH", "/v1/objects/a/b", "", judgeToken, [2]string{}},
	{"GET", "/healthz", "", "", [2]string{}},
	{"GET", "/nothing", "", "", [2]string{}},
}

// rightServer is one that nobody has spoilt.
func rightServer() http.Handler {
	return New(Config{
		Store: memstore.New(), Tokens: NewTokens(Roles{Judge: []string{judgeToken}, Writer: []string{writerToken}, Reader: []string{readerToken}}),
		Describe: func() Description { return Description{Instance: "i", Version: "v"} }, Logger: slog.New(slog.DiscardHandler),
	})
}

// findings plays the script against a server whose answers spoil changes, and
// returns what the document has against them. The script leaves nothing
// behind, so one server does for any number of times.
func findings(t *testing.T, good http.Handler, spoil func(r *http.Request, a *httptest.ResponseRecorder)) []string {
	t.Helper()
	shared, err := documented()
	require.NoError(t, err)
	c := shared.anew()
	var all []string
	wrong := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a := httptest.NewRecorder()
		good.ServeHTTP(a, r)
		spoil(r, a)
		maps.Copy(w.Header(), a.Header())
		w.WriteHeader(a.Code)
		_, _ = w.Write(a.Body.Bytes())
	})
	watched := witness{wrong, func(e exchange) { all = append(all, c.check(e)...) }}
	for _, s := range script {
		r := httptest.NewRequest(s.method, s.target, strings.NewReader(s.body))
		r.Header.Set("Authorization", "Bearer "+s.token)
		if s.header[0] != "" {
			r.Header.Set(s.header[0], s.header[1])
		}
		watched.ServeHTTP(httptest.NewRecorder(), r)
	}
	return all
}

func TestTheRightServerIsNotAccused(t *testing.T) {
	require.Empty(t, findings(t, rightServer(), func(*http.Request, *httptest.ResponseRecorder) {}))
}

// on spoils the answers to one method with one status.
func on(method string, status int, spoil func(a *httptest.ResponseRecorder)) func(*http.Request, *httptest.ResponseRecorder) {
	return func(r *http.Request, a *httptest.ResponseRecorder) {
		if r.Method == method && a.Code == status {
			spoil(a)
		}
	}
}

func without(name string) func(*httptest.ResponseRecorder) {
	return func(a *httptest.ResponseRecorder) { a.Header().Del(name) }
}

func with(name, value string) func(*httptest.ResponseRecorder) {
	return func(a *httptest.ResponseRecorder) { a.Header().Set(name, value) }
}

// field changes one member of a JSON answer; nil takes it away.
func field(name string, value any) func(*httptest.ResponseRecorder) {
	return func(a *httptest.ResponseRecorder) {
		var all map[string]any
		if json.Unmarshal(a.Body.Bytes(), &all) != nil {
			return
		}
		if all[name] = value; value == nil {
			delete(all, name)
		}
		text, _ := json.Marshal(all)
		a.Body = bytes.NewBuffer(text)
	}
}

func TestAServerWrongInOneWayIsCaught(t *testing.T) {
	good := rightServer()
	for name, c := range map[string]struct {
		spoil func(*http.Request, *httptest.ResponseRecorder)
		want  string
	}{
		"another good status":      {on("PUT", 201, func(a *httptest.ResponseRecorder) { a.Code = 202 }), "status 202 is not documented"},
		"another bad status":       {on("GET", 400, func(a *httptest.ResponseRecorder) { a.Code = 418 }), "status 418 is not documented"},
		"a status for HEAD":        {on("HEAD", 200, func(a *httptest.ResponseRecorder) { a.Code = 204 }), "status 204 is not documented"},
		"no ETag on PUT":           {on("PUT", 201, without("ETag")), `"ETag" missing`},
		"no ETag on GET":           {on("GET", 200, without("ETag")), "x-unless process"},
		"no ETag on HEAD":          {on("HEAD", 200, without("ETag")), `"ETag" missing`},
		"no ETag on 304":           {on("GET", 304, without("ETag")), `"ETag" missing`},
		"a weak ETag":              {on("PUT", 200, with("ETag", `W/"x"`)), `"ETag" doesn't match`},
		"ETag on what is computed": {on("GET", 200, with("ETag", `"x"`)), "x-never-with process"},
		"computed and kept":        {on("GET", 200, without("Cache-Control")), "x-with process"},
		"no Location":              {on("PUT", 201, without("Location")), `"Location" missing`},
		"a Location elsewhere":     {on("PUT", 201, with("Location", "/objects/a")), `"Location" doesn't match`},
		"no Last-Modified":         {on("GET", 206, without("Last-Modified")), `"Last-Modified" missing`},
		"no Content-Range":         {on("GET", 206, without("Content-Range")), `"Content-Range" missing`},
		"no Request-Id":            {on("DELETE", 204, without("Request-Id")), `"Request-Id" missing`},
		"no Request-Id outside":    {on("GET", 404, without("Request-Id")), `"Request-Id" missing`},
		"no instance":              {on("PUT", 403, without("Bogops-Instance")), `"Bogops-Instance" missing`},
		"no version":               {on("PATCH", 405, without("Bogops-Version")), `"Bogops-Version" missing`},
		"no Allow":                 {on("PATCH", 405, without("Allow")), `"Allow" missing`},
		"no challenge":             {on("GET", 401, without("WWW-Authenticate")), `"WWW-Authenticate" missing`},
		"a header too many":        {on("GET", 206, with("X-Powered-By", "bog")), "X-Powered-By"},
		"metadata that is none":    {on("GET", 206, with("Bogops-Meta-River", "Loire\x01")), "Bogops-Meta-River"},
		"another media type":       {on("PUT", 201, with("Content-Type", "text/plain")), "Content-Type"},
		"another type for HEAD":    {on("PATCH", 405, with("Content-Type", "text/html")), "Content-Type"},
		"no media type":            {on("GET", 401, without("Content-Type")), "Content-Type"},
		"a body with 204":          {on("DELETE", 204, func(a *httptest.ResponseRecorder) { a.Body.WriteString("gone") }), "a body where none"},
		"a field too many":         {on("PUT", 201, field("owner", "x")), `property "owner" is unsupported`},
		"a field too few":          {on("PUT", 200, field("size", nil)), `property "size" is missing`},
		"a number as a text":       {on("PUT", 201, field("size", "5")), "size"},
		"a time that is none":      {on("PUT", 201, field("modified", "today")), "modified"},
		"a time not in UTC":        {on("PUT", 201, field("modified", "2025-06-01T11:00:00+02:00")), "modified"},
		"an etag without quotes":   {on("PUT", 201, field("etag", "x")), "etag"},
		"no cursor at the end":     {on("GET", 200, field("next_cursor", nil)), `property "next_cursor" is missing`},
		"an empty cursor":          {on("GET", 200, field("next_cursor", "")), "next_cursor"},
		"null for a list":          {on("GET", 200, field("prefixes", []int(nil))), "prefixes"},
		"a problem without detail": {on("GET", 400, field("detail", nil)), "missing property 'detail'"},
		"another problem's status": {on("GET", 400, field("status", 404)), "the problem says status 404"},
		"another request's id":     {on("GET", 400, field("instance", "x")), "the problem's instance"},
		"a role let in":            {on("PUT", 403, func(a *httptest.ResponseRecorder) { a.Code = 200 }), "is not documented, and let in"},
		"a role kept out":          {on("PUT", 200, func(a *httptest.ResponseRecorder) { a.Code = 403 }), "is documented, and refused"},
		"a bad key accepted":       {on("GET", 400, func(a *httptest.ResponseRecorder) { a.Code = 200 }), "accepted, though the document forbids"},
	} {
		t.Run(name, func(t *testing.T) {
			require.Contains(t, strings.Join(findings(t, good, c.spoil), "\n"), c.want)
		})
	}
}

func TestAnAnswerThatNothingProducedIsNamed(t *testing.T) {
	shared, err := documented()
	require.NoError(t, err)
	c := shared.anew()
	all := c.all()
	require.Greater(t, len(all), 60)
	for _, answer := range all {
		c.note(answer)
	}
	require.Empty(t, c.missing(nil))
	require.Equal(t, []string{"429 (excused, and not needed)"}, c.missing(map[string]string{"429": "why"}))
	delete(c.seen, "DELETE /v1/objects/{key} 204")
	require.Equal(t, []string{"DELETE /v1/objects/{key} 204"}, c.missing(nil))
	require.Empty(t, c.missing(map[string]string{"DELETE /v1/objects/{key} 204": "why"}))
}
