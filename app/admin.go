package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// adminPort is the port for operators: a server of its own, so that it answers
// while the public ones are busy or drain, and ends last.
type adminPort struct {
	server *http.Server
	done   chan error
}

// openAdmin serves handler at address; "" serves nothing.
func openAdmin(address string, handler http.Handler, log *slog.Logger) (*adminPort, error) {
	if address == "" {
		return &adminPort{}, nil
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("--admin-listen %s: %w; want a free address of this machine", address, err)
	}
	p := &adminPort{done: make(chan error, 1), server: &http.Server{
		Handler: handler,
		// No limit on answers: a CPU profile takes as long as it is asked to.
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}}
	at := listener.Addr().(*net.TCPAddr)
	log.Info("admin port", "addr", at.String())
	warnStrangers(at, log)
	go func() { p.done <- p.server.Serve(listener) }()
	return p, nil
}

// warnStrangers says so where others than this machine reach the port.
func warnStrangers(at *net.TCPAddr, log *slog.Logger) {
	if !at.IP.IsLoopback() {
		log.Warn("the admin port is open beyond this machine and asks for no token: keep strangers away from it", "addr", at.String())
	}
}

// close lets a scrape under way end, for a moment, and waits for the server.
func (p *adminPort) close() {
	if p.server == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if p.server.Shutdown(ctx) != nil {
		_ = p.server.Close() // whatever still runs, such as a profile, is cut
	}
	<-p.done
}
