package probe

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"bogops/validator/journal"
	"bogops/validator/target"
	"bogops/validator/verdict"
)

// tlsProbes is the TLS brick. Each looks at one property of the certificate
// that is served; the requests of the API brick verify all of them at once.
func tlsProbes() []Probe {
	secure := func(id, promise string, run func(context.Context, *Session) (string, error)) Probe {
		return Probe{
			Check:   journal.Check{ID: "tls/" + id, Brick: "tls", Level: Bronze, Promise: promise, Required: true, Weight: 1},
			Timeout: 15 * time.Second,
			Run: func(ctx context.Context, s *Session) (string, error) {
				if s.Target.URL.Scheme != "https" {
					return "", verdict.Wrong("The platform's URL", s.Target.URL.Redacted(), "https://")
				}
				return run(ctx, s)
			},
		}
	}
	return []Probe{
		secure("chain", "The chain as sent ends in a root that the judge trusts.", chain).weighing(3),
		secure("name", "The certificate is for the platform's name.", name).weighing(2),
		secure("dates", "The certificate is valid, and stays so for a while.", dates).weighing(2),
		secure("key", "The key and the signature are strong enough.", key),
		secure("versions", "TLS 1.2 or later is spoken, and nothing older.", versions),
		secure("addresses", "Every address of the name serves a right certificate.", addresses),
		secure("no-sni", "A client that names no server is shown the platform's certificate.", noSNI),
		secure("redirect", "Plain HTTP only redirects to HTTPS.", redirect),
	}
}

// served is what the platform shows to a client of today.
func (s *Session) served(ctx context.Context) (tls.ConnectionState, error) {
	host, _ := s.Target.Host()
	return s.client.Handshake(ctx, target.Hello{ServerName: host})
}

// trusted verifies with what the server sent and nothing else; the standard
// library fetches no intermediate. Dates of the leaf and the name are the
// business of other checks.
func (s *Session) trusted(state tls.ConnectionState) error {
	leaf, intermediates := state.PeerCertificates[0], x509.NewCertPool()
	for _, certificate := range state.PeerCertificates[1:] {
		intermediates.AddCert(certificate)
	}
	at := s.Target.Clock()
	if at.After(leaf.NotAfter) {
		at = leaf.NotAfter
	} else if at.Before(leaf.NotBefore) {
		at = leaf.NotBefore
	}
	_, err := leaf.Verify(x509.VerifyOptions{Roots: s.Target.Roots, Intermediates: intermediates, CurrentTime: at})
	return err
}

func chain(ctx context.Context, s *Session) (string, error) {
	state, err := s.served(ctx)
	if err != nil {
		return "", err
	}
	leaf := state.PeerCertificates[0]
	if err := s.trusted(state); err != nil {
		var noRoots x509.SystemRootsError
		if errors.As(err, &noRoots) {
			return "", fmt.Errorf("the judge has no roots: %w", err)
		}
		got := fmt.Sprintf("%d certificate(s), the first issued by %s: %v", len(state.PeerCertificates), quoted(leaf.Issuer.String()), err)
		return "", verdict.Wrong("The chain that the platform sends", got, "one that ends in a trusted root")
	}
	return "issued by " + leaf.Issuer.String(), nil
}

func name(ctx context.Context, s *Session) (string, error) {
	state, err := s.served(ctx)
	if err != nil {
		return "", err
	}
	host, _ := s.Target.Host()
	leaf := state.PeerCertificates[0]
	if err := leaf.VerifyHostname(host); err != nil {
		return "", verdict.Wrong("The names of the certificate", quoted(strings.Join(names(leaf), ", ")), host)
	}
	return "for " + host, nil
}

func names(leaf *x509.Certificate) []string {
	all := slices.Clone(leaf.DNSNames)
	for _, address := range leaf.IPAddresses {
		all = append(all, address.String())
	}
	return all
}

func dates(ctx context.Context, s *Session) (string, error) {
	state, err := s.served(ctx)
	if err != nil {
		return "", err
	}
	leaf, now := state.PeerCertificates[0], s.Target.Clock()
	if leaf.NotBefore.After(now) {
		return "", verdict.Wrong("The certificate's first day", leaf.NotBefore.UTC().Format(time.RFC3339), "one that has come")
	}
	left := leaf.NotAfter.Sub(now)
	if left < s.Env.MinValidity {
		got := leaf.NotAfter.UTC().Format(time.RFC3339)
		if left <= 0 {
			got += ", which is over"
		}
		return "", verdict.Wrong("The certificate's last moment", got, "at least "+s.Env.MinValidity.String()+" from now")
	}
	return "valid until " + leaf.NotAfter.UTC().Format("2006-01-02 15:04"), nil
}

func key(ctx context.Context, s *Session) (string, error) {
	state, err := s.served(ctx)
	if err != nil {
		return "", err
	}
	leaf := state.PeerCertificates[0]
	got, ok := strength(leaf)
	if !ok {
		return "", verdict.Wrong("The certificate's key", got, "RSA of 2,048 bits, an elliptic curve of 256 bits, or more")
	}
	switch leaf.SignatureAlgorithm {
	case x509.MD5WithRSA, x509.SHA1WithRSA, x509.DSAWithSHA1, x509.ECDSAWithSHA1:
		return "", verdict.Wrong("The certificate's signature", leaf.SignatureAlgorithm.String(), "SHA-256 or better")
	}
	return got, nil
}

func strength(leaf *x509.Certificate) (text string, enough bool) {
	switch public := leaf.PublicKey.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA of %d bits", public.N.BitLen()), public.N.BitLen() >= 2048
	case *ecdsa.PublicKey:
		bits := public.Curve.Params().BitSize
		return fmt.Sprintf("an elliptic curve of %d bits", bits), bits >= 256
	case ed25519.PublicKey:
		return "Ed25519", true
	}
	return leaf.PublicKeyAlgorithm.String(), false
}
