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
	put := make([][]byte, len(spellings))
	last := map[int]int{} // object → the spelling that it was put under last
	for i, k := range spellings {
		put[i], last[k.object] = s.Bytes(64+i), i
		reply, err := s.Do(ctx, target.Request{
			Method: http.MethodPut, Path: objects(s.prefix) + k.wire, Body: bytes.NewReader(put[i]), Size: int64(len(put[i])),
		})
		if err != nil {
			return "", err
		}
		if err := wantStatus(reply, "PUT of a key with "+k.why, 201, 200); err != nil {
			return "", err
		}
	}
	for _, k := range spellings {
		reply, err := s.Do(ctx, target.Request{Method: http.MethodGet, Path: objects(s.prefix) + k.wire})
		if err != nil {
			return "", err
		}
		what := fmt.Sprintf("GET of a key with %s (%s)", k.why, short(k.wire))
		newest := last[k.object]
		if err := wantObject(reply, what, put[newest]); err != nil {
			return "", confused(err, reply, spellings, put, newest)
		}
	}
	return fmt.Sprintf("%d spellings lead to %d objects", len(spellings), len(last)), nil
}

// confused says under which spelling the bytes that came back were put.
func confused(err error, reply *target.Reply, spellings []spelling, put [][]byte, want int) error {
	var finding *verdict.Error
	if !errors.As(err, &finding) || reply.Status != 200 {
		return err
	}
	for i, body := range put {
		if bytes.Equal(reply.Body, body) {
			finding.Got = "what was put as " + short(spellings[i].wire)
			finding.Want = "what was put as " + short(spellings[want].wire)
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
