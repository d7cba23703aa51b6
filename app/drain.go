package main

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"
)

// drain stops in the order that loses nobody:
//
//  1. Not ready at once, and for DrainDelay served as ever, while balancers
//     notice. Each answer asks its client to open the next connection
//     elsewhere, so that kept ones end by themselves.
//  2. What was begun goes on; what comes now is told 503 before its body is
//     read. For a moment connections that are kept, and new ones, are still
//     answered: HTTP/1.1 has no way to tell a request that crosses a close, so
//     the fewer are closed the better.
//  3. Nothing is accepted any more, idle connections are closed (HTTP/2: told to
//     go away), and what is in flight has the rest of Drain to finish.
func (s *server) drain(servers []*http.Server) {
	s.draining.Store(true)
	s.log.Info("draining", "delay", s.cfg.DrainDelay.String(), "limit", s.cfg.Drain.String())
	time.Sleep(s.cfg.DrainDelay)
	ctx, cancel := context.WithTimeout(context.Background(), s.cfg.Drain)
	defer cancel()
	s.gate.Close()
	s.log.Info("draining: new requests are refused")
	s.linger(min(s.cfg.DrainDelay, s.cfg.Drain/2, time.Second))
	for _, server := range servers {
		if err := server.Shutdown(ctx); err != nil {
			s.log.Warn("drain: requests were cut", "error", err.Error())
		}
	}
	s.log.Info("drained")
}

// linger waits until all connections are gone, but no longer than limit.
func (s *server) linger(limit time.Duration) {
	for end := time.Now().Add(limit); time.Now().Before(end) && s.gate.Numbers().Connections > 0; {
		time.Sleep(10 * time.Millisecond)
	}
}

// closeWhenDraining tells clients that keep a connection to open their next
// one elsewhere. net/http makes a GOAWAY of it for HTTP/2.
func (s *server) closeWhenDraining(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(parting{w, &s.draining}, r)
	})
}

// parting is an answer that says so where the drain has begun when it is given,
// however long before that its request came.
type parting struct {
	http.ResponseWriter
	draining *atomic.Bool
}

func (p parting) WriteHeader(status int) {
	if p.draining.Load() {
		p.Header().Set("Connection", "close")
	}
	p.ResponseWriter.WriteHeader(status)
}

// Flush implements http.Flusher, which gin asks for.
func (p parting) Flush() { _ = http.NewResponseController(p.ResponseWriter).Flush() }

// Unwrap is what http.ResponseController looks for.
func (p parting) Unwrap() http.ResponseWriter { return p.ResponseWriter }
