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
	"sync"
	"sync/atomic"
	"time"

	"bogops/app/admit"
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
	out       *outbox     // below Conn, which is TLS on it or out itself
	gate      *admit.Gate // that it came through
	closed    atomic.Bool
	serving   atomic.Bool // a handler has the word, or its answer is going out
	gathering atomic.Bool // of that answer, what it is written in leaves together
	refused   atomic.Bool
	malformed *atomic.Int64 // counts them, over all connections
}

func (c *refusing) Write(p []byte) (int, error) {
	if c.serving.Load() {
		return c.send(p)
	}
	refusal := refusalIn(p)
	if refusal == nil {
		return c.Conn.Write(p)
	}
	c.refused.Store(true)
	c.malformed.Add(1)
	if _, err := c.Conn.Write(refusal); err != nil {
		return 0, err
	}
	return len(p), nil
}

// send writes a part of an answer; its TLS records leave together.
func (c *refusing) send(p []byte) (int, error) {
	c.out.keep()
	n, err := c.Conn.Write(p)
	if err == nil && !c.gathering.Load() {
		err = c.out.flush()
	}
	return n, err
}

// SetWriteDeadline with no deadline is how net/http ends an answer, before it
// closes the connection or takes it for idle: now the whole of it goes out. Later
// would be too late for a slow client, since neither a close nor a shutdown waits.
func (c *refusing) SetWriteDeadline(at time.Time) error {
	if at.IsZero() {
		c.serving.Store(false)
		c.gathering.Store(false)
		if err := c.out.flush(); err != nil {
			_ = c.Conn.Close() // net/http learns of it at its next read
		}
	}
	return c.Conn.SetWriteDeadline(at)
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
	c.out.closing.Store(true)
	if !c.closed.Swap(true) {
		defer c.gate.Disconnect()
	}
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

// refusingListener wraps what it accepts, under TLS where config is not nil, and
// closes at once what the gate does not let in.
type refusingListener struct {
	net.Listener
	config *tls.Config
	gate   *admit.Gate
	boxes  *sync.Pool

	malformed *atomic.Int64 // counts requests answered in place of net/http
}

func newRefusingListener(l net.Listener, config *tls.Config, gate *admit.Gate, malformed *atomic.Int64) refusingListener {
	return refusingListener{l, config, gate, &sync.Pool{New: func() any { return new([outboxLen]byte) }}, malformed}
}

func (l refusingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	for l.gate.Connect() != nil {
		_ = conn.Close()
		if conn, err = l.Listener.Accept(); err != nil {
			return nil, err
		}
	}
	out := &outbox{Conn: conn, boxes: l.boxes}
	if l.config != nil {
		return &refusing{Conn: tls.Server(out, l.config), out: out, gate: l.gate, malformed: l.malformed}, nil // shakes hands at its first read
	}
	return &refusing{Conn: out, out: out, gate: l.gate, malformed: l.malformed}, nil
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
	next := s.Handler
	s.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, ok := r.Context().Value(connectionKey{}).(*refusing); ok {
			c.serving.Store(true)
			// Over HTTP/2 answers share a connection and have no end of it.
			reads := r.Method == http.MethodGet || r.Method == http.MethodHead
			c.gathering.Store(r.ProtoMajor == 1 && reads)
			if !reads {
				r = r.WithContext(clientContext{r.Context(), c.out.Conn})
			}
		}
		next.ServeHTTP(w, r)
	})
}
