package probe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"bogops/validator/target"
	"bogops/validator/verdict"
)

func missing(ctx context.Context, s *Session) (string, error) {
	key := s.Key(s.Word(20))
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		reply, err := s.Do(ctx, target.Request{Method: method, Path: objects(key), Fresh: true})
		if err != nil {
			return "", err
		}
		if err := wantStatus(reply, method+" of a key that was never stored", 404); err != nil {
			return "", err
		}
	}
	return "a key that was never stored is 404", nil
}

func routes(ctx context.Context, s *Session) (string, error) {
	reply, err := s.Do(ctx, target.Request{Method: http.MethodGet, Path: "/v1/" + s.Word(10)})
	if err != nil {
		return "", err
	}
	if err := wantStatus(reply, "GET of a route that does not exist", 404); err != nil {
		return "", err
	}
	for _, method := range []string{http.MethodPost, http.MethodPatch} {
		reply, err := s.Do(ctx, target.Request{Method: method, Path: objects(s.Key(s.Word(8)))})
		if err != nil {
			return "", err
		}
		if err := wantStatus(reply, method+" of an object", 405); err != nil {
			return "", err
		}
		allowed := strings.Join(reply.Header.Values("Allow"), ",")
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete} {
			if !listed(allowed, method) {
				return "", verdict.Wrong("Allow of a 405", quoted(allowed), "GET, HEAD, PUT and DELETE")
			}
		}
	}
	return "404 for an unknown route, 405 with Allow", nil
}

func listed(list, want string) bool {
	for _, item := range strings.Split(list, ",") {
		if strings.TrimSpace(item) == want {
			return true
		}
	}
	return false
}

// errWaits says that a platform waits for a body that it had to refuse.
var errWaits = errors.New("the platform waits for the body")

// announce announces a body one byte over the limit, and sends none of it. The
// platform may say 100 Continue, as some frameworks do by themselves, but must
// answer without the body.
func (s *Session) announce(ctx context.Context) (*target.Reply, int64, error) {
	limit := int64(1) << 50
	told, err := s.describe(ctx)
	var failure *target.Failure
	if errors.As(err, &failure) {
		return nil, limit, err
	}
	if err == nil && told.Limits != nil && told.Limits.ObjectBytes > 0 && told.Limits.ObjectBytes < limit {
		limit = told.Limits.ObjectBytes
	}
	limited, cancel := context.WithTimeout(ctx, 2*promptly)
	defer cancel()
	reply, err := s.Do(limited, target.Request{
		Method: http.MethodPut, Path: objects(s.Key(s.Word(12))), Fresh: true,
		Header: http.Header{"Expect": {"100-continue"}}, Body: waiting{limited, func() {}}, Size: limit + 1,
	})
	if !errors.As(err, &failure) || failure.Kind != target.TimedOut {
		return reply, limit, err
	}
	// Other requests are answered: it is the body that it waits for, and no network.
	if _, again := s.describe(ctx); !errors.As(again, &failure) {
		return nil, limit, errWaits
	}
	return nil, limit, err
}

func tooLarge(ctx context.Context, s *Session) (string, error) {
	reply, limit, err := s.announce(ctx)
	what := fmt.Sprintf("PUT that announces %d B, one over the limit", limit+1)
	if errors.Is(err, errWaits) {
		return "", verdict.Wrong(what, "nothing: "+err.Error(), "413")
	}
	if err != nil {
		return "", err
	}
	return "a body over the limit is refused unread", wantStatus(reply, what, 413)
}

// problems provokes one error of each kind. Which status it gets is the
// business of other checks; here every error must be a problem document.
func problems(ctx context.Context, s *Session) (string, error) {
	key := s.Key(s.Word(12))
	seen := map[int]bool{}
	for _, r := range []target.Request{
		{Method: http.MethodGet, Path: objects(key)},
		{Method: http.MethodGet, Path: objects(key), Token: anonymous},
		{Method: http.MethodPut, Path: objects(key), Token: s.readerOrNone(), Body: bytes.NewReader(nil)},
		{Method: http.MethodGet, Path: "/v1/" + s.Word(10)},
		{Method: http.MethodPost, Path: objects(key)},
		{Method: http.MethodGet, Path: objects(s.prefix) + "a/%2E%2E/b"},
		{Method: http.MethodGet, Path: objects(key) + "?process=" + s.Word(9) + "x"},
	} {
		reply, err := s.Do(ctx, r)
		if err != nil {
			return "", err
		}
		if err := wantProblem(reply, seen); err != nil {
			return "", err
		}
	}
	reply, _, err := s.announce(ctx)
	if err != nil && !errors.Is(err, errWaits) {
		return "", err
	}
	if err == nil {
		if err := wantProblem(reply, seen); err != nil {
			return "", err
		}
	}
	if len(seen) == 0 {
		return "", verdict.Wrong("8 requests that must be refused", "no error at all", "4xx with problem documents")
	}
	return fmt.Sprintf("%d kinds of error are problem documents", len(seen)), nil
}

func (s *Session) readerOrNone() string {
	if s.Target.ReaderToken == "" {
		return anonymous
	}
	return s.Target.ReaderToken
}

func wantProblem(reply *target.Reply, seen map[int]bool) error {
	if reply.Status < 400 {
		return nil
	}
	seen[reply.Status] = true
	what := fmt.Sprintf("the error %d", reply.Status)
	if err := wantType(reply, what, "application/problem+json"); err != nil {
		return err
	}
	var got struct {
		Type, Title, Detail, Instance *string
		Status                        *int
	}
	if err := fields(reply, what, &got, "type", "title", "status", "detail", "instance"); err != nil {
		return err
	}
	id := reply.Header.Get("Request-Id")
	for _, field := range []struct {
		name string
		ok   bool
		got  any
		want string
	}{
		{"type", got.Type != nil && *got.Type != "", got.Type, "a URI"},
		{"title", got.Title != nil && *got.Title != "", got.Title, "a title"},
		{"status", got.Status != nil && *got.Status == reply.Status, got.Status, fmt.Sprint(reply.Status)},
		{"detail", got.Detail != nil, got.Detail, "a text"},
		{"instance", got.Instance != nil && *got.Instance != "" && strings.Contains(*got.Instance, id), got.Instance, "the request id " + quoted(id)},
	} {
		if !field.ok {
			return verdict.Wrong(field.name+" of "+what, spell(field.got), field.want)
		}
	}
	return nil
}
