package target

import (
	"crypto/x509"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// MozillaRoots are the public authorities that the judge trusts. They are
// compiled in, so that the machine it runs on neither adds nor removes one.
// Roots that Mozilla trusts only under a constraint keep it.
func MozillaRoots() *x509.CertPool {
	pool := x509.NewCertPool()
	for root := range bundle.Roots() {
		certificate, err := x509.ParseCertificate(root.Certificate)
		if err != nil {
			continue // a root that cannot be parsed cannot be trusted either
		}
		if root.Constraint == nil {
			pool.AddCert(certificate)
			continue
		}
		pool.AddCertWithConstraint(certificate, root.Constraint)
	}
	return pool
}
