package main

import (
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	spans "go.opentelemetry.io/proto/otlp/trace/v1"
)

func TestARequestIsASpanWithItsStoreOperationsBelow(t *testing.T) {
	c := newCollector(t)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", c.url)
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=rehearsal")
	app, stop := startHere(t, "--store", "mem:", "--instance", "i-7", "--app-version", "r7")
	_, _, err := call(http.DefaultClient, "PUT", app.url+"/v1/objects/a-5ecret-key", strings.NewReader("hello"))
	require.NoError(t, err)
	r, err := http.NewRequest("GET", app.url+"/v1/objects/a-5ecret-key?process=upper,hmac:a-5ecret-nonce", nil)
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+judge)
	r.Header.Set("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	r.Header.Set("tracestate", "vendor=a-5ecret-state")
	answer, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, answer.Body)
	require.NoError(t, err)
	answer.Body.Close()
	stop()
	require.NoError(t, app.end(), "the end of the server exports what it holds")

	require.Len(t, c.named("PUT /v1/objects/*key"), 1)
	require.Len(t, c.named("store.put"), 1)
	gets := c.named("GET /v1/objects/*key")
	require.Len(t, gets, 1)
	get := gets[0]
	require.Equal(t, spans.Span_SPAN_KIND_SERVER, get.Kind)
	require.Equal(t, "4bf92f3577b34da6a3ce929d0e0e4736", hex.EncodeToString(get.TraceId), "the client's trace is taken over")
	require.Equal(t, "00f067aa0ba902b7", hex.EncodeToString(get.ParentSpanId))
	require.Equal(t, "GET", attribute(get, "http.request.method"))
	require.Equal(t, "/v1/objects/*key", attribute(get, "http.route"))
	require.Contains(t, attribute(get, "http.response.status_code"), "200")
	require.Equal(t, answer.Header.Get("Request-Id"), attribute(get, "bogops.request_id"))
	for _, name := range []string{"store.get", "process"} {
		children := c.named(name)
		require.Len(t, children, 1, name)
		require.Equal(t, get.SpanId, children[0].ParentSpanId, name)
		require.Equal(t, get.TraceId, children[0].TraceId, name)
		require.Equal(t, "ok", attribute(children[0], "bogops.result"), name)
	}
	all := c.text(t)
	for _, want := range []string{"i-7", "r7", "bogops-app", "rehearsal", "upper", "hmac"} {
		require.Contains(t, all, want)
	}
	require.NotContains(t, all, "5ecret")
}

func TestOnlyTheServersOwnFailuresAreErrorsOfASpan(t *testing.T) {
	c := newCollector(t)
	t.Setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", c.url+"/v1/traces")
	dir := filepath.Join(t.TempDir(), "data")
	app, stop := startHere(t, "--store", "file:"+dir)
	status, _, err := call(http.DefaultClient, "GET", app.url+"/v1/objects/none", nil)
	require.NoError(t, err)
	require.Equal(t, 404, status)
	require.NoError(t, os.RemoveAll(dir))
	status, _, err = call(http.DefaultClient, "PUT", app.url+"/v1/objects/k-5ecret", strings.NewReader("x"))
	require.NoError(t, err)
	require.Equal(t, 503, status)
	stop()
	require.NoError(t, app.end())
	get, put := c.named("GET /v1/objects/*key"), c.named("PUT /v1/objects/*key")
	require.Len(t, get, 1)
	require.Len(t, put, 1)
	require.Equal(t, spans.Status_STATUS_CODE_UNSET, get[0].GetStatus().GetCode())
	require.Equal(t, "not_found", attribute(c.named("store.get")[0], "bogops.result"))
	require.Equal(t, spans.Status_STATUS_CODE_ERROR, put[0].GetStatus().GetCode())
	require.Equal(t, "store-unavailable", attribute(put[0], "error.type"))
	require.Equal(t, "unavailable", attribute(c.named("store.put")[0], "error.type"))
	require.NotContains(t, c.text(t), "5ecret")
}

// TestACollectorThatIsDeadFailsNoRequest has one that refuses connections and
// one that takes them and never answers.
func TestACollectorThatIsDeadFailsNoRequest(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { silent.Close() })
	refusing, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	refusing.Close()
	for name, address := range map[string]net.Addr{"silent": silent.Addr(), "refusing": refusing.Addr()} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://"+address.String())
			t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "10") // ms: the export is stuck from the first request on
			t.Setenv("OTEL_BSP_MAX_QUEUE_SIZE", "64") // and its queue is soon full
			t.Setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "16")
			app, stop := startHere(t, "--store", "mem:")
			slowest := time.Duration(0)
			for i := range 500 {
				began := time.Now()
				status, _, err := call(http.DefaultClient, "PUT", fmt.Sprintf("%s/v1/objects/%d", app.url, i), strings.NewReader("x"))
				require.NoError(t, err)
				require.Equal(t, 201, status)
				slowest = max(slowest, time.Since(began))
			}
			// The exporter gives up after 10 s: who waited for it waited that long.
			require.Less(t, slowest, 5*time.Second)
			stop()
			began := time.Now()
			require.NoError(t, app.end())
			require.Less(t, time.Since(began), 8*time.Second, "the end waits for the collector 2 s and no longer")
		})
	}
}

func TestAnEndpointThatIsNoneIsRefusedWithoutQuotingIt(t *testing.T) {
	for _, bad := range []string{"127.0.0.1:4318", "ftp://127.0.0.1/", "http://user:5ecret@127.0.0.1:4318", "http://", "http://%zz5ecret"} {
		t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", bad)
		err := run(t.Context(), []string{"--store", "mem:", "--listen", "127.0.0.1:0"}, environment(), io.Discard)
		require.EqualError(t, err, "OTEL_EXPORTER_OTLP_ENDPOINT: no such endpoint; want http://HOST:PORT or https://HOST:PORT, without a user", bad)
		require.Equal(t, exitUsage, exitCode(err))
	}
}

func TestNothingIsTracedWhereNobodyAsksForIt(t *testing.T) {
	c := newCollector(t)
	for _, env := range []map[string]string{
		{},
		{"OTEL_EXPORTER_OTLP_ENDPOINT": c.url, "OTEL_SDK_DISABLED": "true"},
		{"OTEL_EXPORTER_OTLP_ENDPOINT": c.url, "OTEL_TRACES_EXPORTER": "none"},
	} {
		t.Run(fmt.Sprint(len(env)), func(t *testing.T) {
			for name, value := range env {
				t.Setenv(name, value)
			}
			app, stop := startHere(t, "--store", "mem:")
			_, _, err := call(http.DefaultClient, "GET", app.url+"/v1/objects/k", nil)
			require.NoError(t, err)
			stop()
			require.NoError(t, app.end())
			require.NotContains(t, app.out.String(), "traced")
		})
	}
	require.Empty(t, c.spans())
}
