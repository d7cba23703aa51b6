package probe

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"

	"bogops/validator/target"
	"bogops/validator/verdict"
)

// spelling is one way to write a key in a path, and which object it means.
type spelling struct {
	wire   string // after the run's prefix
	object int
	why    string
}

func oddKeys(prefix string) []spelling {
	return []spelling{
		{"a/b", 0, "a slash"},
		{"a%2Fb", 0, "an escaped slash"},
		{"%61/b", 0, "an escaped letter"},
		{"a//b", 1, "two slashes"},
		{"A/b", 2, "a capital"},
		{"a/b/", 3, "a slash at the end"},
		{"x+y", 4, "a plus"},
		{"x%2By", 4, "an escaped plus"},
		{"x%20y", 5, "a space"},
		{"z%2541", 6, "an escaped percent sign"},
		{"zA", 7, "what that would be, decoded twice"},
		{"%C3%A9t%C3%A9/%F0%9F%A6%A6", 8, "letters beyond ASCII"},
		{"e%CC%81t%C3%A9/%F0%9F%A6%A6", 9, "the same letters, composed otherwise"},
		{"...", 10, "three dots"},
		{"%3Fq=1%23f", 11, "an escaped question mark and number sign"},
		{"w%5Cw", 12, "a backslash"},
		{strings.Repeat("k", 1024-len(prefix)), 13, "1,024 bytes"},
	}
}

func keys(ctx context.Context, s *Session) (string, error) {
	spellings := oddKeys(s.prefix)
	bodies := map[int][]byte{}
	for _, k := range spellings {
		body := s.Bytes(64 + k.object)
		reply, err := s.Do(ctx, target.Request{
			Method: http.MethodPut, Path: objects(s.prefix) + k.wire, Body: bytes.NewReader(body), Size: int64(len(body)),
		})
		if err != nil {
			return "", err
		}
		if err := wantStatus(reply, "PUT of a key with "+k.why, 201, 200); err != nil {
			return "", err
		}
		bodies[k.object] = body
	}
	for _, k := range spellings {
		reply, err := s.Do(ctx, target.Request{Method: http.MethodGet, Path: objects(s.prefix) + k.wire})
		if err != nil {
			return "", err
		}
		what := fmt.Sprintf("GET of a key with %s (%s)", k.why, short(k.wire))
		if err := wantObject(reply, what, bodies[k.object]); err != nil {
			return "", confused(err, reply, spellings, bodies)
		}
	}
	return fmt.Sprintf("%d spellings lead to %d objects", len(spellings), len(bodies)), nil
}

// confused says which other key's bytes came back.
func confused(err error, reply *target.Reply, spellings []spelling, bodies map[int][]byte) error {
	finding, ok := err.(*verdict.Error)
	if !ok {
		return err
	}
	for _, k := range spellings {
		if reply.Status == 200 && bytes.Equal(reply.Body, bodies[k.object]) {
			finding.Got = "the object of " + short(k.wire)
			finding.Want = "its own"
			break
		}
	}
	return finding
}

func badKeys(ctx context.Context, s *Session) (string, error) {
	base := "/v1/objects/"
	own := objects(s.prefix)
	bad := []struct{ path, why string }{
		{base, "an empty key"},
		{own + strings.Repeat("k", 1025-len(s.prefix)), "a key of 1,025 bytes"},
		{own + "%FF", "a key that is not UTF-8"},
		{own + "%C3%28", "a key with a cut letter"},
		{own + "%00", "a key with a NUL"},
		{own + "a%0Ab", "a key with a line feed"},
		{own + "%7F", "a key with DEL"},
		{own + "%C2%85", "a key with U+0085"},
		{own + "a%zz", "a bad escape"},
		{own + "a%2", "a cut escape"},
		{own + "a/../b", "a segment .."},
		{own + "a/%2E%2E/b", "an escaped segment .."},
		{own + "a%2F..%2Fb", "a segment .. between escaped slashes"},
		{own + "a/./b", "a segment ."},
		{own + "%2e", "an escaped segment . at the end"},
	}
	body := s.Bytes(16)
	for _, k := range bad {
		for _, method := range []string{http.MethodPut, http.MethodGet} {
			r := target.Request{Method: method, Path: k.path}
			if method == http.MethodPut {
				// Some servers close the connection on a path that they cannot parse.
				r.Body, r.Size, r.Fresh = bytes.NewReader(body), int64(len(body)), true
			}
			reply, err := s.Do(ctx, r)
			if err != nil {
				return "", err
			}
			if err := wantStatus(reply, fmt.Sprintf("%s with %s", method, k.why), 400); err != nil {
				return "", err
			}
		}
	}
	return fmt.Sprintf("%d bad keys refused", len(bad)), nil
}
