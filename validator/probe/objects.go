package probe

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"time"

	"bogops/validator/target"
	"bogops/validator/verdict"
)

func apiProbes() []Probe {
	return []Probe{
		api("put-get", "An object comes back exactly as it was put, at every size.", putGet).weighing(3),
		api("large", "A large object comes back exactly as it was put.", large).within(90 * time.Second).weighing(2),
		api("missing", "A key that was never stored is not found.", missing),
	}
}

func putGet(ctx context.Context, s *Session) (string, error) {
	sizes := []int{0, 1, 255, 4 << 10, 4<<10 + 1, 64 << 10, 64<<10 - 1, 1 << 20, 1<<20 + 1}
	for i, n := range sizes {
		key, body := s.Key(fmt.Sprintf("%s-%d", s.Word(6), i)), s.Bytes(n)
		if err := s.Store(ctx, key, body); err != nil {
			return "", err
		}
		reply, err := s.Get(ctx, key)
		if err != nil {
			return "", err
		}
		if err := wantBody(reply, "GET of an object of "+size(n), body); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%d of %[1]d sizes come back whole", len(sizes)), nil
}

func large(ctx context.Context, s *Session) (string, error) {
	key, n := s.Key(s.Word(10)), s.Env.LargeBytes
	body := s.Bytes(int(n))
	if err := s.Store(ctx, key, body); err != nil {
		return "", err
	}
	reply, err := s.Do(ctx, target.Request{Method: http.MethodGet, Path: objects(key), Fresh: true, Limit: n, Hash: true})
	if err != nil {
		return "", err
	}
	what := "GET of an object of " + size(n)
	if err := wantStatus(reply, what, 200); err != nil {
		return "", err
	}
	if want := sha256.Sum256(body); !bytes.Equal(want[:], reply.SHA256[:]) || reply.Over {
		got := fmt.Sprintf("%s with SHA-256 %.12x", size(reply.Size), reply.SHA256)
		return "", verdict.Wrong(what, got, fmt.Sprintf("%s with SHA-256 %.12x", size(n), want))
	}
	return size(n) + " come back whole", nil
}

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
