package probe

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"bogops/validator/target"
)

// Session is one run of one check against one target. Its methods may be
// called concurrently.
type Session struct {
	Target target.Target
	Env    Env

	client *target.Client
	prefix string

	mu     sync.Mutex
	rand   *rand.Rand
	stored map[string]bool   // paths that were PUT, for cleaning up
	also   []target.Exchange // evidence of clients other than the session's own
	facts  []Fact            // evidence that is no exchange with the platform
}

func newSession(t target.Target, env Env) (*Session, error) {
	var seed [32]byte
	if _, err := io.ReadFull(env.Rand, seed[:]); err != nil {
		return nil, fmt.Errorf("drawing a seed: %w", err)
	}
	s := &Session{
		Target: t, Env: env, client: target.NewClient(t),
		rand: rand.New(rand.NewChaCha8(seed)), stored: map[string]bool{},
	}
	// A prefix that named the judge would let a platform recognise it.
	s.prefix = s.Word(8) + "/"
	return s, nil
}

// Do sends r as the judge, unless r brings a token or a User-Agent of its own.
// The path "" is none. Its error is for Run to settle: return it as it is.
func (s *Session) Do(ctx context.Context, r target.Request) (*target.Reply, error) {
	stream, err := s.Open(ctx, r)
	if err != nil {
		return nil, err
	}
	return stream.Finish()
}

// Open is Do for the head of the answer only.
func (s *Session) Open(ctx context.Context, r target.Request) (*target.Stream, error) {
	switch r.Token {
	case "":
		r.Token = s.Target.Token
	case anonymous:
		r.Token = ""
	}
	header := http.Header{"User-Agent": {s.userAgent()}}
	for name, values := range r.Header {
		header[http.CanonicalHeaderKey(name)] = values
	}
	r.Header = header
	if r.Method == http.MethodPut {
		s.mu.Lock()
		s.stored[r.Path] = true
		s.mu.Unlock()
	}
	return s.client.Open(ctx, r)
}

// anonymous as a token means none at all.
const anonymous = "\x00anonymous"

// userAgent draws what a client may call itself. A platform that answers right
// to one of them only is seen within a few requests.
func (s *Session) userAgent() string {
	names := []string{
		"curl/8.%d.1", "python-requests/2.%d.0", "Go-http-client/1.%d", "aws-sdk-go-v2/1.%d.0", "bogops-validator/%d",
		"Mozilla/5.0 (X11; Linux x86_64; rv:1%d.0) Gecko/20100101 Firefox/128.0", "Wget/1.%d",
	}
	return fmt.Sprintf(names[s.draw(len(names))], s.draw(20))
}

func (s *Session) draw(n int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rand.IntN(n)
}

// Word draws n lower-case letters and digits.
func (s *Session) Word(n int) string {
	const alphabet = "abcdefghijklmnopqrstuvwxyz0123456789"
	word := make([]byte, n)
	for i := range word {
		word[i] = alphabet[s.draw(len(alphabet))]
	}
	return string(word)
}

// Bytes draws a body.
func (s *Session) Bytes(n int) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	body := make([]byte, n)
	for i := 0; i < n; i += 8 {
		v := s.rand.Uint64()
		for j := i; j < min(i+8, n); j++ {
			body[j] = byte(v)
			v >>= 8
		}
	}
	return body
}

// Key is a key of this run alone.
func (s *Session) Key(name string) string { return s.prefix + name }

// objects is where a key is, spelled for the wire.
func objects(key string) string { return "/v1/objects/" + escape(key) }

// escape percent-encodes all but the unreserved characters and the slash.
func escape(key string) string {
	var path strings.Builder
	for i := range len(key) {
		c := key[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("-_.~/", c) >= 0:
			path.WriteByte(c)
		default:
			fmt.Fprintf(&path, "%%%02X", c)
		}
	}
	return path.String()
}

// Put sends body under key, on the kept connection.
func (s *Session) Put(ctx context.Context, key string, body []byte) (*target.Reply, error) {
	return s.Do(ctx, target.Request{
		Method: http.MethodPut, Path: objects(key), Body: bytes.NewReader(body), Size: int64(len(body)),
	})
}

// Get reads key over a connection of its own: another instance may answer.
func (s *Session) Get(ctx context.Context, key string) (*target.Reply, error) {
	return s.Do(ctx, target.Request{Method: http.MethodGet, Path: objects(key), Fresh: true})
}

// Store is a Put that must be acknowledged, whatever else the answer says.
func (s *Session) Store(ctx context.Context, key string, body []byte) error {
	reply, err := s.Put(ctx, key, body)
	if err != nil {
		return err
	}
	return wantStatus(reply, fmt.Sprintf("PUT of %s", size(len(body))), 201, 200)
}

// note keeps a fact as evidence.
func (s *Session) note(name string, value any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.facts = append(s.facts, Fact{name, value})
}

// cleanUp deletes what was stored, as far as that goes: leftovers harm nobody.
func (s *Session) cleanUp(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	// A client of its own keeps the cleaning out of the evidence.
	client := target.NewClient(s.Target)
	defer client.Close()
	for path := range s.stored {
		_, err := client.Do(ctx, target.Request{Method: http.MethodDelete, Path: path, Token: s.Target.Token})
		if err != nil {
			return
		}
	}
}
