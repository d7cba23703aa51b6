package api

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheDocumentIsServedToAnyoneAndOnlyOnce(t *testing.T) {
	b := newBench(t)
	for path, mediaType := range map[string]string{
		"/openapi.yaml": "application/yaml", "/openapi.json": "application/json", "/docs": "text/html; charset=utf-8",
	} {
		got := b.do("GET", path, "", "Authorization:")
		require.Equal(t, 200, got.status, path)
		require.Equal(t, mediaType, got.header.Get("Content-Type"))
		require.Equal(t, "no-cache", got.header.Get("Cache-Control"))
		require.NotEmpty(t, got.body)
		etag := got.header.Get("ETag")
		for _, match := range []string{etag, "W/" + etag, `"x", ` + etag, "*"} {
			again := b.do("GET", path, "", "Authorization:", "If-None-Match: "+match)
			require.Equal(t, 304, again.status, "%s %s", path, match)
			require.Empty(t, again.body)
			require.Equal(t, etag, again.header.Get("ETag"))
		}
		for _, other := range []string{`"x"`, "bare", ""} {
			require.Equal(t, 200, b.do("GET", path, "", "Authorization:", "If-None-Match: "+other).status, other)
		}
		head := b.do("HEAD", path, "", "Authorization:")
		require.Equal(t, 200, head.status)
		require.Empty(t, head.body)
		require.Equal(t, got.header.Get("Content-Length"), head.header.Get("Content-Length"))
		b.wantProblem(b.do("PUT", path, "x"), 405)
	}
	require.Equal(t, string(openapi), b.do("GET", "/openapi.yaml", "").body)
	var asJSON map[string]any
	require.NoError(t, json.Unmarshal([]byte(b.do("GET", "/openapi.json", "").body), &asJSON))
	require.Equal(t, "3.1.0", asJSON["openapi"])
	require.Contains(t, b.do("GET", "/docs", "").header.Get("Content-Security-Policy"), "default-src 'none'")
}
