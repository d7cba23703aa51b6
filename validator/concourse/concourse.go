// Package concourse is the judge's client of a team's Concourse: it reads one
// pipeline, triggers its jobs, follows builds and tells why there was no answer.
//
// The API is that of Concourse 7 and 8 (https://concourse-ci.org, atc/routes.go
// and atc/*.go of its source): the members read here are the same in both. Login
// is the password grant that `fly login -u -p` uses, with fly's own public client
// id. A token that Concourse does not know is no error on what everybody may
// read, so each token is shown to /api/v1/user before it counts as a login.
//
// Whatever is read comes from a team and is bounded in bytes and time; redirects
// are not followed, and no error holds a password or a token.
package concourse

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"strings"
	"time"

	"bogops/validator/contest"
	"bogops/validator/evidence"
	"bogops/validator/target"
)

// Access is where a pipeline is and who asks: User with Password, or Token.
type Access struct {
	URL             string // https://ci.example.net, without a path or with the one that Concourse lies under
	Team, Pipeline  string
	User            string
	Password, Token contest.Secret
	Instance        map[string]any // of an instanced pipeline: its vars; nil: none
}

// Options are what opening needs beside the contest file.
type Options struct {
	Roots   *x509.CertPool    // what a chain must end in; nil: the system's
	Resolve map[string]string // host → address:port, for rehearsals
	Now     func() time.Time  // the contest's clock; nil: time.Now

	Resolver *net.Resolver // of names that Resolve does not hold; nil: the machine's own
}

// patience is how long the client waits for what.
type patience struct {
	answer time.Duration // to one request, its body included
	silent time.Duration // on a stream without a byte, until it is asked for anew
	absent time.Duration // for any answer, until a stream that was cut is given up
}

// Client asks one pipeline. Its methods may be called concurrently. Their errors
// are of the classes of this package, or the judge's own fault: see Settle.
type Client struct {
	access  Access
	base    string
	now     func() time.Time
	http    *http.Client
	streams *http.Client // for events
	hidden  *evidence.Redactor
	login   *login

	patience patience
}

// Open returns a client. It connects to nothing yet, so that a Concourse that
// is down keeps no judge from starting.
func Open(a Access, o Options) *Client {
	c := &Client{
		access: a, base: strings.TrimRight(a.URL, "/"), now: o.Now, hidden: &evidence.Redactor{},
		patience: patience{answer: 15 * time.Second, silent: time.Minute, absent: time.Minute},
	}
	if c.now == nil {
		c.now = time.Now
	}
	c.hidden.Add(string(a.Password), string(a.Token))
	// Where and as whom to ask is what a Target says; no platform stands behind it.
	way := target.Target{Roots: o.Roots, Resolve: o.Resolve, Resolver: o.Resolver, Now: o.Now}
	c.http, c.streams = client(way, c.patience.answer), client(way, 0)
	c.login = newLogin(c)
	return c
}

func client(way target.Target, head time.Duration) *http.Client {
	return &http.Client{
		Transport:     transport(way, head),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// transport is that of any client of the judge. A kept connection is dropped
// soon: one that the other side has just closed would cost a trigger its answer.
func transport(way target.Target, head time.Duration) *http.Transport {
	return &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			return way.Dial(ctx, network, address)
		},
		TLSClientConfig:        &tls.Config{RootCAs: way.Roots, MinVersion: tls.VersionTLS12, Time: way.Now},
		TLSHandshakeTimeout:    5 * time.Second,
		ResponseHeaderTimeout:  head,
		MaxResponseHeaderBytes: 64 << 10,
		DisableCompression:     true, // a small body must not unpack to a large one
		IdleConnTimeout:        5 * time.Second,
	}
}

// Close closes the connections that are not in use. A closed client may be used
// again.
func (c *Client) Close() {
	c.http.CloseIdleConnections()
	c.streams.CloseIdleConnections()
}

// Secrets hides what this client knows and nobody else may see: its password
// and every token it was given so far.
func (c *Client) Secrets() *evidence.Redactor { return c.hidden }
