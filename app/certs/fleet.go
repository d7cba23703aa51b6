package certs

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const challengeProtocol = "acme-tls/1" // RFC 8737

// fleet serves the certificates that one instance of the fleet, perhaps this
// one, gets from an ACME authority. This file is what a client sees of it:
// answers from memory. What keeps the memory fresh is in keep.go.
type fleet struct {
	names  []string
	shared *vault
	local  *vault // this machine's own copy; nil for none
	lease  *lease
	issuer *orderer
	pace   pace
	logger *slog.Logger

	overHTTP atomic.Bool   // port 80 is ours too
	heard    chan struct{} // closed by the first ClientHello
	hearing  sync.Once

	mu      sync.RWMutex
	held    map[string]*tls.Certificate
	answers map[string][]byte // to challenges of this instance's own orders
	trouble error             // why the last turn did not end well

	stop    context.CancelFunc
	running sync.WaitGroup
	term    *term // only touched by keep, and by close after it
}

func openFleet(ctx context.Context, cfg Config, pace pace) (*fleet, error) {
	if cfg.Shared == nil {
		cfg.Shared = dirCache(cfg.CacheDir)
	}
	shared, err := newVault(cfg.Shared, cfg.FleetKey, cfg.Directory, pace.store)
	if err != nil {
		return nil, err
	}
	transport, err := newTransport(cfg.RootFile)
	if err != nil {
		return nil, err
	}
	f := &fleet{
		names: cfg.Names, shared: shared, pace: pace, logger: cfg.Logger,
		lease:   newLease(shared, cfg.Instance, pace.lease, cfg.Logger),
		heard:   make(chan struct{}),
		held:    map[string]*tls.Certificate{},
		answers: map[string][]byte{},
		trouble: waiting("the first look has not ended yet"),
	}
	f.issuer = &orderer{
		directory: cfg.Directory, email: cfg.Email, transport: transport,
		vault: shared, limit: pace.order, remember: f.remember,
	}
	if cfg.LocalDir != "" {
		if err := os.MkdirAll(cfg.LocalDir, 0o700); err != nil {
			return nil, fmt.Errorf("local copy: %w", err)
		}
		if f.local, err = newVault(dirCache(cfg.LocalDir), cfg.FleetKey, cfg.Directory, pace.store); err != nil {
			return nil, err
		}
	}
	if err := f.firstLook(ctx); err != nil {
		return nil, err
	}
	ctx, f.stop = context.WithCancel(ctx)
	f.running.Go(func() { f.keep(ctx, time.Now().Add(pace.settle)) })
	return f, nil
}

func (f *fleet) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	f.hearing.Do(func() { close(f.heard) })
	name := hello.ServerName
	if host, err := hostName(name); err == nil {
		name = host
	}
	if slices.Equal(hello.SupportedProtos, []string{challengeProtocol}) {
		return f.challengeCertificate(hello.Context(), name)
	}
	if anonymous(name) {
		name = f.names[0]
	}
	if !slices.Contains(f.names, name) {
		return nil, nil // unrecognized_name
	}
	f.mu.RLock()
	defer f.mu.RUnlock()
	if cert := f.held[name]; cert != nil {
		return cert, nil // perhaps expired: the last good one beats none
	}
	return nil, fmt.Errorf("no certificate for %s yet", name)
}

// anonymous reports whether a client that sends name does not mean one of our
// names: a health checker, or somebody on the same network.
func anonymous(name string) bool {
	return !strings.Contains(name, ".") || net.ParseIP(name) != nil || strings.HasSuffix(name, ".internal")
}

// challengeCertificate answers tls-alpn-01. The balancer gives the authority's
// connection to any instance, so the answer is in the shared cache; this is the
// one handshake that waits for it.
func (f *fleet) challengeCertificate(ctx context.Context, name string) (*tls.Certificate, error) {
	if !slices.Contains(f.names, name) {
		return nil, nil
	}
	content, err := f.answer(ctx, name+tokenSuffix)
	if err != nil {
		return nil, fmt.Errorf("challenge for %s: %w", name, err)
	}
	return decode(name, content)
}

// tokenForm is a token of RFC 8555 section 8.1: base64url, and nothing that
// could name another entry of the cache.
var tokenForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,256}$`)

func (f *fleet) challenge(ctx context.Context, host, token string) ([]byte, error) {
	if !slices.Contains(f.names, host) {
		return nil, statusError{http.StatusForbidden, "this server answers no challenge for that host"}
	}
	if !tokenForm.MatchString(token) {
		return nil, statusError{http.StatusNotFound, "no such challenge"}
	}
	answer, err := f.answer(ctx, token+httpTokenSuffix)
	if errors.Is(err, ErrMissing) {
		return nil, statusError{http.StatusNotFound, "no such challenge"}
	}
	if err != nil {
		f.logger.Warn("a challenge could not be answered", "host", host, "error", err)
		return nil, statusError{http.StatusServiceUnavailable, "the answer to the challenge cannot be read now"}
	}
	return answer, nil
}

// answer prefers the shared cache to this instance's memory: an instance that
// lost the lease in mid-order remembers an answer that is no longer the right
// one.
func (f *fleet) answer(ctx context.Context, key string) ([]byte, error) {
	answer, _, err := f.shared.get(ctx, key)
	if err == nil || errors.Is(err, ErrMissing) {
		return answer, err
	}
	f.mu.RLock()
	defer f.mu.RUnlock()
	if own := f.answers[key]; own != nil {
		return own, nil
	}
	return nil, err
}

func (f *fleet) remember(key string, answer []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if answer == nil {
		delete(f.answers, key)
	} else {
		f.answers[key] = answer
	}
}

func (f *fleet) ready() error {
	f.mu.RLock()
	defer f.mu.RUnlock()
	for _, name := range f.names {
		if err := inDate(name, f.held[name], f.pace.now()); err != nil {
			if f.trouble != nil {
				return fmt.Errorf("%w: %w", err, f.trouble)
			}
			return err
		}
	}
	return nil
}

func (f *fleet) ends() map[string]time.Time {
	ends := map[string]time.Time{}
	for name, cert := range f.snapshot() {
		ends[name] = cert.Leaf.NotAfter
	}
	return ends
}

// snapshot returns what is held, to be read without the lock.
func (f *fleet) snapshot() map[string]*tls.Certificate {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return maps.Clone(f.held)
}

func (f *fleet) close() error {
	f.stop()
	f.running.Wait()
	if f.term != nil {
		// The context that the term lived in has ended; handing the lease back
		// saves the next issuer the wait.
		f.term.retire(f.term.record.Resting)
		f.term = nil
	}
	f.issuer.transport.CloseIdleConnections()
	return nil
}
