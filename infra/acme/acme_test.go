package acme_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	client "golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"

	"bogops/infra/acme"
)

func TestACertificateIsIssuedOverTheTLSPortOfItsRoute(t *testing.T) {
	server := start(t, acme.Options{Validity: time.Hour})
	manager := managerFor(server, "otter.test")
	server.Route("otter.test", serveTLS(t, manager), "")

	leaf, err := dial(manager, "otter.test")
	require.NoError(t, err)

	roots := x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM(server.RootPEM()))
	intermediates := x509.NewCertPool()
	for _, der := range leaf.Certificate[1:] {
		parent, err := x509.ParseCertificate(der)
		require.NoError(t, err)
		intermediates.AddCert(parent)
	}
	_, err = leaf.Leaf.Verify(x509.VerifyOptions{DNSName: "otter.test", Roots: roots, Intermediates: intermediates})
	require.NoError(t, err)
	require.WithinDuration(t, time.Now().Add(time.Hour), leaf.Leaf.NotAfter, time.Minute)
	require.Equal(t, 1, server.Orders())
	require.Equal(t, 1, server.Certificates())
}

func TestACertificateIsIssuedOverTheHTTPPortOfItsRoute(t *testing.T) {
	server := start(t, acme.Options{})
	manager := managerFor(server, "panda.test")
	plain := httptest.NewServer(withoutPort(manager.HTTPHandler(nil)))
	t.Cleanup(plain.Close)
	server.Route("panda.test", "", plain.Listener.Addr().String())

	_, err := dial(manager, "panda.test")
	require.NoError(t, err)
	require.Equal(t, 2, server.Orders(), "the attempt over TLS had no route and cost an order")
	require.Equal(t, 1, server.Certificates())
}

func TestANameWithoutARouteGetsNoCertificate(t *testing.T) {
	server := start(t, acme.Options{})
	manager := managerFor(server, "stranger.test")
	server.Route("otter.test", serveTLS(t, manager), "")

	_, err := dial(manager, "stranger.test")
	require.Error(t, err)
	require.Positive(t, server.Orders())
	require.Zero(t, server.Certificates())
}

func TestARefusedNonceIsNotAnOrder(t *testing.T) {
	server := start(t, acme.Options{BadNonces: 50})
	var refused atomic.Int32
	for range 3 { // about 8 requests each: no refusal at all is 1 in 16 million
		manager := managerFor(server, "otter.test")
		manager.Client.RetryBackoff = func(int, *http.Request, *http.Response) time.Duration {
			refused.Add(1)
			return time.Millisecond
		}
		server.Route("otter.test", serveTLS(t, manager), "")
		_, err := dial(manager, "otter.test")
		require.NoError(t, err)
	}
	require.Positive(t, refused.Load())
	require.Equal(t, 3, server.Orders())
}

func TestStartLeavesTheEnvironmentAsItWas(t *testing.T) {
	t.Setenv("PEBBLE_WFE_NONCEREJECT", "17")
	require.NoError(t, os.Unsetenv("PEBBLE_VA_NOSLEEP"))
	start(t, acme.Options{})
	require.Equal(t, "17", os.Getenv("PEBBLE_WFE_NONCEREJECT"))
	_, set := os.LookupEnv("PEBBLE_VA_NOSLEEP")
	require.False(t, set)
}

func TestTheServerStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	server, err := acme.Start(ctx, acme.Options{})
	require.NoError(t, err)
	cancel()
	require.NoError(t, server.Close(), "Close after the context waits for the same end")
	_, err = trusting(server).Get(server.Directory())
	require.Error(t, err)
}

func TestBadOptionsAreRefusedInOneSentence(t *testing.T) {
	_, err := acme.Start(t.Context(), acme.Options{BadNonces: 100})
	require.EqualError(t, err, "acme: BadNonces is 100, want a percentage from 0 to 99")
	_, err = acme.Start(t.Context(), acme.Options{Validity: time.Millisecond})
	require.EqualError(t, err, "acme: Validity is 1ms, want whole seconds")
}

func start(t *testing.T, opts acme.Options) *acme.Server {
	server, err := acme.Start(t.Context(), opts)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	return server
}

func trusting(server *acme.Server) *http.Client {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(server.ServerRootPEM())
	return &http.Client{Transport: &http.Transport{
		TLSClientConfig:   &tls.Config{RootCAs: roots},
		DisableKeepAlives: true,
	}}
}

func managerFor(server *acme.Server, name string) *autocert.Manager {
	return &autocert.Manager{
		Prompt:     autocert.AcceptTOS,
		HostPolicy: autocert.HostWhitelist(name),
		Client:     &client.Client{DirectoryURL: server.Directory(), HTTPClient: trusting(server)},
	}
}

// serveTLS answers handshakes from the manager and returns where.
func serveTLS(t *testing.T, manager *autocert.Manager) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	site := &http.Server{TLSConfig: manager.TLSConfig()}
	done := make(chan error, 1)
	go func() { done <- site.ServeTLS(listener, "", "") }()
	t.Cleanup(func() {
		require.NoError(t, site.Close())
		<-done
	})
	return listener.Addr().String()
}

// dial asks the manager for a certificate as a handshake of name would.
func dial(manager *autocert.Manager, name string) (*tls.Certificate, error) {
	return manager.GetCertificate(&tls.ClientHelloInfo{
		ServerName:   name,
		CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256},
	})
}

// withoutPort takes the port, never 80 here, off the host, which autocert's
// policy compares as it stands.
func withoutPort(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Host, _, _ = net.SplitHostPort(r.Host)
		next.ServeHTTP(w, r)
	})
}
