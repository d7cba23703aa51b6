package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net/http"
)

// certificates is where TLS comes from; a nil TLSConfig serves plain HTTP.
type certificates interface {
	TLSConfig() *tls.Config
	HTTPHandler(fallback http.Handler) http.Handler
	Ready() error
	Close() error
}

// openCertificates knows --certs off only, for now: the other kinds are
// refused, not ignored.
func openCertificates(_ context.Context, cfg Config, _ *slog.Logger) (certificates, error) {
	if cfg.Certs != "off" {
		return nil, fmt.Errorf("not in this build; want off")
	}
	return noCertificates{}, nil
}

type noCertificates struct{}

func (noCertificates) TLSConfig() *tls.Config { return nil }
func (noCertificates) Ready() error           { return nil }
func (noCertificates) Close() error           { return nil }
func (noCertificates) HTTPHandler(http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "https://"+r.Host+r.URL.RequestURI(), http.StatusPermanentRedirect)
	})
}
