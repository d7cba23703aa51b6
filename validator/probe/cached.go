package probe

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"bogops/validator/target"
	"bogops/validator/verdict"
)

func notModified(ctx context.Context, s *Session) (string, error) {
	key, first, second := s.Key(s.Word(12)), s.Bytes(600), s.Bytes(601)
	old, err := s.storeTag(ctx, key, first)
	if err != nil {
		return "", err
	}
	other := `"` + s.Word(16) + `"`
	for _, c := range []struct{ what, tags string }{
		{"the object's ETag", old}, {"the object's ETag made weak", "W/" + old},
		{"a list that holds the object's ETag", other + ", " + old}, {"*", "*"},
	} {
		reply, err := s.expect(ctx, "GET with "+c.what+" in If-None-Match", s.elsewhere(getting(key, "If-None-Match", c.tags)), 304)
		if err != nil {
			return "", err
		}
		if got := reply.Header.Get("ETag"); got != old {
			return "", verdict.Wrong("ETag of a 304", quoted(got), quoted(old))
		}
	}
	tag, err := s.storeTag(ctx, key, second)
	if err != nil {
		return "", err
	}
	if tag == old {
		return "", verdict.Wrong("ETag after other bytes were put", quoted(tag), "another one than before")
	}
	for _, c := range []struct{ what, tags string }{
		{"the ETag of a replaced object", old}, {"a list of foreign ETags", other + `, "` + s.Word(9) + `"`},
	} {
		what := "GET with " + c.what + " in If-None-Match"
		if err := s.whole(ctx, what, s.elsewhere(getting(key, "If-None-Match", c.tags)), second); err != nil {
			return "", err
		}
	}
	_, err = s.expect(ctx, "GET with If-None-Match: * of a key that holds nothing", getting(s.Key(s.Word(12)), "If-None-Match", "*"), 404)
	return "304 for what the reader has, the bytes for anything else", err
}

// whole wants a 200 with all of body.
func (s *Session) whole(ctx context.Context, what string, r target.Request, body []byte) error {
	reply, err := s.Do(ctx, r)
	if err != nil {
		return err
	}
	return wantObject(reply, what, body)
}

func modifiedSince(ctx context.Context, s *Session) (string, error) {
	key, body := s.Key(s.Word(12)), s.Bytes(500)
	if err := s.Store(ctx, key, body); err != nil {
		return "", err
	}
	modified, at, err := s.modified(ctx, key)
	if err != nil {
		return "", err
	}
	if _, err := s.expect(ctx, "GET with the object's Last-Modified in If-Modified-Since", s.elsewhere(getting(key, "If-Modified-Since", modified)), 304); err != nil {
		return "", err
	}
	earlier := at.Add(-time.Duration(1+s.draw(5000)) * time.Second).UTC().Format(http.TimeFormat)
	for _, c := range []struct {
		what    string
		headers []string
	}{
		{"GET with an earlier date in If-Modified-Since", []string{"If-Modified-Since", earlier}},
		{"GET with an If-Modified-Since that is no date", []string{"If-Modified-Since", s.Word(10)}},
		{"GET with a foreign If-None-Match, which goes before If-Modified-Since", []string{"If-Modified-Since", modified, "If-None-Match", `"` + s.Word(16) + `"`}},
	} {
		if err := s.whole(ctx, c.what, s.elsewhere(getting(key, c.headers...)), body); err != nil {
			return "", err
		}
	}
	return "304 since its own date, the bytes since an earlier one", nil
}

// modified reads when key was modified, as the platform spells it.
func (s *Session) modified(ctx context.Context, key string) (string, time.Time, error) {
	reply, err := s.expect(ctx, "GET of an object", s.elsewhere(getting(key)), 200)
	if err != nil {
		return "", time.Time{}, err
	}
	text := reply.Header.Get("Last-Modified")
	at, err := http.ParseTime(text)
	if err != nil {
		return "", at, verdict.Wrong("Last-Modified of a GET", quoted(text), "an HTTP date (RFC 9110)")
	}
	return text, at, nil
}

func ifRange(ctx context.Context, s *Session) (string, error) {
	key, first, second := s.Key(s.Word(12)), s.Bytes(3000), s.Bytes(3001)
	old, err := s.storeTag(ctx, key, first)
	if err != nil {
		return "", err
	}
	tag, err := s.storeTag(ctx, key, second)
	if err != nil {
		return "", err
	}
	modified, at, err := s.modified(ctx, key)
	if err != nil {
		return "", err
	}
	offset := s.draw(1000)
	part := []string{"Range", fmt.Sprintf("bytes=%d-%d", offset, offset+99), "If-Range"}
	// Which bytes a part holds is another check's business.
	if _, err := s.expect(ctx, "GET of a range with the object's ETag in If-Range", s.elsewhere(getting(key, append(part, tag)...)), 206); err != nil {
		return "", err
	}
	// A date is a strong validator only once it is old enough (RFC 9110, section
	// 8.8.2.2): the object's own may give the part or the whole.
	if _, err := s.expect(ctx, "GET of a range with the object's Last-Modified in If-Range", s.elsewhere(getting(key, append(part, modified)...)), 206, 200); err != nil {
		return "", err
	}
	earlier := at.Add(-time.Duration(1+s.draw(5000)) * time.Second).UTC().Format(http.TimeFormat)
	for _, c := range []struct{ what, validator string }{
		{"the ETag of a replaced object", old}, {"a weak tag", "W/" + tag}, {"an earlier date", earlier},
	} {
		if err := s.whole(ctx, "GET of a range with "+c.what+" in If-Range", s.elsewhere(getting(key, append(part, c.validator)...)), second); err != nil {
			return "", err
		}
	}
	return "the part of what is unchanged, the whole of what is not", nil
}
