package target

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"time"
)

// Exchange is what is kept of one request as evidence. Times are in
// milliseconds; a phase that did not take place, as on a kept connection, is 0.
type Exchange struct {
	At         time.Time   `json:"at"`
	Method     string      `json:"method"`
	Path       string      `json:"path"`
	Sent       http.Header `json:"sent,omitempty"` // without the token
	DNS        []string    `json:"dns,omitempty"`
	Remote     string      `json:"remote,omitempty"`
	Reused     bool        `json:"reused,omitempty"`
	TLS        string      `json:"tls,omitempty"`
	Chain      string      `json:"chain,omitempty"` // PEM, as the server sent it
	Status     int         `json:"status,omitempty"`
	Received   http.Header `json:"received,omitempty"`
	BodyBytes  int64       `json:"body_bytes"`
	BodySHA256 string      `json:"body_sha256,omitempty"`
	Excerpt    string      `json:"excerpt,omitempty"` // of the body, where the status is 400 or more
	Timings    Timings     `json:"timings_ms"`
	Failure    string      `json:"failure,omitempty"`
}

// Timings are the phases of a request, in milliseconds. FirstByte and Total
// count from the start of the request.
type Timings struct {
	DNS       float64 `json:"dns"`
	Connect   float64 `json:"connect"`
	TLS       float64 `json:"tls"`
	FirstByte float64 `json:"first_byte"`
	Total     float64 `json:"total"`
}

// recorder fills an Exchange from the hooks of net/http, which may still be
// called from other goroutines after the request has ended.
type recorder struct {
	mu                      sync.Mutex
	exchange                Exchange
	begin                   time.Time
	dnsAt, connectAt, tlsAt time.Time
	resolving               bool
}

func record(ctx context.Context, r Request) (context.Context, *recorder) {
	rec := &recorder{begin: time.Now()}
	rec.exchange = Exchange{At: rec.begin.UTC(), Method: r.Method, Path: r.Path}
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		DNSStart: func(httptrace.DNSStartInfo) { rec.note(func() { rec.dnsAt, rec.resolving = time.Now(), true }) },
		DNSDone: func(info httptrace.DNSDoneInfo) {
			rec.note(func() {
				rec.exchange.Timings.DNS, rec.resolving = since(rec.dnsAt), false
				for _, address := range info.Addrs {
					rec.exchange.DNS = append(rec.exchange.DNS, address.String())
				}
			})
		},
		ConnectStart: func(string, string) { rec.note(func() { rec.connectAt = time.Now() }) },
		ConnectDone: func(_, address string, err error) {
			rec.note(func() { rec.exchange.Timings.Connect, rec.exchange.Remote = since(rec.connectAt), address })
		},
		TLSHandshakeStart: func() { rec.note(func() { rec.tlsAt = time.Now() }) },
		TLSHandshakeDone: func(state tls.ConnectionState, err error) {
			rec.note(func() { rec.exchange.Timings.TLS = since(rec.tlsAt); rec.exchange.handshake(state, err) })
		},
		GotConn: func(info httptrace.GotConnInfo) {
			rec.note(func() {
				rec.exchange.Reused, rec.exchange.Remote = info.Reused, info.Conn.RemoteAddr().String()
			})
		},
		GotFirstResponseByte: func() { rec.note(func() { rec.exchange.Timings.FirstByte = since(rec.begin) }) },
	}), rec
}

func (rec *recorder) note(change func()) {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	change()
}

// take returns what was recorded so far; later hooks no longer change it.
func (rec *recorder) take() Exchange {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	rec.exchange.Timings.Total = since(rec.begin)
	return rec.exchange
}

// blame finds the resolver behind a time-out that it alone used up: net/http
// only says that the time is over.
func (rec *recorder) blame(failure *Failure) *Failure {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	if failure.Kind == TimedOut && rec.resolving {
		failure.Kind = ResolverFailed
	}
	return failure
}

func (e *Exchange) handshake(state tls.ConnectionState, err error) {
	e.TLS = tls.VersionName(state.Version)
	e.Chain = ChainPEM(state.PeerCertificates)
	var unverified *tls.CertificateVerificationError
	if errors.As(err, &unverified) {
		e.Chain = ChainPEM(unverified.UnverifiedCertificates)
	}
}

// ChainPEM spells certificates as PEM, in the order given.
func ChainPEM(chain []*x509.Certificate) string {
	var text strings.Builder
	for _, certificate := range chain {
		text.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw}))
	}
	return text.String()
}

func since(begin time.Time) float64 {
	if begin.IsZero() {
		return 0
	}
	return float64(time.Since(begin).Microseconds()) / 1000
}
