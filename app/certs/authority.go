package certs

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"golang.org/x/crypto/acme"
)

// newTransport trusts the roots in rootFile for the directory's HTTPS, or the
// system's where there is none.
func newTransport(rootFile string) (*http.Transport, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if rootFile == "" {
		return transport, nil
	}
	content, err := os.ReadFile(rootFile)
	if err != nil {
		return nil, fmt.Errorf("roots of the ACME directory: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(content) {
		return nil, fmt.Errorf("roots of the ACME directory: %s holds no PEM certificate", rootFile)
	}
	transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	return transport, nil
}

// line is the connection to the authority during one attempt. Autocert takes no
// context and tries things in its own order; the line is where we hold it: no
// request outlives the attempt, none waits long, and no more orders are made
// than there are challenges to try. (Autocert makes one more order before it
// notices that nothing is left to try.)
type line struct {
	attempt  context.Context
	base     http.RoundTripper
	orderURL string

	mu      sync.Mutex
	orders  int    // still allowed
	problem string // the authority's own words about the last failed challenge
}

var errTried = errors.New("every challenge has been tried")

const (
	requestLimit = 20 * time.Second
	answerLimit  = 1 << 20
	pollLimit    = 5 * time.Second
)

func (l *line) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := context.Cause(l.attempt); err != nil {
		return nil, err
	}
	ordering := r.Method == http.MethodPost && r.URL.String() == l.orderURL
	if ordering && !l.mayOrder() {
		return nil, errTried
	}
	ctx, cancel := context.WithTimeout(r.Context(), requestLimit)
	defer cancel()
	defer context.AfterFunc(l.attempt, cancel)()
	answer, err := l.base.RoundTrip(r.WithContext(ctx))
	if err != nil {
		return nil, cmp.Or(context.Cause(l.attempt), err)
	}
	// Answers are small: read here, they cannot hold anything up later.
	body, err := io.ReadAll(io.LimitReader(answer.Body, answerLimit))
	_ = answer.Body.Close()
	if err != nil {
		return nil, err
	}
	answer.Body = io.NopCloser(bytes.NewReader(body))
	if answer.StatusCode == http.StatusOK {
		shorten(answer.Header)
	}
	l.note(ordering && answer.StatusCode == http.StatusCreated, body)
	return answer, nil
}

func (l *line) mayOrder() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.orders > 0
}

// note counts an order, and keeps what the authority says against a challenge,
// which autocert throws away.
func (l *line) note(ordered bool, body []byte) {
	var authorization struct {
		Challenges []struct {
			Type  string
			Error struct{ Detail string }
		}
	}
	_ = json.Unmarshal(body, &authorization) // most answers are something else
	l.mu.Lock()
	defer l.mu.Unlock()
	if ordered {
		l.orders--
	}
	for _, c := range authorization.Challenges {
		if c.Error.Detail != "" {
			l.problem = c.Type + ": " + c.Error.Detail
		}
	}
}

// explain adds the authority's words to err.
func (l *line) explain(err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.problem == "" {
		return err
	}
	return fmt.Errorf("%w; the authority says: %s", err, l.problem)
}

// shorten limits how long a poll sleeps on the authority's advice, as that
// sleep cannot be called off.
func shorten(header http.Header) {
	if seconds, err := strconv.Atoi(header.Get("Retry-After")); err == nil && seconds > int(pollLimit/time.Second) {
		header.Set("Retry-After", strconv.Itoa(int(pollLimit/time.Second)))
	}
}

// backoff says how long to wait before try n+1 of a request. The client only
// asks after 400 for a refused nonce, for which RFC 8555 section 6.5 wants a
// new try at once.
func backoff(n int, _ *http.Request, answer *http.Response) time.Duration {
	const enough = 0
	switch {
	case answer.StatusCode == http.StatusTooManyRequests:
		return enough // the name rests instead
	case answer.StatusCode == http.StatusBadRequest && n <= 30:
		return 20 * time.Millisecond
	case answer.StatusCode != http.StatusBadRequest && n <= 4:
		return time.Second << (n - 1)
	default:
		return enough
	}
}

// restAfter is how long a name rests after its nth failure in a row: 10 s,
// 40 s, ... up to an hour, so that a first mishap is soon forgotten and a lasting
// one stays near Let's Encrypt's five failures an hour.
func restAfter(n int, first time.Duration, err error) time.Duration {
	wait := first
	for i := 1; i < n && wait < time.Hour; i++ {
		wait *= 4
	}
	wait = min(wait, time.Hour)
	if problem := (*acme.Error)(nil); errors.As(err, &problem) {
		if advised, limited := acme.RateLimit(problem); limited {
			wait = max(wait, advised)
		}
	}
	return wait
}
