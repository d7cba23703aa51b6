package probe

import (
	"context"
	"fmt"
)

func createOnly(ctx context.Context, s *Session) (string, error) {
	key, first, second := s.Key(s.Word(12)), s.Bytes(900), s.Bytes(901)
	only := []string{"If-None-Match", "*"}
	if _, err := s.expect(ctx, "PUT of a new key with If-None-Match: *", putting(key, first, only...), 201, 200); err != nil {
		return "", err
	}
	if _, err := s.expect(ctx, "PUT with If-None-Match: * of a key that holds an object", putting(key, second, only...), 412); err != nil {
		return "", err
	}
	if err := s.holds(ctx, key, "after a PUT with If-None-Match: * was refused", first); err != nil {
		return "", err
	}
	if _, err := s.expect(ctx, "DELETE of an object", deleting(key), 204); err != nil {
		return "", err
	}
	if _, err := s.expect(ctx, "PUT with If-None-Match: * of a key whose object was deleted", putting(key, second, only...), 201, 200); err != nil {
		return "", err
	}
	return "created, kept from being replaced, created again after DELETE", s.holds(ctx, key, "after a key was created again", second)
}

// swap is compare-and-swap: If-Match on PUT.
func swap(ctx context.Context, s *Session) (string, error) {
	key, absent := s.Key(s.Word(12)), s.Key(s.Word(12))
	first, second, third, never := s.Bytes(700), s.Bytes(701), s.Bytes(702), s.Bytes(703)
	old, err := s.storeTag(ctx, key, first)
	if err != nil {
		return "", err
	}
	if _, err := s.expect(ctx, "PUT with the right If-Match", putting(key, second, "If-Match", old), 200, 201); err != nil {
		return "", err
	}
	reply, err := s.Get(ctx, key)
	if err != nil {
		return "", err
	}
	if err := wantObject(reply, "GET after a PUT with the right If-Match", second); err != nil {
		return "", err
	}
	tag := reply.Header.Get("ETag")
	for _, refused := range []struct {
		what    string
		headers []string
	}{
		{"PUT with the ETag of a replaced object in If-Match", []string{"If-Match", old}},
		{"PUT with an ETag of no object in If-Match", []string{"If-Match", `"` + s.Word(16) + `"`}},
		{"PUT with a weak tag in If-Match", []string{"If-Match", "W/" + tag}},
	} {
		if _, err := s.expect(ctx, refused.what, putting(key, never, refused.headers...), 412); err != nil {
			return "", err
		}
	}
	if err := s.holds(ctx, key, "after refused PUTs with If-Match", second); err != nil {
		return "", err
	}
	if _, err := s.expect(ctx, "PUT with If-Match: * of a key that holds an object", putting(key, third, "If-Match", "*"), 200, 201); err != nil {
		return "", err
	}
	for _, condition := range []string{"*", tag} {
		what := "PUT with If-Match: " + short(condition) + " of a key that holds nothing"
		if _, err := s.expect(ctx, what, putting(absent, never, "If-Match", condition), 412); err != nil {
			return "", err
		}
	}
	if err := s.lacks(ctx, absent, "of a key whose PUTs were all refused"); err != nil {
		return "", err
	}
	both := putting(key, never, "If-Match", "*", "If-None-Match", "*")
	if _, err := s.expect(ctx, "PUT with If-Match and If-None-Match", both, 400); err != nil {
		return "", err
	}
	return "replaced with the right tag, 412 with old, foreign and weak ones", s.holds(ctx, key, "after a PUT with two conditions was refused", third)
}

func deleteIfMatch(ctx context.Context, s *Session) (string, error) {
	key, body := s.Key(s.Word(12)), s.Bytes(400)
	old, err := s.storeTag(ctx, key, body[:399])
	if err != nil {
		return "", err
	}
	tag, err := s.storeTag(ctx, key, body)
	if err != nil {
		return "", err
	}
	for _, refused := range []struct{ what, tag string }{
		{"the ETag of a replaced object", old}, {"an ETag of no object", `"` + s.Word(16) + `"`}, {"a weak tag", "W/" + tag},
	} {
		if _, err := s.expect(ctx, "DELETE with "+refused.what+" in If-Match", deleting(key, "If-Match", refused.tag), 412); err != nil {
			return "", err
		}
	}
	if err := s.holds(ctx, key, "after refused DELETEs with If-Match", body); err != nil {
		return "", err
	}
	if _, err := s.expect(ctx, "DELETE with the right If-Match", deleting(key, "If-Match", tag), 204); err != nil {
		return "", err
	}
	if err := s.lacks(ctx, key, "after DELETE with the right If-Match"); err != nil {
		return "", err
	}
	for _, condition := range []string{"*", tag} {
		what := fmt.Sprintf("DELETE with If-Match: %s of a key that holds nothing", short(condition))
		if _, err := s.expect(ctx, what, deleting(key, "If-Match", condition), 412); err != nil {
			return "", err
		}
	}
	if err := s.Store(ctx, key, body); err != nil {
		return "", err
	}
	if _, err := s.expect(ctx, "DELETE with If-Match: * of an object", deleting(key, "If-Match", "*"), 204); err != nil {
		return "", err
	}
	return "removed with the right tag, 412 with old, foreign and weak ones", s.lacks(ctx, key, "after DELETE with If-Match: *")
}
