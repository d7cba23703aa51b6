package probe

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"time"

	"bogops/validator/target"
	"bogops/validator/verdict"
)

// described is the JSON body of a PUT.
type described struct {
	Key         *string    `json:"key"`
	Size        *int64     `json:"size"`
	ETag        *string    `json:"etag"`
	ContentType *string    `json:"content_type"`
	Modified    *time.Time `json:"modified"`
}

func putAnswer(ctx context.Context, s *Session) (string, error) {
	key := s.Key(s.Word(8) + " é/" + s.Word(4))
	for i, write := range []struct {
		status int
		what   string
	}{{201, "PUT of a new key"}, {200, "PUT of a key that holds an object"}} {
		body := s.Bytes(300 + i)
		reply, err := s.Do(ctx, target.Request{
			Method: http.MethodPut, Path: objects(key), Body: bytes.NewReader(body), Size: int64(len(body)),
			Header: http.Header{"Content-Type": {"image/x-bog"}},
		})
		if err != nil {
			return "", err
		}
		if err := wantStatus(reply, write.what, write.status); err != nil {
			return "", err
		}
		if err := wantDescribed(reply, write.what, key, len(body)); err != nil {
			return "", err
		}
	}
	return "201, then 200, each with the five fields and Location", nil
}

func wantDescribed(reply *target.Reply, what, key string, length int) error {
	if err := wantType(reply, what, "application/json"); err != nil {
		return err
	}
	var got described
	if err := fields(reply, what, &got, "key", "size", "etag", "content_type", "modified"); err != nil {
		return err
	}
	etag := reply.Header.Get("ETag")
	for _, field := range []struct {
		name string
		ok   bool
		got  any
		want string
	}{
		{"key", got.Key != nil && *got.Key == key, got.Key, quoted(key)},
		{"size", got.Size != nil && *got.Size == int64(length), got.Size, fmt.Sprint(length)},
		{"etag", got.ETag != nil && *got.ETag == etag && etag != "", got.ETag, "the header's ETag " + quoted(etag)},
		{"content_type", got.ContentType != nil && *got.ContentType == "image/x-bog", got.ContentType, `"image/x-bog"`},
		{"modified", inUTC(got.Modified), got.Modified, "a time in UTC as in RFC 3339"},
	} {
		if !field.ok {
			return verdict.Wrong(field.name+" in the body of "+what, spell(field.got), field.want)
		}
	}
	location, err := url.Parse(reply.Header.Get("Location"))
	if err != nil || location.Path != "/v1/objects/"+key {
		return verdict.Wrong("Location of "+what, quoted(reply.Header.Get("Location")), objects(key))
	}
	return nil
}

func inUTC(at *time.Time) bool {
	if at == nil || at.IsZero() {
		return false
	}
	_, offset := at.Zone()
	return offset == 0
}

// spell shows what a pointer points to, as JSON.
func spell(value any) string {
	if v := reflect.ValueOf(value); v.Kind() == reflect.Pointer && v.IsNil() {
		return "nothing"
	}
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return short(string(text))
}

func contentType(ctx context.Context, s *Session) (string, error) {
	body := s.Bytes(2000)
	for _, object := range []struct {
		sent http.Header
		want string
	}{
		{http.Header{"Content-Type": {"text/x-bog; charset=utf-8"}}, "text/x-bog; charset=utf-8"},
		{http.Header{}, "application/octet-stream"},
		{http.Header{"Content-Encoding": {"gzip"}, "Content-Type": {"image/x-bog"}}, "image/x-bog"},
	} {
		key := s.Key(s.Word(12))
		what := fmt.Sprintf("GET of an object stored with %s", spellHeader(object.sent))
		reply, err := s.Do(ctx, target.Request{
			Method: http.MethodPut, Path: objects(key), Header: object.sent, Body: bytes.NewReader(body), Size: int64(len(body)),
		})
		if err != nil {
			return "", err
		}
		if err := wantStatus(reply, "PUT with "+spellHeader(object.sent), 201, 200); err != nil {
			return "", err
		}
		if reply, err = s.Get(ctx, key); err != nil {
			return "", err
		}
		if err := wantObject(reply, what, body); err != nil {
			return "", err
		}
		if got := reply.Header.Get("Content-Type"); !sameType(got, object.want) {
			return "", verdict.Wrong("Content-Type of "+what, quoted(got), object.want)
		}
		if got := reply.Header.Get("Content-Encoding"); got != "" {
			return "", verdict.Wrong("Content-Encoding of "+what, quoted(got), "none: bodies are bytes")
		}
	}
	return "kept where given, application/octet-stream where not", nil
}

func spellHeader(header http.Header) string {
	if len(header) == 0 {
		return "no Content-Type"
	}
	var parts []string
	for _, name := range []string{"Content-Type", "Content-Encoding"} {
		if value := header.Get(name); value != "" {
			parts = append(parts, name+": "+value)
		}
	}
	return strings.Join(parts, " and ")
}

func sameType(a, b string) bool {
	mediaA, paramsA, errA := mime.ParseMediaType(a)
	mediaB, paramsB, errB := mime.ParseMediaType(b)
	return errA == nil && errB == nil && mediaA == mediaB && reflect.DeepEqual(paramsA, paramsB)
}

func etag(ctx context.Context, s *Session) (string, error) {
	key := s.Key(s.Word(12))
	before := ""
	for version := 1; version <= 2; version++ {
		body := s.Bytes(700 + version)
		put, err := s.Put(ctx, key, body)
		if err != nil {
			return "", err
		}
		tag := put.Header.Get("ETag")
		if len(tag) < 3 || tag[0] != '"' || tag[len(tag)-1] != '"' {
			return "", verdict.Wrong("ETag of a PUT", quoted(tag), `a strong tag in double quotes`)
		}
		if tag == before {
			return "", verdict.Wrong("ETag after other bytes were put", quoted(tag), "another one than before")
		}
		before = tag
		var first *target.Reply
		for range 2 {
			reply, err := s.Get(ctx, key)
			if err != nil {
				return "", err
			}
			if first == nil {
				first = reply
			}
			if err := wantValidators(reply, tag, len(body), first.Header.Get("Last-Modified")); err != nil {
				return "", err
			}
		}
	}
	return "strong, the same for two reads, another after a write", nil
}

func wantValidators(reply *target.Reply, tag string, length int, modified string) error {
	if err := wantAcknowledged(reply, "GET of an object"); err != nil {
		return err
	}
	if got := reply.Header.Get("ETag"); got != tag {
		return verdict.Wrong("ETag of a GET", quoted(got), "that of the PUT, "+quoted(tag))
	}
	if got := reply.Header.Get("Content-Length"); got != fmt.Sprint(length) {
		return verdict.Wrong("Content-Length of a GET", quoted(got), fmt.Sprint(length))
	}
	got := reply.Header.Get("Last-Modified")
	if _, err := http.ParseTime(got); err != nil {
		return verdict.Wrong("Last-Modified of a GET", quoted(got), "an HTTP date (RFC 9110)")
	}
	if got != modified {
		return verdict.Wrong("Last-Modified of a second GET", quoted(got), quoted(modified))
	}
	return nil
}
