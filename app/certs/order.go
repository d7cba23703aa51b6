package certs

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
)

const (
	accountKey      = "acme_account+key" // autocert's names of its cache entries
	tokenSuffix     = "+token"
	httpTokenSuffix = "+http-01"
	tokenTries      = 3
)

// orderer gets certificates from the authority, by autocert. It is only called
// by the holder of the lease.
type orderer struct {
	directory string
	email     string
	transport *http.Transport
	vault     *vault
	limit     time.Duration
	// remember keeps an answer to a challenge in this instance's memory, in
	// case it is asked while the shared cache is down; nil forgets.
	remember func(key string, answer []byte)
}

// obtain makes one attempt at a certificate for name and returns when it has
// ended, with everything that it put into the shared cache removed again.
//
// Every attempt has an autocert.Manager of its own, so that autocert carries
// out the order and we decide when: a Manager's own retries and renewals know
// nothing of the lease. Its renewal timer cannot be stopped; it fires when the
// certificate ends, finds the line closed, and costs nothing.
func (o *orderer) obtain(term context.Context, name string, overHTTP bool) (*tls.Certificate, error) {
	attempt, cancel := context.WithTimeoutCause(term, o.limit,
		fmt.Errorf("the attempt took longer than %v", o.limit))
	defer cancel()
	fail, end := context.WithCancelCause(attempt)
	defer end(context.Canceled)

	line := &line{attempt: fail, base: o.transport, orders: 1}
	notes := &notes{attempt: fail, fail: end, vault: o.vault, remember: o.remember}
	client := &acme.Client{
		DirectoryURL: o.directory,
		HTTPClient:   &http.Client{Transport: line},
		RetryBackoff: backoff,
		UserAgent:    "bogops",
	}
	directory, err := client.Discover(fail)
	if err != nil {
		return nil, fmt.Errorf("ACME directory %s: %w", o.directory, err)
	}
	line.orderURL = directory.OrderURL
	manager := &autocert.Manager{
		Prompt:     autocert.AcceptTOS,
		Cache:      notes,
		HostPolicy: autocert.HostWhitelist(name),
		Email:      o.email,
		Client:     client,
	}
	if overHTTP {
		manager.HTTPHandler(nil) // only tells it that port 80 answers too
		line.orders++
	}
	cert, err := manager.GetCertificate(&tls.ClientHelloInfo{
		ServerName:   name,
		CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}, // asks for an ECDSA key
	})
	notes.clean()
	if err != nil {
		// Not the HTTP client's words around our own.
		if cause := context.Cause(fail); cause != nil {
			err = cause
		} else if errors.Is(err, errTried) {
			err = errTried
		}
		return nil, fmt.Errorf("certificate for %s: %w", name, line.explain(err))
	}
	return cert, nil
}

// notes is autocert's cache during one attempt. What concerns the fleet goes
// through to the shared cache: the account's key, and the answers to challenges,
// which any instance may be asked for. The certificate does not: obtain returns
// it, and autocert would ignore a failure to keep it.
type notes struct {
	attempt  context.Context // autocert passes one that nobody can end
	fail     context.CancelCauseFunc
	vault    *vault
	remember func(key string, answer []byte)

	mu     sync.Mutex
	tokens []string
}

func (n *notes) Get(_ context.Context, key string) ([]byte, error) {
	if key != accountKey {
		return nil, autocert.ErrCacheMiss
	}
	value, _, err := n.vault.get(n.attempt, key)
	if errors.Is(err, ErrMissing) {
		return nil, autocert.ErrCacheMiss // compared by ==
	}
	return value, err
}

// Put stops the attempt when an answer could not be shared. Autocert would go
// on, and the authority would knock on an instance that cannot answer.
func (n *notes) Put(_ context.Context, key string, value []byte) error {
	if key == accountKey {
		return n.vault.put(n.attempt, key, value)
	}
	if !strings.HasSuffix(key, tokenSuffix) && !strings.HasSuffix(key, httpTokenSuffix) {
		return nil
	}
	n.mu.Lock()
	n.tokens = append(n.tokens, key)
	n.mu.Unlock()
	n.remember(key, value)
	var err error
	for range tokenTries {
		if err = n.vault.put(n.attempt, key, value); err == nil {
			return nil
		}
		if n.attempt.Err() != nil {
			break
		}
	}
	err = fmt.Errorf("the answer to the challenge could not be shared: %w", err)
	n.fail(err)
	return err
}

// Delete is left to clean: autocert calls it from goroutines of its own that
// nobody can wait for, and that might remove a later attempt's answer.
func (n *notes) Delete(context.Context, string) error { return nil }

// clean removes the answers of this attempt. After the term they may be another
// instance's, so they stay: they are of no use to anybody.
func (n *notes) clean() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, key := range n.tokens {
		n.remember(key, nil)
		_ = n.vault.delete(n.attempt, key)
	}
	n.tokens = nil
}
