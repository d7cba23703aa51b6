package rogue

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"time"
)

// authority is a root of its own with one intermediate, as public authorities
// are built.
type authority struct {
	root, intermediate       *x509.Certificate
	rootKey, intermediateKey crypto.Signer
}

func newAuthority() (*authority, error) {
	a := &authority{}
	var err error
	if a.root, a.rootKey, err = sign(caTemplate("Rogue Root"), nil, nil, nil); err != nil {
		return nil, err
	}
	a.intermediate, a.intermediateKey, err = sign(caTemplate("Rogue Intermediate"), nil, a.root, a.rootKey)
	return a, err
}

func (a *authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.root)
	return pool
}

// leaf issues a certificate for hosts, altered where alter is given, with the
// intermediate beside it. A nil key draws one.
func (a *authority) leaf(key crypto.Signer, alter func(*x509.Certificate), hosts ...string) (tls.Certificate, error) {
	template := leafTemplate(hosts...)
	if alter != nil {
		alter(template)
	}
	certificate, key, err := sign(template, key, a.intermediate, a.intermediateKey)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{certificate.Raw, a.intermediate.Raw}, PrivateKey: key}, nil
}

func caTemplate(name string) *x509.Certificate {
	return &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage:  x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		NotBefore: time.Now().Add(-365 * 24 * time.Hour), NotAfter: time.Now().Add(365 * 24 * time.Hour),
	}
}

func leafTemplate(hosts ...string) *x509.Certificate {
	return &x509.Certificate{
		Subject: pkix.Name{CommonName: hosts[0]}, DNSNames: hosts,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(90 * 24 * time.Hour),
	}
}

// sign makes a certificate for key, or for a new one. Without a parent it
// signs itself.
func sign(template *x509.Certificate, key crypto.Signer, parent *x509.Certificate, parentKey crypto.Signer) (*x509.Certificate, crypto.Signer, error) {
	var err error
	if key == nil {
		if key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
			return nil, nil, err
		}
	}
	if template.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120)); err != nil {
		return nil, nil, err
	}
	if parent == nil {
		parent, parentKey = template, key
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), parentKey)
	if err != nil {
		return nil, nil, fmt.Errorf("signing %s: %w", template.Subject, err)
	}
	certificate, err := x509.ParseCertificate(raw)
	return certificate, key, err
}
