package probe

import (
	"bytes"
	"context"
	"fmt"
	"net/http"

	"bogops/validator/target"
	"bogops/validator/verdict"
)

// expect sends r and wants one of these statuses.
func (s *Session) expect(ctx context.Context, what string, r target.Request, want ...int) (*target.Reply, error) {
	reply, err := s.Do(ctx, r)
	if err != nil {
		return nil, err
	}
	return reply, wantStatus(reply, what, want...)
}

// holds wants that key, read over a connection of its own, holds this body.
func (s *Session) holds(ctx context.Context, key, when string, body []byte) error {
	reply, err := s.Get(ctx, key)
	if err != nil {
		return err
	}
	return wantObject(reply, "GET "+when, body)
}

// lacks wants that key, read over a connection of its own, holds nothing.
func (s *Session) lacks(ctx context.Context, key, when string) error {
	r := getting(key)
	r.Fresh = true
	_, err := s.expect(ctx, "GET "+when, r, 404)
	return err
}

// elsewhere gives a quarter of the reads a connection of their own: what one
// instance says must hold at the others too, and a handshake for every read
// would cost more than the reads.
func (s *Session) elsewhere(r target.Request) target.Request {
	r.Fresh = s.draw(4) == 0
	return r
}

// storeTag is Store, and returns the ETag of the acknowledgement.
func (s *Session) storeTag(ctx context.Context, key string, body []byte) (string, error) {
	reply, err := s.expect(ctx, fmt.Sprintf("PUT of %s", size(len(body))), putting(key, body), 201, 200)
	if err != nil {
		return "", err
	}
	return wantTag(reply)
}

func wantTag(reply *target.Reply) (string, error) {
	tag := reply.Header.Get("ETag")
	if tag == "" {
		return "", verdict.Wrong("ETag of a PUT", "nothing", "a strong tag in double quotes")
	}
	return tag, nil
}

// putting, getting and deleting are requests with these headers, given as
// names and values in turn. They go over the kept connection unless the caller
// makes them fresh.
func putting(key string, body []byte, headers ...string) target.Request {
	return target.Request{
		Method: http.MethodPut, Path: objects(key), Header: headersOf(headers), Body: bytes.NewReader(body), Size: int64(len(body)),
	}
}

func getting(key string, headers ...string) target.Request {
	return target.Request{Method: http.MethodGet, Path: objects(key), Header: headersOf(headers)}
}

func deleting(key string, headers ...string) target.Request {
	return target.Request{Method: http.MethodDelete, Path: objects(key), Header: headersOf(headers)}
}

func headersOf(pairs []string) http.Header {
	header := http.Header{}
	for i := 0; i+1 < len(pairs); i += 2 {
		header.Add(pairs[i], pairs[i+1])
	}
	return header
}
