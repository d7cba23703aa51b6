package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// stormy are requests with "5ecret" wherever a client can put a word.
func stormy(t *testing.T, url string, i int) []*http.Request {
	key := fmt.Sprintf("/v1/objects/5ecret/key %%2f é-%d", i)
	var all []*http.Request
	add := func(method, target, body string, headers ...string) {
		r, err := http.NewRequest(method, url, strings.NewReader(body))
		require.NoError(t, err)
		r.URL.Opaque = "//" + r.URL.Host + strings.ReplaceAll(target, " ", "%20")
		r.Header.Set("Authorization", "Bearer "+judge)
		for _, name := range []string{"User-Agent", "Cookie", "Referer", "Tracestate", "Baggage", "X-Forwarded-For", "X-Request-Id"} {
			r.Header.Set(name, "k=5ecret-"+name)
		}
		for _, header := range headers {
			name, value, _ := strings.Cut(header, ": ")
			r.Header.Set(name, value)
		}
		all = append(all, r)
	}
	add("PUT", key, "5ecret body", "Content-Type: text/5ecret", "Bogops-Meta-Note: 5ecret-meta", "Bogops-Meta-5ecret: x")
	add("PUT", key, "5ecret body", "Content-Digest: sha-256=:5ecret:")
	add("PUT", key, "5ecret body", `If-Match: "5ecret-tag"`)
	add("PUT", key, "5ecret body", "If-Match: 5ecret-no-tag")
	add("GET", key, "", "Range: bytes=5ecret", "Want-Repr-Digest: 5ecret", `If-None-Match: "5ecret"`)
	add("GET", key+"?process=hmac:5ecret-nonce,xor:5ecret,stretch:5ecret:10", "")
	add("GET", key+"?process=5ecret-step:5ecret", "")
	add("GET", key+"?5ecret=5ecret;5ecret", "")
	add("HEAD", key, "")
	add("GET", key, "", "Traceparent: 00-5ecret-5ecret-01")
	add("GET", "/v1/objects?prefix=5ecret&delimiter=5&cursor=5ecret", "")
	add("GET", "/v1/objects?prefix=5ecret", "")
	add("GET", "/v1/5ecret", "")
	add("GET", "/5ecret", "")
	add("GET", "/v1/objects/%00-5ecret", "")
	add("5ECRET5ecret", key, "")
	add("GET", key, "", "Authorization: Bearer wrong-5ecret")
	add("GET", key, "", "Authorization: 5ecret")
	add("DELETE", key, "", "Authorization: Bearer "+reader)
	add("POST", "/metrics?5ecret", "5ecret")
	return all
}

// TestAStormOfSecretsLeavesNoneInLogsMetricsOrTraces goes on while the store
// works, while it is damaged and after it is gone.
func TestAStormOfSecretsLeavesNoneInLogsMetricsOrTraces(t *testing.T) {
	c := newCollector(t)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", c.url)
	t.Setenv("OTEL_BSP_MAX_QUEUE_SIZE", "100000")
	dir := filepath.Join(t.TempDir(), "data")
	app, stop := startHere(t, "--store", "file:"+dir, "--admin-listen", "127.0.0.1:0", "--audit-rate", "1000")
	admin := adminURL(t, app)
	sent := 0
	storm := func() {
		var senders sync.WaitGroup
		for i := range 4 {
			requests := stormy(t, app.url, i)
			sent += len(requests)
			senders.Go(func() {
				for _, r := range requests {
					answer, err := http.DefaultTransport.RoundTrip(r)
					if err != nil {
						continue // an answer from a damaged file is cut
					}
					_, _ = io.Copy(io.Discard, answer.Body)
					answer.Body.Close()
				}
			})
		}
		senders.Wait()
	}
	storm()
	files, err := filepath.Glob(filepath.Join(dir, "objects", "*", "*"))
	require.NoError(t, err)
	require.NotEmpty(t, files, "nothing was stored")
	for i, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		text[i*len(text)/len(files)] ^= 1
		require.NoError(t, os.WriteFile(file, text, 0o600))
	}
	storm()
	require.NoError(t, os.RemoveAll(dir))
	storm()
	sendMalformed(t, app.url)

	seen := strings.Join(metrics(t, admin), "\n")
	require.Contains(t, seen, "bogops_http_malformed_requests_total 7\n")
	stop()
	require.NoError(t, app.end())
	log, traces := app.out.String(), c.text(t)
	require.GreaterOrEqual(t, strings.Count(log, `"msg":"request"`), sent, "not every request left a line")
	require.Contains(t, log, `"msg":"request failed"`, "nothing failed: the test proves nothing")
	require.GreaterOrEqual(t, len(c.spans()), sent)
	for name, text := range map[string]string{"log": log, "metrics": seen, "traces": traces} {
		at := strings.Index(strings.ToLower(text), "5ecret")
		require.Negative(t, at, "%s: %.200s", name, text[max(0, at-150):])
	}
}

// sendMalformed sends what net/http refuses before any handler.
func sendMalformed(t *testing.T, url string) {
	for _, request := range []string{
		"GET /5ecret%zz HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /5ecret HTTP/1.1\r\nHost: x\r\n5ecret header: x\r\n\r\n",
		"GET /5ecret HTTP/9.9\r\nHost: 5ecret\r\n\r\n",
		"PUT /v1/objects/5ecret HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: 5ecret\r\n\r\n",
		"PUT /v1/objects/5ecret HTTP/1.1\r\nHost: x\r\nContent-Length: 5ecret\r\n\r\n",
		"GET /5ecret HTTP/1.1\r\nHost: x\r\nExpect: 5ecret\r\n\r\n",
		"5ecret, and more than the preface of HTTP/2\r\n\r\n",
	} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
		require.NoError(t, err)
		_, err = io.WriteString(conn, request)
		require.NoError(t, err)
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(t, err, request)
		require.GreaterOrEqual(t, answer.StatusCode, 400)
		conn.Close()
	}
}
