package target_test

import (
	"bufio"
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/x509roots/fallback/bundle"

	"bogops/validator/target"
	"bogops/validator/verdict"
)

func at(t *testing.T, address string) *url.URL {
	t.Helper()
	parsed, err := url.Parse(address)
	require.NoError(t, err)
	return parsed
}

// answering says text to whoever sends a request, and hangs up.
func answering(t *testing.T, text string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = http.ReadRequest(bufio.NewReader(conn))
			_, _ = io.WriteString(conn, text)
			conn.Close()
		}
	}()
	t.Cleanup(func() {
		listener.Close()
		<-done
	})
	return listener.Addr().String()
}

func TestAFailedRequestHasTheNameOfWhatHappened(t *testing.T) {
	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(secure.Close)
	for _, c := range []struct {
		what, url string
		kind      target.Kind
		status    verdict.Status
	}{
		{"garbage", "http://" + answering(t, "good morning\r\n\r\n"), target.NotSpoken, verdict.Mumble},
		{"an early end", "http://" + answering(t, ""), target.Reset, verdict.Down},
		{"half a head", "http://" + answering(t, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n"), target.Reset, verdict.Down},
		{"half a body", "http://" + answering(t, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"), target.Cut, verdict.Mumble},
		{"half a chunk", "http://" + answering(t, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc"), target.Cut, verdict.Mumble},
		{"a bad chunk", "http://" + answering(t, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc"), target.NotSpoken, verdict.Mumble},
		{"an endless head", "http://" + answering(t, "HTTP/1.1 200 OK\r\nX: "+strings.Repeat("x", 1<<20)), target.NotSpoken, verdict.Mumble},
		{"plain HTTP on the port of HTTPS", strings.Replace(plain.URL, "http:", "https:", 1), target.NotSpoken, verdict.Mumble},
		{"an unknown root", secure.URL, target.Untrusted, verdict.Mumble},
	} {
		t.Run(c.what, func(t *testing.T) {
			platform := target.Target{URL: at(t, c.url), Roots: target.MozillaRoots()}
			client := target.NewClient(platform)
			defer client.Close()
			_, err := client.Do(t.Context(), target.Request{Method: http.MethodGet, Path: "/", Fresh: true})
			var failure *target.Failure
			require.ErrorAs(t, err, &failure)
			require.Equal(t, c.kind, failure.Kind, "%v", err)
			require.Equal(t, c.status, verdict.Of(platform.Settle(t.Context(), err)))
			require.Len(t, client.Exchanges(), 1)
			require.NotEmpty(t, client.Exchanges()[0].Failure)
		})
	}
}

func TestWhatEndsAfterItsTimeIsNoAnswer(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "whole") }))
	t.Cleanup(server.Close)
	client := target.NewClient(target.Target{URL: at(t, server.URL)})
	defer client.Close()
	stream, err := client.Open(ctx, target.Request{Method: http.MethodGet, Path: "/"})
	require.NoError(t, err)
	cancel()
	_, err = stream.Finish()
	var failure *target.Failure
	require.ErrorAs(t, err, &failure)
	require.Equal(t, target.Cancelled, failure.Kind)
}

func TestAnErrorWithoutAFailureIsLeftAsItIs(t *testing.T) {
	err := errors.New("of another kind")
	require.Equal(t, err, target.Target{}.Settle(t.Context(), err))
	require.NoError(t, target.Target{}.Settle(t.Context(), nil))
}

func TestThePathGoesOnTheWireAsItStands(t *testing.T) {
	var seen string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen = r.RequestURI }))
	t.Cleanup(server.Close)
	client := target.NewClient(target.Target{URL: at(t, server.URL)})
	defer client.Close()
	for _, path := range []string{"/a/../b", "/a//b", "/a%2Fb?process=x%2Cy", "/v1//x", "/%2e"} {
		_, err := client.Do(t.Context(), target.Request{Method: http.MethodGet, Path: path})
		require.NoError(t, err)
		require.Equal(t, path, seen)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		http.Redirect(w, r, "/elsewhere", http.StatusFound)
	}))
	t.Cleanup(server.Close)
	client := target.NewClient(target.Target{URL: at(t, server.URL)})
	defer client.Close()
	reply, err := client.Do(t.Context(), target.Request{Method: http.MethodGet, Path: "/"})
	require.NoError(t, err)
	require.Equal(t, http.StatusFound, reply.Status)
	require.Equal(t, 1, asked)
}

func TestPlainHTTPIsWhereTheContestSays(t *testing.T) {
	resolve := map[string]string{"a.test": "127.0.0.9:4443"}
	for _, c := range []struct {
		platform       target.Target
		address, plain string
	}{
		{target.Target{URL: at(t, "https://a.test")}, "a.test:80", "http://a.test"},
		{target.Target{URL: at(t, "https://a.test:8443"), HTTPPort: 8080}, "a.test:8080", "http://a.test"},
		{target.Target{URL: at(t, "https://a.test"), Resolve: resolve}, "127.0.0.9:80", "http://a.test"},
		{target.Target{URL: at(t, "https://a.test"), Resolve: resolve, HTTPPort: 8080}, "127.0.0.9:8080", "http://a.test"},
		{target.Target{URL: at(t, "https://[::1]:8443"), HTTPPort: 8080}, "[::1]:8080", "http://[::1]"},
	} {
		require.Equal(t, c.address, c.platform.PlainAddress())
		plain := c.platform.Plain()
		require.Equal(t, c.plain, plain.URL.String())
		name, port := plain.Host()
		require.Equal(t, c.address, plain.Address(net.JoinHostPort(name, port)))
	}
}

func TestThePublicRootsAreCompiledIn(t *testing.T) {
	count := 0
	for root := range bundle.Roots() {
		certificate, err := x509.ParseCertificate(root.Certificate)
		require.NoError(t, err)
		if root.Constraint != nil {
			continue
		}
		count++
		_, err = certificate.Verify(x509.VerifyOptions{
			Roots: target.MozillaRoots(), CurrentTime: certificate.NotBefore.Add(time.Hour), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
		})
		require.NoError(t, err, certificate.Subject)
		if count == 5 {
			break
		}
	}
	require.Equal(t, 5, count)
}

func TestCertificatesAreJudgedByTheContestsClock(t *testing.T) {
	server := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	roots := server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	for later, ok := range map[time.Duration]bool{0: true, 200 * 365 * 24 * time.Hour: false} {
		clock := func() time.Time { return time.Now().Add(later) }
		client := target.NewClient(target.Target{URL: at(t, server.URL), Roots: roots, Now: clock})
		_, err := client.Do(t.Context(), target.Request{Method: http.MethodGet, Path: "/", Fresh: true})
		require.Equal(t, ok, err == nil, "%v later: %v", later, err)
		client.Close()
	}
}
