package target

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// DefaultLimit is how many bytes of an answer's body are read where a Request
// gives no Limit of its own.
const DefaultLimit = 4 << 20

// Request is one request, sent as it stands: Path is not cleaned, redirects
// are not followed and nothing is sent twice.
type Request struct {
	Method string
	Path   string // as on the wire, with its escapes and query; it begins with one slash
	Header http.Header
	Token  string    // bearer token; empty: no Authorization
	Body   io.Reader // nil: none
	Size   int64     // of Body in bytes; -1: unknown, sent chunked
	Fresh  bool      // on a connection of its own
	Limit  int64     // most bytes of the answer that are read; 0: DefaultLimit
	Hash   bool      // the answer's body is hashed and not kept
}

func (r Request) what() string {
	path := r.Path
	if len(path) > 80 {
		path = path[:77] + "..."
	}
	return r.Method + " " + path
}

// Reply is a whole answer.
type Reply struct {
	Status int
	Header http.Header
	Body   []byte // nil where Request.Hash asked for the hash only
	Size   int64  // bytes of body that were read
	Over   bool   // the body went on past the limit
	SHA256 [sha256.Size]byte
	Took   time.Duration
}

// Client sends requests to one target and keeps what it saw as evidence. Its
// methods may be called concurrently.
type Client struct {
	target Target
	kept   *http.Transport

	mu        sync.Mutex
	exchanges []Exchange
}

// NewClient returns a client of t. Close it to close its connections.
func NewClient(t Target) *Client { return &Client{target: t, kept: patient(t)} }

// patient is t's transport with the limits of a check: a waiting Expect is
// answered by the server and never by our impatience, and no head is endless.
func patient(t Target) *http.Transport {
	transport := t.Transport()
	transport.ExpectContinueTimeout = time.Minute
	transport.MaxResponseHeaderBytes = 64 << 10
	return transport
}

// Close closes the connections that are not in use.
func (c *Client) Close() { c.kept.CloseIdleConnections() }

// Exchanges is what was recorded so far, oldest first.
func (c *Client) Exchanges() []Exchange {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Exchange(nil), c.exchanges...)
}

// Do sends r and reads the whole answer. Its error holds a *Failure.
func (c *Client) Do(ctx context.Context, r Request) (*Reply, error) {
	stream, err := c.Open(ctx, r)
	if err != nil {
		return nil, err
	}
	return stream.Finish()
}

// Stream is an answer of which only the head was read so far. It must be
// finished.
type Stream struct {
	Status int
	Header http.Header

	client   *Client
	request  Request
	response *http.Response
	recorder *recorder
	close    func()
}

// Open sends r and reads the head of the answer. Its error holds a *Failure.
func (c *Client) Open(ctx context.Context, r Request) (*Stream, error) {
	ctx, rec := record(ctx, r)
	transport, closing := c.kept, func() {}
	if r.Fresh {
		transport = patient(c.target)
		closing = transport.CloseIdleConnections
	}
	request := c.request(ctx, r)
	rec.note(func() { rec.exchange.Sent = withoutToken(request.Header) })
	response, err := transport.RoundTrip(request)
	if err != nil {
		closing()
		failure := rec.blame(fail(r.what(), err))
		c.keep(rec, func(e *Exchange) { e.Failure = failure.Error() })
		return nil, failure
	}
	return &Stream{
		Status: response.StatusCode, Header: response.Header,
		client: c, request: r, response: response, recorder: rec, close: closing,
	}, nil
}

func (c *Client) request(ctx context.Context, r Request) *http.Request {
	request := &http.Request{
		Method: r.Method,
		// Opaque goes on the wire as it is; Path would be cleaned of bad escapes.
		URL:        &url.URL{Scheme: c.target.URL.Scheme, Host: c.target.URL.Host, Opaque: r.Path},
		Host:       c.target.URL.Host,
		ProtoMajor: 1, ProtoMinor: 1, // or Expect would not be waited for
		Header:        http.Header{},
		ContentLength: r.Size,
	}
	for name, values := range r.Header {
		request.Header[name] = values
	}
	if r.Token != "" {
		request.Header.Set("Authorization", "Bearer "+r.Token)
	}
	if r.Body != nil {
		request.Body = io.NopCloser(r.Body)
		if r.Size == 0 {
			request.Body = http.NoBody
		}
	}
	return request.WithContext(ctx)
}

// Finish reads the body up to the request's limit and closes the stream.
func (s *Stream) Finish() (*Reply, error) {
	defer s.close()
	defer s.response.Body.Close()
	limit := s.request.Limit
	if limit == 0 {
		limit = DefaultLimit
	}
	reply := &Reply{Status: s.Status, Header: s.Header}
	digest := sha256.New()
	err := reply.read(io.LimitReader(s.response.Body, limit+1), digest, s.request.Hash)
	digest.Sum(reply.SHA256[:0])
	if err == nil {
		// A server that sees us hang up may end its answer as if it were whole,
		// and that end may still be read: what comes after the time is no answer.
		err = s.response.Request.Context().Err()
	}
	if reply.Size > limit {
		reply.Over = true
	}
	var failure *Failure
	if err != nil {
		failure = s.broken(reply, err)
	}
	s.client.keep(s.recorder, func(e *Exchange) {
		e.Status, e.Received = reply.Status, reply.Header
		e.BodyBytes, e.BodySHA256 = reply.Size, hex.EncodeToString(reply.SHA256[:])
		if reply.Status >= 400 {
			e.Excerpt = reply.Excerpt(512)
		}
		if failure != nil {
			e.Failure = failure.Error()
		}
	})
	reply.Took = time.Since(s.recorder.begin)
	if failure != nil {
		return nil, failure
	}
	return reply, nil
}

func (r *Reply) read(body io.Reader, digest hash.Hash, hashOnly bool) error {
	var err error
	if hashOnly {
		r.Size, err = io.Copy(digest, body)
		return err
	}
	r.Body, err = io.ReadAll(body)
	digest.Write(r.Body)
	r.Size = int64(len(r.Body))
	return err
}

// broken names a body that ended early; any other error keeps its own name.
func (s *Stream) broken(reply *Reply, err error) *Failure {
	failure := fail(s.request.what(), err)
	if failure.Kind == Reset {
		failure.Kind = Cut
		announced := "unknown"
		if s.response.ContentLength >= 0 {
			announced = fmt.Sprint(s.response.ContentLength)
		}
		failure.Err = fmt.Errorf("%d bytes of %s: %w", reply.Size, announced, errors.Unwrap(failure))
	}
	return failure
}

func (c *Client) keep(rec *recorder, complete func(*Exchange)) {
	exchange := rec.take()
	complete(&exchange)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.exchanges = append(c.exchanges, exchange)
}

// withoutToken copies the headers; the evidence never sees a token.
func withoutToken(header http.Header) http.Header {
	shown := header.Clone()
	if shown.Get("Authorization") != "" {
		shown.Set("Authorization", "Bearer (redacted)")
	}
	return shown
}

// Excerpt is the beginning of the body as one line of printable text.
func (r *Reply) Excerpt(max int) string {
	text := strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f || c == '\uFFFD' {
			return ' '
		}
		return c
	}, strings.ToValidUTF8(string(r.Body[:min(len(r.Body), max)]), " "))
	return strings.Join(strings.Fields(text), " ")
}

// Abandon closes the stream with its body unread.
func (s *Stream) Abandon() {
	s.response.Body.Close()
	s.close()
	s.client.keep(s.recorder, func(e *Exchange) {
		e.Status, e.Received, e.Failure = s.Status, s.Header, "left unread by the judge"
	})
}
