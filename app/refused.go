package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// net/http answers some requests before any handler sees them: a target with
// a bad escape, headers that are too large, an unknown expectation. Its answer
// is one bare text without a request id, where the contract wants a problem. So
// connections are wrapped and that text is replaced on its way out. (Over HTTP/2
// a malformed request is a reset stream, RFC 9113, section 8.1.1: there is
// nothing to replace.)

// refusals are the statuses of such answers, and what they mean.
var refusals = [...]struct {
	status int
	detail string
}{
	{http.StatusBadRequest, "The request line, the path or a header cannot be parsed."},
	{http.StatusExpectationFailed, "Expect holds something other than 100-continue."},
	{http.StatusRequestHeaderFieldsTooLarge, "The request line and the headers are larger than this platform takes."},
	{http.StatusNotImplemented, "Transfer-Encoding holds something other than chunked."},
	{http.StatusHTTPVersionNotSupported, "This version of HTTP is not spoken here; want 1.0, 1.1 or 2."},
}

// refusalIn returns the problem to send in place of p where p is such an answer,
// and nil where it is not. It is asked only while no handler has the word: an
// object may well begin with the same bytes.
func refusalIn(p []byte) []byte {
	for _, r := range refusals {
		for _, version := range []string{"HTTP/1.1", "HTTP/1.0"} {
			if bytes.HasPrefix(p, fmt.Appendf(nil, "%s %d ", version, r.status)) {
				return malformed(r.status, r.detail)
			}
		}
	}
	return nil
}

// refusing is a connection on which malformed requests get a problem.
type refusing struct {
	net.Conn
	serving atomic.Bool // a handler has the word, or its answer is going out
	refused atomic.Bool
}

func (c *refusing) Write(p []byte) (int, error) {
	if c.serving.Load() {
		return c.Conn.Write(p)
	}
	refusal := refusalIn(p)
	if refusal == nil {
		return c.Conn.Write(p)
	}
	c.refused.Store(true)
	if _, err := c.Conn.Write(refusal); err != nil {
		return 0, err
	}
	return len(p), nil
}

// CloseWrite is what net/http wants of a connection to end it gently.
func (c *refusing) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// Close reads on for a moment after a refusal: to close with bytes unread
// resets a connection, and may take the answer with it.
func (c *refusing) Close() error {
	if c.refused.Swap(false) && c.CloseWrite() == nil {
		_ = c.SetReadDeadline(time.Now().Add(time.Second))
		buffer := make([]byte, 4096)
		for {
			if _, err := c.Read(buffer); err != nil {
				break
			}
		}
	}
	return c.Conn.Close()
}

// malformed is the whole answer, in the form of every problem of the API.
func malformed(status int, detail string) []byte {
	var random [12]byte
	_, _ = rand.Read(random[:]) // never fails, by its documentation
	id := hex.EncodeToString(random[:])
	title := http.StatusText(status)
	body := fmt.Sprintf(`{"type":"urn:problem-type:bogops:malformed","title":"%s","status":%d,"detail":"%s","instance":"%s"}`+"\n",
		title, status, detail, id)
	return fmt.Appendf(nil, "HTTP/1.1 %d %s\r\nContent-Type: application/problem+json\r\nContent-Length: %d\r\n"+
		"Date: %s\r\nRequest-Id: %s\r\nConnection: close\r\n\r\n%s",
		status, title, len(body), time.Now().UTC().Format(http.TimeFormat), id, body)
}

// refusingListener wraps what it accepts, under TLS where config is not nil.
type refusingListener struct {
	net.Listener
	config *tls.Config
}

func (l refusingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if l.config != nil {
		conn = tls.Server(conn, l.config) // shakes hands at its first read
	}
	return &refusing{Conn: conn}, nil
}

type connectionKey struct{}

// serveRefusing makes s serve connections of a refusingListener. As net/http
// sees no TLS below them, it tells HTTP/2 by its preface and not by what the
// handshake agreed on, which comes to the same.
func serveRefusing(s *http.Server) {
	s.Protocols = new(http.Protocols)
	s.Protocols.SetHTTP1(true)
	s.Protocols.SetUnencryptedHTTP2(true)
	s.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		return context.WithValue(ctx, connectionKey{}, c)
	}
	s.ConnState = func(c net.Conn, state http.ConnState) {
		if r, ok := c.(*refusing); ok && state == http.StateIdle {
			r.serving.Store(false) // the whole answer has gone out
		}
	}
	next := s.Handler
	s.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, ok := r.Context().Value(connectionKey{}).(*refusing); ok {
			c.serving.Store(true)
		}
		next.ServeHTTP(w, r)
	})
}
