package probe

import (
	"bytes"
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"bogops/validator/target"
	"bogops/validator/verdict"
)

// listFresh writes over several connections and asks for a listing over another
// one at once.
func listFresh(ctx context.Context, s *Session) (string, error) {
	prefix := s.Key(s.Word(8) + "/")
	var keys []string
	const rounds, each = 3, 6
	for range rounds {
		var fresh []string
		for range each {
			fresh = append(fresh, prefix+s.Word(10))
		}
		keys = append(keys, fresh...)
		if err := s.storeApart(ctx, fresh); err != nil {
			return "", err
		}
		what := "listing begun after a PUT was acknowledged"
		got, err := s.complete(ctx, "GET of a "+what, len(keys), alone, "prefix", prefix, "limit", "1000")
		if err != nil {
			return "", err
		}
		if lost := absent(got.keys(), keys); len(lost) > 0 {
			return "", verdict.Wrong("A "+what, fmt.Sprintf("%d of %d keys, without %s", len(keys)-len(lost), len(keys), quoted(lost[0])), "all of them")
		}
	}
	if err := s.replacedShown(ctx, prefix+s.Word(11)); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d objects shown as soon as they were acknowledged", len(keys)), s.removedHidden(ctx, keys[0])
}

// alone gives a request a connection of its own.
func alone(r target.Request) target.Request {
	r.Fresh = true
	return r
}

// removedHidden wants that a listing shows no object that was deleted before.
func (s *Session) removedHidden(ctx context.Context, key string) error {
	if _, err := s.expect(ctx, "DELETE of an object", deleting(key), 204); err != nil {
		return err
	}
	what := "listing begun after a DELETE was answered"
	got, err := s.complete(ctx, "GET of a "+what, 1, alone, "prefix", key)
	if err != nil {
		return err
	}
	if len(absent(got.keys(), []string{key})) == 0 {
		return verdict.Wrong("A "+what, "the deleted "+quoted(key), "only objects that are there")
	}
	return nil
}

// replacedShown wants that a listing shows the newest object of a key.
func (s *Session) replacedShown(ctx context.Context, key string) error {
	old, err := s.storeTag(ctx, key, s.Bytes(98))
	if err != nil {
		return err
	}
	tag, err := s.storeTag(ctx, key, s.Bytes(99))
	if err != nil {
		return err
	}
	what := "listing begun after an object was replaced"
	got, err := s.complete(ctx, "GET of a "+what, 1, s.elsewhere, "prefix", key)
	if err != nil {
		return err
	}
	if len(absent(got.keys(), []string{key})) > 0 {
		return verdict.Wrong("A "+what+", with its whole key as prefix", fmt.Sprintf("%d keys, without it", len(got.Objects)), "that object")
	}
	for _, o := range got.Objects {
		switch {
		case o.Key == nil || *o.Key != key:
		case o.ETag != nil && *o.ETag == old && old != tag:
			return verdict.Wrong("etag in a "+what, "the old one, "+quoted(old), "the new one, "+quoted(tag))
		case o.Size != nil && *o.Size == 98:
			return verdict.Wrong("size in a "+what, "the old one, 98", "the new one, 99")
		}
	}
	return nil
}

// storeApart stores a small object under each key, at once, each over a
// connection of its own.
func (s *Session) storeApart(ctx context.Context, keys []string) error {
	group, limited := errgroup.WithContext(ctx)
	for _, key := range keys {
		body := s.Bytes(40)
		group.Go(func() error {
			request := putting(key, body)
			request.Body, request.Fresh = bytes.NewReader(body), true
			_, err := s.expect(limited, "PUT of "+size(len(body)), request, 201, 200)
			return err
		})
	}
	return group.Wait()
}
