// Package acme runs a certificate authority that speaks ACME (RFC 8555), for
// rehearsals and tests: Pebble, in process.
//
// A certificate authority looks a name up in DNS, then knocks on ports 80 and
// 443 of what it finds. On one machine there are no public names and no free
// low ports, so the Server also stands in for those two: its DNS answers
// 127.0.0.1 for every name, and a router behind the two ports that Pebble dials
// hands each connection to the address that Route gave for its name. Nothing
// else is faked: orders, challenges and signatures are Pebble's.
//
// Never use it for anything that must be trusted: it signs for every name that
// is routed, and its keys live in memory.
package acme

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
)

// Options of a Server; the zero value is a calm authority.
type Options struct {
	// Validity of issued certificates, in whole seconds; 0 is 90 days.
	Validity time.Duration
	// BadNonces is the percentage, 0 to 99, of good nonces that are refused.
	// RFC 8555 section 6.5 obliges clients to try again.
	BadNonces int
	// Patience makes each validation wait a random whole number of seconds
	// below this one before it knocks. 0 knocks at once.
	Patience time.Duration
	// Located names the order in the answer to its finalization, as Let's
	// Encrypt does. RFC 8555 does not ask for it, and Pebble leaves it out; but
	// clients built on golang.org/x/crypto/acme before 2026 cannot do without.
	Located bool
	// Logger receives Pebble's own lines at debug level; nil discards them.
	Logger *slog.Logger
}

// Server is a running authority. Its methods may be called concurrently.
type Server struct {
	db      *db.MemoryStore
	ca      *ca.CAImpl
	site    *http.Server
	address string
	trust   []byte
	orders  *orders
	dns     *resolver
	router  *router

	stop    sync.Once
	closed  error
	running sync.WaitGroup
	unwatch func() bool
}

// Start runs an authority on loopback ports of the system's choosing, until
// Close is called or ctx ends.
func Start(ctx context.Context, opts Options) (*Server, error) {
	if opts.BadNonces < 0 || opts.BadNonces > 99 {
		return nil, fmt.Errorf("acme: BadNonces is %d, want a percentage from 0 to 99", opts.BadNonces)
	}
	if opts.Validity < 0 || opts.Validity%time.Second != 0 {
		return nil, fmt.Errorf("acme: Validity is %v, want whole seconds", opts.Validity)
	}
	s := &Server{db: db.NewMemoryStore()}
	if err := s.start(opts); err != nil {
		return nil, errors.Join(fmt.Errorf("acme: %w", err), s.Close())
	}
	s.unwatch = context.AfterFunc(ctx, func() { s.shutdown() })
	return s, nil
}

func (s *Server) start(opts Options) (err error) {
	if s.router, err = newRouter(); err != nil {
		return err
	}
	if s.dns, err = newResolver(); err != nil {
		return err
	}
	handler := s.pebble(opts)
	identity, trust, err := selfSigned()
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.address, s.trust = listener.Addr().String(), trust
	s.orders = &orders{next: handler, located: opts.Located}
	s.site = &http.Server{
		Handler:           s.orders,
		ErrorLog:          pebbleLog(opts.Logger),
		ReadHeaderTimeout: 10 * time.Second,
		TLSConfig:         &tls.Config{Certificates: []tls.Certificate{identity}, MinVersion: tls.VersionTLS12},
	}
	s.running.Go(func() { _ = s.site.ServeTLS(listener, "", "") })
	return nil
}

// pebble builds the authority itself.
func (s *Server) pebble(opts Options) http.Handler {
	logger := pebbleLog(opts.Logger)
	profile := ca.Profile{Description: "rehearsal", ValidityPeriod: uint64(opts.Validity / time.Second)}
	var front wfe.WebFrontEndImpl
	withEnvironment(opts.environment(), func() {
		s.ca = ca.New(logger, s.db, "", "ecdsa", 0, 1, map[string]ca.Profile{"default": profile})
		// The validator starts one goroutine that waits for tasks and that
		// nothing can stop. It stays until the process ends, idle.
		validator := va.New(logger, s.router.httpPort(), s.router.tlsPort(), false, s.dns.addr(), s.db)
		front = wfe.New(logger, s.db, validator, s.ca, []string{"pebble.letsencrypt.org"}, false, false, 1, 1)
	})
	return front.Handler()
}

// Directory returns the URL that an ACME client starts from.
func (s *Server) Directory() string { return "https://" + s.address + wfe.DirectoryPath }

// RootPEM returns the root that issued certificates chain to.
func (s *Server) RootPEM() []byte { return s.ca.GetRootCert(0).PEM() }

// ServerRootPEM returns the root of the directory's own HTTPS certificate,
// which is not the root of what it issues.
func (s *Server) ServerRootPEM() []byte { return s.trust }

// Route sends what the authority dials for name to these addresses
// (host:port): port 443 to tlsAddr, port 80 to httpAddr. An empty address, as
// well as a name without a route, refuses the connection.
func (s *Server) Route(name, tlsAddr, httpAddr string) { s.router.route(name, tlsAddr, httpAddr) }

// Orders returns how many orders the authority has accepted. A request that was
// refused, for a bad nonce for example, made no order and does not count.
func (s *Server) Orders() int { return len(s.orders.accepted()) }

// Certificates returns how many of the orders ended with a certificate.
func (s *Server) Certificates() int {
	count := 0
	for _, id := range s.orders.accepted() {
		order := s.db.GetOrderByID(id)
		if order == nil {
			continue
		}
		order.RLock()
		if order.CertificateObject != nil {
			count++
		}
		order.RUnlock()
	}
	return count
}

// Close stops the authority and waits until its ports are closed and its
// connections are gone. Further calls return the same result.
func (s *Server) Close() error {
	if s.unwatch != nil {
		s.unwatch()
	}
	s.shutdown()
	s.running.Wait()
	return s.closed
}

func (s *Server) shutdown() {
	s.stop.Do(func() {
		var site, dns, router error
		if s.site != nil {
			site = s.site.Close()
		}
		if s.dns != nil {
			dns = s.dns.close()
		}
		if s.router != nil {
			router = s.router.close()
		}
		s.closed = errors.Join(site, dns, router)
	})
}

// pebbleLog adapts logger to the interface that Pebble wants.
func pebbleLog(logger *slog.Logger) *log.Logger {
	if logger == nil {
		return log.New(io.Discard, "", 0)
	}
	return slog.NewLogLogger(logger.Handler(), slog.LevelDebug)
}
