package probe

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"

	"bogops/validator/target"
	"bogops/validator/verdict"
)

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
		if err := wantObject(reply, "GET of an object of "+size(n), body); err != nil {
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
	if err := wantAcknowledged(reply, what); err != nil {
		return "", err
	}
	if want := sha256.Sum256(body); !bytes.Equal(want[:], reply.SHA256[:]) || reply.Over {
		got := fmt.Sprintf("%s with SHA-256 %.12x", size(reply.Size), reply.SHA256)
		return "", verdict.New(verdict.Corrupt, what, got, fmt.Sprintf("%s with SHA-256 %.12x", size(n), want))
	}
	return size(n) + " come back whole", nil
}

// readYourWrites overwrites one key and reads it over fresh connections, so
// that behind a balancer other instances answer too.
func readYourWrites(ctx context.Context, s *Session) (string, error) {
	key := s.Key(s.Word(12))
	instances := map[string]bool{}
	for version := 1; version <= 4; version++ {
		body := s.Bytes(512 + version)
		if err := s.Store(ctx, key, body); err != nil {
			return "", err
		}
		for range 4 {
			reply, err := s.Get(ctx, key)
			if err != nil {
				return "", err
			}
			what := fmt.Sprintf("GET over another connection after write %d of a key", version)
			if err := wantObject(reply, what, body); err != nil {
				return "", err
			}
			instances[reply.Header.Get("Bogops-Instance")] = true
		}
	}
	return fmt.Sprintf("4 writes seen over 16 connections to %d instance(s)", len(instances)), nil
}

func remove(ctx context.Context, s *Session) (string, error) {
	key, body := s.Key(s.Word(12)), s.Bytes(100)
	if err := s.Store(ctx, key, body); err != nil {
		return "", err
	}
	for _, what := range []string{"DELETE of an object", "DELETE of a key that holds nothing"} {
		reply, err := s.Do(ctx, target.Request{Method: http.MethodDelete, Path: objects(key)})
		if err != nil {
			return "", err
		}
		if err := wantStatus(reply, what, 204); err != nil {
			return "", err
		}
		reply, err = s.Get(ctx, key)
		if err != nil {
			return "", err
		}
		if err := wantStatus(reply, "GET after "+what, 404); err != nil {
			return "", err
		}
	}
	if err := s.Store(ctx, key, body); err != nil {
		return "", err
	}
	reply, err := s.Get(ctx, key)
	if err != nil {
		return "", err
	}
	return "gone after DELETE, back after PUT", wantObject(reply, "GET of a key stored again after DELETE", body)
}
