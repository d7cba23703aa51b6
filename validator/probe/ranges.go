package probe

import (
	"context"
	"fmt"

	"bogops/validator/target"
	"bogops/validator/verdict"
)

// ranges asks for parts at every edge of an object, and across those of the
// buffers that servers like.
func ranges(ctx context.Context, s *Session) (string, error) {
	n := 70_000 + s.draw(9000)
	key, body := s.Key(s.Word(12)), s.Bytes(n)
	tag, err := s.storeTag(ctx, key, body)
	if err != nil {
		return "", err
	}
	from, tail := 1+s.draw(n/2), 2+s.draw(n/3)
	to := from + s.draw(n/3)
	parts := []struct {
		asked       string
		first, last int
	}{
		{"0-0", 0, 0},
		{fmt.Sprintf("%d-%d", from, to), from, to},
		{fmt.Sprintf("0-%d", to), 0, to},
		{fmt.Sprintf("%d-%d", 65_530, 65_541), 65_530, 65_541},
		{fmt.Sprintf("%d-", from), from, n - 1},
		{fmt.Sprintf("%d-", n-1), n - 1, n - 1},
		{fmt.Sprintf("-%d", tail), n - tail, n - 1},
		{"-1", n - 1, n - 1},
		{fmt.Sprintf("%d-%d", from, n+s.draw(5000)), from, n - 1},
		{fmt.Sprintf("%d-9223372036854775807", from), from, n - 1},
		{fmt.Sprintf("-%d", n+1+s.draw(5000)), 0, n - 1},
		{"0-", 0, n - 1},
		{fmt.Sprintf("0-%d", n-1), 0, n - 1},
	}
	for _, p := range parts {
		what := fmt.Sprintf("GET with Range: bytes=%s of %s", p.asked, size(n))
		reply, err := s.expect(ctx, what, s.elsewhere(getting(key, "Range", "bytes="+p.asked)), 206)
		if err != nil {
			return "", err
		}
		if err := wantPart(reply, what, tag, body, p.first, p.last); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%d parts answered with exactly their bytes", len(parts)), nil
}

func wantPart(reply *target.Reply, what, tag string, body []byte, first, last int) error {
	want := fmt.Sprintf("bytes %d-%d/%d", first, last, len(body))
	if got := reply.Header.Get("Content-Range"); got != want {
		return verdict.Wrong("Content-Range of "+what, quoted(got), quoted(want))
	}
	if got := reply.Header.Get("ETag"); got != tag {
		return verdict.Wrong("ETag of "+what, quoted(got), "that of the object, "+quoted(tag))
	}
	return wantBytes(reply, what, body[first:last+1], verdict.Corrupt)
}

func rangeEdges(ctx context.Context, s *Session) (string, error) {
	n := 2000 + s.draw(1000)
	key, body, empty := s.Key(s.Word(12)), s.Bytes(n), s.Key(s.Word(12))
	if err := s.Store(ctx, key, body); err != nil {
		return "", err
	}
	if err := s.Store(ctx, empty, nil); err != nil {
		return "", err
	}
	for _, c := range []struct {
		key, asked string
		size       int
	}{
		{key, fmt.Sprintf("%d-", n), n},
		{key, fmt.Sprintf("%d-%d", n+1+s.draw(1000), n+5000), n},
		{key, "-0", n},
		{empty, "0-", 0},
		{empty, "0-0", 0},
	} {
		what := fmt.Sprintf("GET with Range: bytes=%s of %s", c.asked, size(c.size))
		reply, err := s.expect(ctx, what, s.elsewhere(getting(c.key, "Range", "bytes="+c.asked)), 416)
		if err != nil {
			return "", err
		}
		if got, want := reply.Header.Get("Content-Range"), fmt.Sprintf("bytes */%d", c.size); got != want {
			return "", verdict.Wrong("Content-Range of a 416", quoted(got), quoted(want))
		}
	}
	for _, unread := range []string{
		"bytes=9-3", "bytes=-", "bytes", "bytes=" + s.Word(3) + "x-9", "bytes=1.5-3", "bytes=+1-3", "lines=0-3", s.Word(6) + "=0-3",
	} {
		if err := s.whole(ctx, "GET with Range: "+unread, s.elsewhere(getting(key, "Range", unread)), body); err != nil {
			return "", err
		}
	}
	return "416 outside the object, the whole where the range cannot be read", nil
}
