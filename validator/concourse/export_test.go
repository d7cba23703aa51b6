package concourse

import (
	"crypto/x509"
	"net/http"
	"time"

	"bogops/validator/target"
)

// Hurry makes the client wait a moment where it waits a minute.
func (c *Client) Hurry(moment time.Duration) {
	c.patience = patience{answer: moment, silent: moment, absent: moment}
}

// Transport is that of a client, for questions that no client asks.
func Transport(roots *x509.CertPool, resolve map[string]string) *http.Transport {
	return transport(target.Target{Roots: roots, Resolve: resolve}, 0)
}
