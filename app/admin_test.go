package main

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// adminURL is where the admin port of a running instance says that it is.
func adminURL(t *testing.T, app *instance) string {
	t.Helper()
	_, rest, found := strings.Cut(app.out.String(), `"msg":"admin port","instance":`)
	require.True(t, found, app.out.String())
	_, rest, _ = strings.Cut(rest, `"addr":"`)
	address, _, _ := strings.Cut(rest, `"`)
	return "http://" + address
}

// metrics are the lines of /metrics.
func metrics(t *testing.T, admin string) []string {
	t.Helper()
	answer, err := http.Get(admin + "/metrics")
	require.NoError(t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.Equal(t, 200, answer.StatusCode)
	return strings.Split(string(text), "\n")
}

func TestAThousandOddRequestsMakeNoSeries(t *testing.T) {
	app, _ := startHere(t, "--store", "mem:", "--admin-listen", "127.0.0.1:0")
	admin := adminURL(t, app)
	send := func(i int) {
		n := i / 5
		for _, c := range []struct{ method, target string }{
			{"GET", fmt.Sprintf("/v1/objects/key-%d", n)}, {fmt.Sprintf("BREW%d", n), "/"}, {"GET", fmt.Sprintf("/odd/%d", n)},
			{"GET", fmt.Sprintf("/v1/objects/k?process=step%d", n)}, {"PUT", fmt.Sprintf("/v1/objects/%%00%d", n)},
		}[i%5:][:1] {
			_, _, err := call(http.DefaultClient, c.method, app.url+c.target, nil)
			require.NoError(t, err)
		}
	}
	for i := range 10 {
		send(i)
	}
	before := len(metrics(t, admin))
	for i := 10; i < 1010; i++ {
		send(i)
	}
	after := metrics(t, admin)
	// The Go runtime may find a new thing to tell; a series per request
	// would be a hundred lines at least.
	require.InDelta(t, before, len(after), 20)
	require.Contains(t, after, `bogops_http_requests_total{code="404",method="other",route="other"} 202`)
	require.Contains(t, after, `bogops_http_requests_total{code="404",method="GET",route="/v1/objects/*key"} 202`)
}

func TestProfilesAndMetricsAreNotOnThePublicPort(t *testing.T) {
	app, _ := startHere(t, "--store", "mem:", "--admin-listen", "127.0.0.1:0")
	admin := adminURL(t, app)
	for _, path := range []string{"/metrics", "/debug/pprof/", "/debug/pprof/heap", "/debug/pprof/cmdline", "/debug/vars"} {
		status, body, err := call(http.DefaultClient, "GET", app.url+path, nil)
		require.NoError(t, err)
		require.Equal(t, 404, status, path)
		require.Contains(t, body, "no-route", path)
	}
	answer, err := http.Get(admin + "/debug/pprof/heap")
	require.NoError(t, err)
	answer.Body.Close()
	require.Equal(t, 200, answer.StatusCode, "there must be something to hide")
}

func TestTheAdminPortAnswersUntilTheLastRequestHasDrained(t *testing.T) {
	app, stop := startHere(t, "--store", "mem:", "--admin-listen", "127.0.0.1:0")
	admin := adminURL(t, app)
	slow := beginUpload(t, app)
	stop()
	require.Eventually(t, func() bool {
		_, _, err := call(&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, "GET", app.url+"/healthz", nil)
		return err != nil
	}, 10*time.Second, 5*time.Millisecond)
	require.Contains(t, metrics(t, admin), "bogops_http_requests_in_flight 1")
	answer, err := http.Get(admin + "/readyz")
	require.NoError(t, err)
	answer.Body.Close()
	require.Equal(t, 503, answer.StatusCode)
	status, _ := slow.finish(t)
	require.Equal(t, 201, status)
	require.NoError(t, app.end())
	_, err = http.Get(admin + "/healthz")
	require.Error(t, err)
}

func TestWhoOpensTheAdminPortToTheWorldIsWarned(t *testing.T) {
	for address, warned := range map[string]bool{"127.0.0.1": false, "127.8.8.8": false, "::1": false, "0.0.0.0": true, "::": true, "192.0.2.1": true} {
		var said strings.Builder
		warnStrangers(&net.TCPAddr{IP: net.ParseIP(address), Port: 1}, slog.New(slog.NewTextHandler(&said, nil)))
		require.Equal(t, warned, strings.Contains(said.String(), "asks for no token"), address)
	}
	none, _ := startHere(t, "--store", "mem:")
	require.NotContains(t, none.out.String(), "admin port")
}

func TestAnAdminPortThatIsTakenStopsTheStart(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { taken.Close() })
	err = run(t.Context(), []string{"--store", "mem:", "--admin-listen", taken.Addr().String()}, environment(), io.Discard)
	require.ErrorContains(t, err, "--admin-listen "+taken.Addr().String())
}
