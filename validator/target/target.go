// Package target is one contestant's platform, reached only through its public
// URL, as any client would.
package target

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/url"
	"time"
)

// Target is where a platform is and what may be shown to it. It is a value:
// copies are independent.
type Target struct {
	ID          string
	URL         *url.URL
	Token       string // bearer token with the role judge
	ReaderToken string
	Contest     string            // the consent that the self-description must give
	Resolve     map[string]string // name → address:port, for rehearsals
	HTTPPort    int               // plain HTTP; 0: 80
	Roots       *x509.CertPool    // what a chain must end in
	Control     string            // host:port that answers while the judge's network works
}

// Transport returns a fresh transport that verifies certificates against
// Roots, honours Resolve, follows no proxy and replays nothing by itself.
func (t Target) Transport() *http.Transport {
	return &http.Transport{
		DialContext:           t.Dial,
		TLSClientConfig:       &tls.Config{RootCAs: t.Roots, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:   5 * time.Second,
		ResponseHeaderTimeout: 30 * time.Second,
		DisableCompression:    true,
		MaxIdleConnsPerHost:   256,
	}
}

// Dial connects to address (host:port), by way of Resolve.
func (t Target) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: 5 * time.Second}
	return dialer.DialContext(ctx, network, t.Address(address))
}

// Address is what address (host:port) resolves to by the contest's own map.
func (t Target) Address(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	if to, ok := t.Resolve[host]; ok {
		return to
	}
	return address
}
