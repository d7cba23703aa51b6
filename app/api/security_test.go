package api

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestEveryAnswerTellsABrowserToMakeNothingOfIt(t *testing.T) {
	b := newBench(t, func(c *Config) { c.HSTS = time.Hour })
	b.do("PUT", "/v1/objects/page", "<script>alert(1)</script>", "Content-Type: text/html")
	for _, c := range []struct{ method, target, auth string }{
		{"GET", "/v1/objects/page", judgeToken}, {"HEAD", "/v1/objects/page", judgeToken}, {"GET", "/v1/objects/page?process=upper", judgeToken},
		{"GET", "/v1/objects", judgeToken}, {"GET", "/v1/objects/missing", judgeToken}, {"GET", "/v1/objects/page", ""}, {"GET", "/nothing", ""},
		{"GET", "/healthz", ""}, {"BREW", "/healthz", ""}, {"GET", "/.well-known/bogops.json", ""}, {"PUT", "/v1/objects/x", judgeToken},
	} {
		got := b.do(c.method, c.target, "", "Authorization: Bearer "+c.auth)
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cross-Origin-Resource-Policy": "same-origin",
			"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox", "Strict-Transport-Security": "",
		} {
			require.Equal(t, want, strings.Join(got.header.Values(name), "|"), "%s %s: %s", c.method, c.target, name)
		}
	}
}

func TestOnlyAnswersOverTLSAskForTLSOnly(t *testing.T) {
	for hsts, want := range map[time.Duration]string{0: "", time.Hour: "max-age=3600"} {
		var cfg Config
		plain := newBench(t, func(c *Config) { c.HSTS = hsts; cfg = *c })
		require.Empty(t, plain.do("GET", "/healthz", "").header.Get("Strict-Transport-Security"))
		server := httptest.NewTLSServer(New(cfg))
		t.Cleanup(server.Close)
		for path, status := range map[string]int{"/healthz": 200, "/v1/objects/k": 401, "/nothing": 404} {
			got, err := server.Client().Get(server.URL + path)
			require.NoError(t, err)
			require.NoError(t, got.Body.Close())
			require.Equal(t, status, got.StatusCode)
			require.Equal(t, want, got.Header.Get("Strict-Transport-Security"), path)
		}
	}
}
