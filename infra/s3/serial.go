package s3

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"sync"
)

// Serial lets requests through to a server one at a time, each with its whole
// body and to the end of its answer. It makes a server atomic that is not.
type Serial struct {
	mu     sync.Mutex
	server *url.URL
	wires  http.Transport
}

// NewSerial returns the way to the server at endpoint.
func NewSerial(endpoint string) (*Serial, error) {
	server, err := url.Parse(endpoint)
	if err != nil {
		return nil, err
	}
	return &Serial{server: server}, nil
}

// ServeHTTP implements http.Handler.
func (s *Serial) ServeHTTP(w http.ResponseWriter, asked *http.Request) {
	body, err := io.ReadAll(asked.Body) // before the turn: a slow sender holds up nobody
	if err != nil {
		http.Error(w, "the body broke off", http.StatusBadRequest)
		return
	}
	status, header, answer, err := s.forward(asked, body)
	if err != nil {
		// No answer: the sender must not take this for the server's word.
		panic(http.ErrAbortHandler)
	}
	for name, values := range header {
		w.Header()[name] = values
	}
	w.WriteHeader(status)
	_, _ = w.Write(answer)
}

func (s *Serial) forward(asked *http.Request, body []byte) (int, http.Header, []byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	// Not under the sender's context: what was begun is ended before the next.
	sent := asked.Clone(context.WithoutCancel(asked.Context()))
	sent.RequestURI = ""
	sent.URL.Scheme, sent.URL.Host = s.server.Scheme, s.server.Host
	sent.Body, sent.ContentLength, sent.TransferEncoding = io.NopCloser(bytes.NewReader(body)), int64(len(body)), nil
	if len(body) == 0 {
		sent.Body = http.NoBody
	}
	sent.Header.Del("Expect")
	got, err := s.wires.RoundTrip(sent)
	if err != nil {
		return 0, nil, nil, err
	}
	defer got.Body.Close()
	answer, err := io.ReadAll(got.Body)
	return got.StatusCode, got.Header, answer, err
}

// Close ends the idle connections to the server.
func (s *Serial) Close() { s.wires.CloseIdleConnections() }
