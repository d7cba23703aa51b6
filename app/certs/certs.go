package certs

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net/http"
	"time"
)

// Config says where the certificate comes from. Open checks it.
type Config struct {
	// Mode is "off" (somebody else ends TLS), "files" or "acme".
	Mode string
	// Names are the host names served, exactly these. The first one's
	// certificate goes to whoever names none.
	Names []string

	// CertFile and KeyFile are PEM, read again when they change (mode files).
	CertFile, KeyFile string

	// Directory is the ACME directory's URL. Empty is Let's Encrypt's staging
	// directory, whose certificates no browser trusts but whose limits forgive
	// a mistake; Production chooses the real one, and is the only way to it.
	Directory  string
	Production bool
	// RootFile holds PEM roots for the directory's own HTTPS; empty trusts the
	// system's.
	RootFile string
	// Email is given to the authority as the account's contact; may be empty.
	Email string

	// CacheDir is an existing directory that the whole fleet shares, unless
	// Shared is set. Open refuses a missing one, unless LocalDir holds what can
	// be served until it is mounted. It must not depend on the platform's own
	// store: that one may need this certificate to come up.
	CacheDir string
	// Shared replaces CacheDir by another kind of shared cache.
	Shared Shared
	// LocalDir holds this machine's own sealed copy of the certificates, so
	// that an instance which restarts while the shared cache is down still
	// serves. It is made if need be; empty keeps no copy.
	LocalDir string
	// FleetKey, 32 bytes, seals everything in CacheDir and LocalDir. Every
	// instance of a fleet has the same.
	FleetKey []byte
	// Instance names this machine in logs and in the lease.
	Instance string

	// Logger receives what happens to certificates; nil discards it.
	Logger *slog.Logger
}

// Source gives a server its certificate and keeps it fresh until closed. Its
// methods may be called concurrently.
type Source struct {
	names  []string
	origin origin
}

// origin is a place certificates come from.
type origin interface {
	// certificate answers one handshake, and never waits but to answer a
	// challenge. Nil without an error refuses the name (RFC 6066
	// unrecognized_name).
	certificate(*tls.ClientHelloInfo) (*tls.Certificate, error)
	// challenge returns the answer to an http-01 challenge, or an error with
	// the status to give (statusError).
	challenge(ctx context.Context, host, token string) ([]byte, error)
	ready() error
	// ends says until when each name's certificate lasts; names without one
	// are left out.
	ends() map[string]time.Time
	close() error
}

// Open starts the source that cfg describes. Work in the background lives until
// ctx ends or Close; only Close hands the issuer's lease to the next instance
// at once. Open does not wait for a certificate (see Ready), but refuses what
// cannot work: bad settings, unreadable files, a fleet key that does not open
// what the fleet has sealed.
func Open(ctx context.Context, cfg Config) (*Source, error) {
	return open(ctx, cfg, defaultPace())
}

func open(ctx context.Context, cfg Config, pace pace) (*Source, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if err := cfg.check(); err != nil {
		return nil, fmt.Errorf("certs: %w", err)
	}
	source := &Source{names: cfg.Names}
	var err error
	switch cfg.Mode {
	case "files":
		source.origin, err = openFiles(ctx, cfg, pace)
	case "acme":
		source.origin, err = openFleet(ctx, cfg, pace)
	}
	if err != nil {
		return nil, fmt.Errorf("certs: %w", err)
	}
	return source, nil
}

// TLSConfig returns the server side of TLS 1.2 and later, with HTTP/2 and, in
// mode acme, the tls-alpn-01 challenge (RFC 8737). It is nil in mode off.
func (s *Source) TLSConfig() *tls.Config {
	if s.origin == nil {
		return nil
	}
	protocols := []string{"h2", "http/1.1"}
	if _, answers := s.origin.(*fleet); answers {
		protocols = append(protocols, challengeProtocol)
	}
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		NextProtos:     protocols,
		GetCertificate: s.origin.certificate,
	}
}

// HTTPHandler serves port 80: ACME's http-01 challenges, and fallback for all
// else. A nil fallback redirects to HTTPS with 308, which keeps the method.
func (s *Source) HTTPHandler(fallback http.Handler) http.Handler {
	if fallback == nil {
		fallback = redirect(s.names)
	}
	f, answers := s.origin.(*fleet)
	if !answers {
		return fallback
	}
	f.overHTTP.Store(true)
	return challenges(s.origin, fallback)
}

// Ready is nil while a certificate in date is held for every name, and in mode
// off. Otherwise its error says in one sentence what is missing and why.
func (s *Source) Ready() error {
	if s.origin == nil {
		return nil
	}
	return s.origin.ready()
}

// Ends returns when the certificate of each name ends, for those who watch it.
// A name without a certificate is left out; in mode off all are.
func (s *Source) Ends() map[string]time.Time {
	if s.origin == nil {
		return nil
	}
	return s.origin.ends()
}

// Close stops the work in the background, waits for it and gives up the
// issuer's lease if it is held. Certificates in memory keep answering
// handshakes, so a server may drain after it.
func (s *Source) Close() error {
	if s.origin == nil {
		return nil
	}
	return s.origin.close()
}
