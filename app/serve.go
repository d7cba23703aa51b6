package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"bogops/app/admit"
	"bogops/app/certs"
	"bogops/app/store"
)

// server serves a handler and stops without cutting what is in flight.
type server struct {
	cfg       Config
	log       *slog.Logger
	store     store.Store
	unled     func() bool // as in opened
	certs     *certs.Source
	gate      *admit.Gate
	draining  atomic.Bool
	malformed atomic.Int64           // requests that no handler has seen, for the metrics
	waits     atomic.Pointer[string] // what ready last said, for the log
}

// ready says which part of this instance cannot serve now; nil: none. Anyone
// may ask, so the reason, which may name paths and hosts, goes to the log
// instead, once for each change.
func (s *server) ready(ctx context.Context) error {
	part, why := s.waiting(ctx)
	if before := s.waits.Swap(&part); part != "" && (before == nil || *before != part) {
		s.log.Warn("not ready", "part", part, "reason", why)
	}
	if part != "" {
		return errors.New(part)
	}
	return nil
}

// waiting is the part that is not ready, and why; empty: all are.
func (s *server) waiting(ctx context.Context) (part, why string) {
	if s.draining.Load() {
		return "the instance is draining", "it was asked to stop"
	}
	if err := s.certs.Ready(); err != nil {
		return "no certificate yet", err.Error()
	}
	if h := s.store.Health(ctx); h.State == store.Down {
		if s.unled != nil && s.unled() {
			return "the instance has no lease on the store's common state", h.Reason
		}
		return "the store is down", h.Reason
	}
	return "", ""
}

// serve listens, says where, and serves until ctx ends; then it drains.
func (s *server) serve(ctx context.Context, handler http.Handler) error {
	listener, err := net.Listen("tcp", s.cfg.Listen)
	if err != nil {
		return fmt.Errorf("--listen %s: %w; want a free address of this machine", s.cfg.Listen, err)
	}
	defer listener.Close()
	main := s.newServer(closeAfterChunked(s.closeWhenDraining(handler)))
	wireConnections(main)
	tlsConfig := s.certs.TLSConfig()
	failed := make(chan error, 2)
	servers := []*http.Server{main}

	plainAddress := ""
	if s.cfg.HTTPListen != "" {
		plainListener, err := net.Listen("tcp", s.cfg.HTTPListen)
		if err != nil {
			return fmt.Errorf("--http-listen %s: %w; want a free address of this machine", s.cfg.HTTPListen, err)
		}
		plain := s.newServer(s.certs.HTTPHandler(nil))
		plain.ReadTimeout = plain.ReadHeaderTimeout // no body means anything there
		wireConnections(plain)
		servers = append(servers, plain)
		plainAddress = plainListener.Addr().String()
		go func() { failed <- plain.Serve(newGatedListener(plainListener, nil, s.gate, &s.malformed)) }()
	}
	go func() { failed <- main.Serve(newGatedListener(listener, tlsConfig, s.gate, &s.malformed)) }()
	s.log.Info("listening", "addr", listener.Addr().String(), "http", plainAddress,
		"pid", os.Getpid(), "tls", tlsConfig != nil, "store", s.store.Describe().Kind, "version", s.cfg.AppVersion)

	ended := 0
	select {
	case <-ctx.Done():
		s.drain(servers)
	case err = <-failed:
		ended++
		err = fmt.Errorf("serve: %w", err)
	}
	for _, server := range servers {
		_ = server.Close() // what has drained is closed already
	}
	for ; ended < len(servers); ended++ {
		<-failed
	}
	return err
}

func (s *server) newServer(handler http.Handler) *http.Server {
	return &http.Server{
		Handler: handler,
		// No limit on a whole request: a large body over a slow line is
		// honest work. Headers and idle connections are not.
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		// A stream of HTTP/2 may be sent this much before anyone reads it,
		// for each of the requests in flight.
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams:          100,
			MaxReceiveBufferPerStream:     64 << 10,
			MaxReceiveBufferPerConnection: 256 << 10,
			WriteByteTimeout:              longestWrite,
		},
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}
}
