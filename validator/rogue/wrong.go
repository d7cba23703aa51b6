package rogue

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"bogops/validator/target"
)

// handler makes a change of what stands before an honest platform.
func handler(wrong func(http.Handler) http.HandlerFunc) func(*site) error {
	return func(s *site) error {
		s.handler = wrong(s.handler)
		return nil
	}
}

func plain(wrong http.HandlerFunc) func(*site) error {
	return func(s *site) error {
		s.plain = wrong
		return nil
	}
}

func certificate(issue func(*site) (tls.Certificate, error)) func(*site) error {
	return func(s *site) error {
		issued, err := issue(s)
		s.tls.Certificates = []tls.Certificate{issued}
		return err
	}
}

func leaf(alter func(*x509.Certificate)) func(*site) error {
	return certificate(func(s *site) (tls.Certificate, error) { return s.authority.leaf(nil, alter, host) })
}

func always200(http.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "ok") }
}

func shedsAll(http.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "1")
		http.Error(w, "busy", http.StatusServiceUnavailable)
	}
}

func truncates(honest http.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut && r.ContentLength <= objectBytes {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				panic(http.ErrAbortHandler) // a body that broke off is not cut to its part
			}
			r.Body = io.NopCloser(bytes.NewReader(body[:min(len(body), 1<<20)]))
		}
		honest.ServeHTTP(w, r)
	}
}

func redirects(http.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "https://elsewhere.test"+r.RequestURI, http.StatusTemporaryRedirect)
	}
}

// loris sends a byte now and then until the client gives up.
func loris(http.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-r.Context().Done():
				return
			case <-tick.C:
				_, _ = io.WriteString(w, ".")
				_ = http.NewResponseController(w).Flush()
			}
		}
	}
}

func oneAtATime(honest http.Handler) http.HandlerFunc {
	var mu sync.Mutex
	return func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		honest.ServeHTTP(w, r)
	}
}

// knowsTheJudge computes for whoever calls itself the judge, and answers
// everybody else with as many zeros.
func knowsTheJudge(honest http.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("process") && !strings.HasPrefix(r.UserAgent(), "bogops-validator") {
			w = zeros{w}
		}
		honest.ServeHTTP(w, r)
	}
}

type zeros struct{ http.ResponseWriter }

func (z zeros) Write(body []byte) (int, error) {
	if strings.HasPrefix(z.Header().Get("Content-Type"), "application/problem") {
		return z.ResponseWriter.Write(body)
	}
	return z.ResponseWriter.Write(bytes.Repeat([]byte("0"), len(body)))
}

// forgets gives every connection an empty memory.
func forgets(s *site) error {
	type memory struct{}
	s.conn = func(ctx context.Context, _ net.Conn) context.Context {
		started := newPlatform()
		started.token, started.reader, started.contest = s.platform.token, s.platform.reader, s.platform.contest
		return context.WithValue(ctx, memory{}, started)
	}
	s.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Context().Value(memory{}).(*platform).ServeHTTP(w, r)
	})
	return nil
}

func needsSNI(s *site) error {
	other, err := s.authority.leaf(nil, nil, "elsewhere.test")
	if err != nil {
		return err
	}
	own := s.tls.Certificates[0]
	s.tls.Certificates = nil
	s.tls.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		if hello.ServerName == "" {
			return &other, nil
		}
		return &own, nil
	}
	return nil
}

// useNames lets the judge ask resolver instead of being told the address. The
// URL then needs the port.
func useNames(t *target.Target, resolver *net.Resolver) {
	_, port, err := net.SplitHostPort(t.Resolve[host])
	if err != nil {
		panic(err) // it is the address of our own listener
	}
	at := *t.URL
	at.Host = net.JoinHostPort(host, port)
	t.URL, t.Resolve, t.Resolver = &at, nil, resolver
}
