package certs

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"time"
)

// encode writes a certificate as autocert does: the private key, then the
// chain, PEM.
func encode(cert *tls.Certificate) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := pem.Encode(&out, &pem.Block{Type: "PRIVATE KEY", Bytes: der}); err != nil {
		return nil, err
	}
	for _, der := range cert.Certificate {
		if err := pem.Encode(&out, &pem.Block{Type: "CERTIFICATE", Bytes: der}); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), nil
}

// decode reads what encode or autocert wrote, and checks that key and
// certificate belong together and are for name. Dates are the caller's affair:
// an expired certificate may still be the best there is.
func decode(name string, content []byte) (*tls.Certificate, error) {
	cert, err := tls.X509KeyPair(content, content) // each side skips the other's blocks
	if err != nil {
		return nil, fmt.Errorf("certificate of %s: %w", name, err)
	}
	if err := cert.Leaf.VerifyHostname(name); err != nil {
		return nil, err
	}
	return &cert, nil
}

// renewalTime is when a certificate is due: with a third of its life left, at
// most 30 days before its end.
func renewalTime(leaf *x509.Certificate) time.Time {
	margin := min(leaf.NotAfter.Sub(leaf.NotBefore)/3, 30*24*time.Hour)
	return leaf.NotAfter.Add(-margin)
}

// newer reports whether a should replace b, which may be nil. The one issued
// last wins, also where it ends first: authorities shorten lifetimes.
func newer(a, b *tls.Certificate) bool {
	return b == nil || a.Leaf.NotBefore.After(b.Leaf.NotBefore)
}

// inDate says why a certificate, perhaps nil, is of no use at now.
func inDate(name string, cert *tls.Certificate, now time.Time) error {
	switch {
	case cert == nil:
		return fmt.Errorf("no certificate for %s is held", name)
	case now.After(cert.Leaf.NotAfter):
		return fmt.Errorf("the certificate for %s expired on %s", name, cert.Leaf.NotAfter.UTC().Format(time.RFC3339))
	default:
		return nil
	}
}

// missing turns ErrMissing into no error and nothing found.
func missing(err error) (bool, error) {
	if errors.Is(err, ErrMissing) {
		return true, nil
	}
	return false, err
}
