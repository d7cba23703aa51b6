package probe

import (
	"bytes"
	"context"
	"net/http"
	"strings"

	"bogops/validator/target"
	"bogops/validator/verdict"
)

func token(ctx context.Context, s *Session) (string, error) {
	key, body := s.Key(s.Word(12)), s.Bytes(200)
	if err := s.Store(ctx, key, body); err != nil {
		return "", err
	}
	write := func(token string) target.Request {
		return target.Request{Method: http.MethodPut, Path: objects(key), Token: token, Body: bytes.NewReader(body[:9]), Size: 9}
	}
	for _, stranger := range []struct {
		what string
		r    target.Request
	}{
		{"GET without a token", target.Request{Method: http.MethodGet, Path: objects(key), Token: anonymous}},
		{"GET with an unknown token", target.Request{Method: http.MethodGet, Path: objects(key), Token: s.Word(24)}},
		{"GET with half of the token", target.Request{Method: http.MethodGet, Path: objects(key), Token: s.Target.Token[:len(s.Target.Token)/2] + anonymousTail}},
		{"PUT without a token", write(anonymous)},
		{"PUT with an unknown token", write(s.Word(24))},
		{"DELETE without a token", target.Request{Method: http.MethodDelete, Path: objects(key), Token: anonymous}},
		{"GET of a bad key without a token", target.Request{Method: http.MethodGet, Path: objects(s.prefix) + "%FF", Token: anonymous}},
	} {
		reply, err := s.Do(ctx, stranger.r)
		if err != nil {
			return "", err
		}
		if err := wantStatus(reply, stranger.what, 401); err != nil {
			return "", err
		}
		challenge := reply.Header.Get("WWW-Authenticate")
		if scheme, _, _ := strings.Cut(challenge, " "); !strings.EqualFold(scheme, "Bearer") {
			return "", verdict.Wrong("WWW-Authenticate of a 401", quoted(challenge), "Bearer")
		}
	}
	reply, err := s.Get(ctx, key)
	if err != nil {
		return "", err
	}
	return "strangers get 401", wantObject(reply, "GET after strangers tried to write", body)
}

// anonymousTail makes half of a token a wrong one, also where the half is empty.
const anonymousTail = "x"

func reader(ctx context.Context, s *Session) (string, error) {
	if s.Target.ReaderToken == "" {
		return "", verdict.New(verdict.NotInPlay, "The reader's role was not checked: no reader token was given", "", "")
	}
	key, body := s.Key(s.Word(12)), s.Bytes(200)
	if err := s.Store(ctx, key, body); err != nil {
		return "", err
	}
	for _, call := range []struct {
		what   string
		status int
		r      target.Request
	}{
		{"GET by the reader", 200, target.Request{Method: http.MethodGet, Path: objects(key)}},
		{"HEAD by the reader", 200, target.Request{Method: http.MethodHead, Path: objects(key), Fresh: true}},
		{"PUT by the reader", 403, target.Request{Method: http.MethodPut, Path: objects(key), Body: bytes.NewReader(body[:9]), Size: 9}},
		{"DELETE by the reader", 403, target.Request{Method: http.MethodDelete, Path: objects(key)}},
	} {
		call.r.Token = s.Target.ReaderToken
		reply, err := s.Do(ctx, call.r)
		if err != nil {
			return "", err
		}
		if err := wantStatus(reply, call.what, call.status); err != nil {
			return "", err
		}
	}
	reply, err := s.Get(ctx, key)
	if err != nil {
		return "", err
	}
	return "the reader reads and does not write", wantObject(reply, "GET after the reader tried to write", body)
}
