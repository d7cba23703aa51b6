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
	"strconv"
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
	Resolver    *net.Resolver     // nil: the machine's own
	Now         func() time.Time  // the contest's clock, for certificates; nil: time.Now
}

// Transport returns a fresh transport that verifies certificates against
// Roots, honours Resolve, follows no proxy and replays nothing by itself.
func (t Target) Transport() *http.Transport {
	return &http.Transport{
		DialContext:           t.Dial,
		TLSClientConfig:       &tls.Config{RootCAs: t.Roots, MinVersion: tls.VersionTLS12, Time: t.Now},
		TLSHandshakeTimeout:   5 * time.Second,
		ResponseHeaderTimeout: 30 * time.Second,
		DisableCompression:    true,
		MaxIdleConnsPerHost:   256,
	}
}

// Dial connects to address (host:port), by way of Resolve.
func (t Target) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: 5 * time.Second, Resolver: t.Resolver}
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

// Host is the platform's name, and its port as the URL says or implies.
func (t Target) Host() (name, port string) {
	name, port = t.URL.Hostname(), t.URL.Port()
	if port == "" {
		port = "443"
		if t.URL.Scheme == "http" {
			port = "80"
		}
	}
	return name, port
}

// PlainAddress is where the platform answers plain HTTP: HTTPPort, or 80, at
// the name's own address or the one that Resolve gives it.
func (t Target) PlainAddress() string {
	name, _ := t.Host()
	if to, ok := t.Resolve[name]; ok {
		if host, _, err := net.SplitHostPort(to); err == nil {
			name = host
		}
	}
	port := t.HTTPPort
	if port == 0 {
		port = 80
	}
	return net.JoinHostPort(name, strconv.Itoa(port))
}

// Clock is the time by which certificates are judged.
func (t Target) Clock() time.Time {
	if t.Now == nil {
		return time.Now()
	}
	return t.Now()
}
