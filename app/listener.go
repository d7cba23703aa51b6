package main

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"sync/atomic"

	"bogops/app/admit"
)

// gatedListener wraps what it accepts, under TLS where config is not nil, and
// closes at once what the gate does not let in.
type gatedListener struct {
	net.Listener
	config *tls.Config
	gate   *admit.Gate
	boxes  *sync.Pool

	malformed *atomic.Int64 // counts requests answered in place of net/http
}

func newGatedListener(l net.Listener, config *tls.Config, gate *admit.Gate, malformed *atomic.Int64) gatedListener {
	return gatedListener{l, config, gate, &sync.Pool{New: func() any { return new([outboxLen]byte) }}, malformed}
}

func (l gatedListener) Accept() (net.Conn, error) {
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
		return &connection{Conn: tls.Server(out, l.config), out: out, gate: l.gate, malformed: l.malformed}, nil // shakes hands at its first read
	}
	return &connection{Conn: out, out: out, gate: l.gate, malformed: l.malformed}, nil
}

type connectionKey struct{}

// wireConnections makes s serve connections of a gatedListener. As net/http
// sees no TLS below them, it tells HTTP/2 by its preface and not by what the
// handshake agreed on, which comes to the same.
func wireConnections(s *http.Server) {
	s.Protocols = new(http.Protocols)
	s.Protocols.SetHTTP1(true)
	s.Protocols.SetUnencryptedHTTP2(true)
	s.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		return context.WithValue(ctx, connectionKey{}, c)
	}
	next := s.Handler
	s.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, ok := r.Context().Value(connectionKey{}).(*connection); ok {
			c.serving.Store(true)
			// Over HTTP/2 answers share a connection and have no end of it.
			reads := r.Method == http.MethodGet || r.Method == http.MethodHead
			c.gathering.Store(r.ProtoMajor == 1 && reads)
			if !reads {
				r = r.WithContext(newClientContext(r.Context(), c.out.Conn))
			}
		}
		next.ServeHTTP(w, r)
	})
}
