package fleet

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// instance is a stub that says its name and is ready or not.
func instance(t *testing.T, name string, ready bool) backend {
	t.Helper()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/readyz" && !ready {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_, _ = io.WriteString(w, name)
	}))
	t.Cleanup(server.Close)
	return backend{id: name, tls: server.Listener.Addr().String(), http: server.Listener.Addr().String()}
}

// ask opens a fresh connection and returns who answered.
func ask(t *testing.T, address string) string {
	t.Helper()
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true,
	}}
	reply, err := client.Get("https://" + address + "/")
	require.NoError(t, err)
	defer reply.Body.Close()
	body, err := io.ReadAll(reply.Body)
	require.NoError(t, err)
	return string(body)
}

// listen takes a free port.
func listen(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	return listener
}

// balanced serves backends and returns the balancer's TLS address.
func balanced(t *testing.T, backends ...backend) (*balancer, string) {
	t.Helper()
	b := newBalancer("example.net")
	b.checkInterval = 20 * time.Millisecond
	var listeners [2]net.Listener
	for i := range listeners {
		listeners[i] = listen(t)
	}
	b.set(backends)
	b.serve(listeners[0], listeners[1])
	t.Cleanup(b.close)
	return b, listeners[0].Addr().String()
}

func TestABalancerPassesOnlyToReadyInstances(t *testing.T) {
	b, address := balanced(t, instance(t, "ready", true), instance(t, "draining", false))
	require.Eventually(t, func() bool { return b.isReady("ready") }, time.Minute, 10*time.Millisecond)
	for range 8 {
		require.Equal(t, "ready", ask(t, address))
	}
}

func TestWithNoReadyInstanceABalancerPassesToEveryLiveOne(t *testing.T) {
	_, address := balanced(t, instance(t, "a", false), instance(t, "b", false))
	seen := map[string]bool{}
	for range 8 {
		seen[ask(t, address)] = true
	}
	require.Equal(t, map[string]bool{"a": true, "b": true}, seen)
}

func TestABalancerGoesPastAnInstanceThatRefuses(t *testing.T) {
	dead := listen(t)
	at := dead.Addr().String()
	require.NoError(t, dead.Close())
	_, address := balanced(t, backend{id: "dead", tls: at, http: at}, instance(t, "alive", true))
	for range 4 {
		require.Equal(t, "alive", ask(t, address))
	}
}

func TestAClosedBalancerCutsItsConnections(t *testing.T) {
	b, address := balanced(t, instance(t, "a", true))
	conn, err := net.Dial("tcp", address)
	require.NoError(t, err)
	defer conn.Close()
	b.close()
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(time.Minute)))
	_, err = conn.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)
}

func TestOnlySilenceThatLastsMakesAnInstanceUnready(t *testing.T) {
	t.Parallel()
	silence, says := health{silent: 1, reason: "no answer"}, health{reason: "503"}
	ready := health{ready: true}
	now := ready
	for range silences - 1 {
		now = now.after(silence)
		require.True(t, now.ready)
	}
	require.True(t, now.after(ready).after(silence).ready, "an answer ends the silence")
	require.False(t, now.after(silence).ready)
	require.False(t, ready.after(says).ready, "who says so is believed at once")
	require.False(t, health{}.after(silence).ready, "what never was ready does not get so by silence")
	require.False(t, says.after(silence).ready)
}
