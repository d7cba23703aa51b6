package target

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
)

// Hello is a bare TLS handshake to try.
type Hello struct {
	Address    string // host:port to dial; empty: the platform's own
	ServerName string // SNI; empty: none is sent
	Min, Max   uint16 // TLS versions; 0: 1.2 and 1.3
}

// Handshake shakes hands and hangs up. It verifies nothing, so that a wrong
// certificate can be looked at. Its error holds a *Failure.
func (c *Client) Handshake(ctx context.Context, h Hello) (tls.ConnectionState, error) {
	if h.Address == "" {
		name, port := c.target.Host()
		h.Address = net.JoinHostPort(name, port)
	}
	what := fmt.Sprintf("the TLS handshake with %s", h.Address)
	ctx, rec := record(ctx, Request{Method: "handshake", Path: fmt.Sprintf("%s SNI %q", h.Address, h.ServerName)})
	state, err := c.handshake(ctx, h)
	var failure *Failure
	if err != nil {
		failure = rec.blame(fail(what, err))
	}
	c.keep(rec, func(e *Exchange) {
		if failure != nil {
			e.Failure = failure.Error()
			return
		}
		e.handshake(state, nil)
	})
	if failure != nil {
		return state, failure
	}
	return state, nil
}

func (c *Client) handshake(ctx context.Context, h Hello) (tls.ConnectionState, error) {
	conn, err := c.target.Dial(ctx, "tcp", h.Address)
	if err != nil {
		return tls.ConnectionState{}, err
	}
	defer conn.Close()
	config := &tls.Config{ServerName: h.ServerName, InsecureSkipVerify: true, MinVersion: tls.VersionTLS12, Time: c.target.Now}
	if h.Min != 0 {
		// Old suites too: what is refused must be the version and not the suite.
		config.MinVersion, config.MaxVersion = h.Min, h.Max
		for _, suite := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
			config.CipherSuites = append(config.CipherSuites, suite.ID)
		}
	}
	secured := tls.Client(conn, config)
	if err := secured.HandshakeContext(ctx); err != nil {
		return tls.ConnectionState{}, err
	}
	return secured.ConnectionState(), nil
}

// Addresses are all those of the platform's name, with its port: what Resolve
// says, or what the resolver does. Its error holds a *Failure.
func (t Target) Addresses(ctx context.Context) ([]string, error) {
	name, port := t.Host()
	if to, ok := t.Resolve[name]; ok {
		return []string{to}, nil
	}
	resolver := t.Resolver
	if resolver == nil {
		resolver = net.DefaultResolver
	}
	found, err := resolver.LookupHost(ctx, name)
	if err != nil {
		return nil, fail("the look-up of "+name, err)
	}
	addresses := make([]string, len(found))
	for i, address := range found {
		addresses[i] = net.JoinHostPort(address, port)
	}
	return addresses, nil
}

// Plain is the platform as it answers plain HTTP, under the same name.
func (t Target) Plain() Target {
	name, _ := t.Host()
	plain := *t.URL
	plain.Scheme, plain.Host = "http", name
	if address := net.ParseIP(name); address != nil && address.To4() == nil {
		plain.Host = "[" + name + "]"
	}
	t.Resolve = map[string]string{name: t.PlainAddress()}
	t.URL = &plain
	return t
}
