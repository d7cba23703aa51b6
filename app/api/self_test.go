package api

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEveryAnswerSaysWhichRequestAndUnderV1WhichServer(t *testing.T) {
	b := newBench(t)
	seen := map[string]bool{}
	for _, c := range []struct{ method, target, auth string }{
		{"GET", "/", ""}, {"GET", "/healthz", ""}, {"GET", "/readyz", ""}, {"GET", "/.well-known/bogops.json", ""},
		{"POST", "/healthz", ""}, {"GET", "/v1", judgeToken}, {"GET", "/v1/nothing", judgeToken}, {"GET", "/v1/objects/k", ""},
		{"PUT", "/v1/objects/k", judgeToken}, {"GET", "/v1/objects/k", judgeToken}, {"HEAD", "/v1/objects/k", judgeToken},
		{"PATCH", "/v1/objects/k", judgeToken}, {"DELETE", "/v1/objects/k", readerToken}, {"DELETE", "/v1/objects/k", judgeToken},
	} {
		got := b.do(c.method, c.target, "", "Request-Id: chosen-by-client", "Authorization: Bearer "+c.auth)
		id := got.header.Get("Request-Id")
		require.Regexp(t, `^[0-9a-f]{24}$`, id, "%s %s", c.method, c.target)
		require.False(t, seen[id], "an id was given twice")
		seen[id] = true
		wantInstance, wantVersion := "", ""
		if strings.HasPrefix(c.target, "/v1") {
			wantInstance, wantVersion = "i-1", "r1+n1"
		}
		require.Equal(t, wantInstance, got.header.Get("Bogops-Instance"), "%s %s", c.method, c.target)
		require.Equal(t, wantVersion, got.header.Get("Bogops-Version"), "%s %s", c.method, c.target)
	}
}

func TestThePlatformDescribesItselfWithoutAToken(t *testing.T) {
	b := newBench(t)
	got := b.do("GET", "/.well-known/bogops.json", "", "Authorization:")
	require.Equal(t, 200, got.status)
	require.Equal(t, "application/json; charset=utf-8", got.header.Get("Content-Type"))
	require.JSONEq(t, `{"team":"loutres","contest":"test","contract":"1","level":"silver","version":"r1+n1",
		"deployed_at":"2025-06-01T09:00:00Z","instance":"i-1","started_at":"2025-06-01T09:00:00Z","zone":"z",
		"store":"memory","store_state":"primary","limits":{"object_bytes":1000,"process_bytes":300}}`, got.body)
}

func TestReadyIsNotAlive(t *testing.T) {
	reason := errors.New("the store is down: no route")
	b := newBench(t, func(c *Config) { c.Ready = func(context.Context) error { return reason } })
	require.Equal(t, 200, b.do("GET", "/healthz", "", "Authorization:").status)
	got := b.do("GET", "/readyz", "", "Authorization:")
	require.Equal(t, "Not ready: the store is down: no route.", b.wantProblem(got, 503).Detail)
	require.Equal(t, "1", got.header.Get("Retry-After"))
	reason = nil
	require.Equal(t, 200, b.do("GET", "/readyz", "", "Authorization:").status)
}

func TestARequestLeavesOneLineWithoutKeyNonceOrToken(t *testing.T) {
	b := newBench(t)
	b.do("PUT", "/v1/objects/secret-key", "x")
	got := b.do("GET", "/v1/objects/secret-key?process=hmac:secret-nonce", "")
	lines := strings.Split(strings.TrimSpace(b.log.String()), "\n")
	require.Len(t, lines, 2)
	var line map[string]any
	require.NoError(t, json.Unmarshal([]byte(lines[1]), &line))
	require.Equal(t, "GET", line["method"])
	require.Equal(t, "/v1/objects/*key", line["route"])
	require.EqualValues(t, 200, line["status"])
	require.EqualValues(t, 64, line["bytes"])
	require.Equal(t, "judge", line["role"])
	require.Equal(t, got.header.Get("Request-Id"), line["request_id"])
	require.Contains(t, line, "duration_ms")
	require.NotContains(t, b.log.String(), "secret")
	require.NotContains(t, b.log.String(), judgeToken)
}
