package concourse

import (
	"crypto/x509"
	"net/http"
	"time"

	"bogops/validator/target"
)

// Hurry makes the client wait a moment for an answer.
func (c *Client) Hurry(moment time.Duration) { c.patience.answer = moment }

// Silence makes it wait a moment, in place of a minute, on a stream that says
// nothing. A login and a TLS handshake keep the time that they have.
func (c *Client) Silence(moment time.Duration) { c.patience.silent = moment }

// Absence makes it wait a moment, in place of a minute, for a stream that was
// cut.
func (c *Client) Absence(moment time.Duration) { c.patience.absent = moment }

// Transport is that of a client, for questions that no client asks.
func Transport(roots *x509.CertPool, resolve map[string]string) *http.Transport {
	return transport(target.Target{Roots: roots, Resolve: resolve}, 0)
}
