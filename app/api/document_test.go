package api

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"bogops/app/store"
	"bogops/app/store/memstore"
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
			require.Equal(t, got.header.Get("Content-Security-Policy"), again.header.Get("Content-Security-Policy"))
			require.Equal(t, 304, b.do("HEAD", path, "", "Authorization:", "If-None-Match: "+match).status)
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

func TestHeadAnswersAsGetDoesWithoutTheBody(t *testing.T) {
	ready := error(nil)
	b := newBench(t, func(c *Config) { c.Ready = func(context.Context) error { return ready } })
	b.do("PUT", "/v1/objects/k", "x")
	ways := map[string]*bench{"": b}
	for _, err := range []error{store.ErrUnavailable, errors.New("a bug in the store")} {
		ways[err.Error()] = newBench(t, withStore(failing{memstore.New(), err}))
	}
	for name, b := range ways {
		for _, target := range []string{
			"/.well-known/bogops.json", "/healthz", "/readyz", "/openapi.yaml", "/openapi.json", "/docs", "/nothing",
			"/v1/objects", "/v1/objects?limit=0", "/v1/objects/k", "/v1/objects/..", "/v1/objects/none", "/v1/evidence/k",
		} {
			for _, token := range []string{judgeToken, "", "stranger"} {
				get := b.do("GET", target, "", "Authorization: Bearer "+token)
				head := b.do("HEAD", target, "", "Authorization: Bearer "+token)
				require.Equal(t, get.status, head.status, "%s %s", name, target)
				require.Empty(t, head.body)
				for _, header := range []string{"Content-Type", "Content-Length", "ETag", "Last-Modified", "Retry-After", "WWW-Authenticate"} {
					require.Equal(t, get.header.Get(header), head.header.Get(header), "%s %s: %s", name, target, header)
				}
			}
		}
	}
	require.Equal(t, 401, b.do("DELETE", "/v1/objects/k", "", "Authorization:").status)
	ready = errors.New("the store is down")
	require.Equal(t, 503, b.do("HEAD", "/readyz", "").status)
}
