package api

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestEveryAnswerTellsABrowserToMakeNothingOfIt(t *testing.T) {
	b := newBench(t)
	b.do("PUT", "/v1/objects/page", "<script>alert(1)</script>", "Content-Type: text/html")
	for _, c := range []struct{ method, target, auth string }{
		{"GET", "/v1/objects/page", judgeToken}, {"HEAD", "/v1/objects/page", judgeToken}, {"GET", "/v1/objects/page?process=upper", judgeToken},
		{"GET", "/v1/objects", judgeToken}, {"GET", "/v1/objects/missing", judgeToken}, {"GET", "/v1/objects/page", ""}, {"GET", "/nothing", ""},
		{"GET", "/healthz", ""}, {"BREW", "/healthz", ""}, {"GET", "/.well-known/bogops.json", ""}, {"GET", "/openapi.yaml", ""}, {"PUT", "/v1/objects/x", judgeToken},
	} {
		got := b.do(c.method, c.target, "", "Authorization: Bearer "+c.auth)
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cross-Origin-Resource-Policy": "same-origin",
			"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
		} {
			require.Equal(t, want, strings.Join(got.header.Values(name), "|"), "%s %s: %s", c.method, c.target, name)
		}
	}
}

func TestHSTSIsSentWhereItIsSet(t *testing.T) {
	for hsts, want := range map[time.Duration]string{0: "", time.Hour: "max-age=3600"} {
		b := newBench(t, func(c *Config) { c.HSTS = hsts })
		for path, status := range map[string]int{"/healthz": 200, "/v1/objects/k": 404, "/nothing": 404} {
			got := b.do("GET", path, "")
			require.Equal(t, status, got.status)
			require.Equal(t, want, got.header.Get("Strict-Transport-Security"), path)
		}
	}
}
