package probe

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"bogops/validator/target"
	"bogops/validator/verdict"
)

const metaPrefix = "Bogops-Meta-"

// metaBytes is how much metadata an object may have: names, without the part
// that all share, and values.
const metaBytes = 2 << 10

// meta draws metadata, as names and values in turn.
func (s *Session) meta(pairs int) []string {
	const punctuation = "!#$%&'()*+-./:;<=>?@[]^_`{|}~\"\\"
	var drawn []string
	for range pairs {
		drawn = append(drawn, metaPrefix+s.Word(6)+"-"+s.Word(4), s.Word(8)+string(punctuation[s.draw(len(punctuation))])+s.Word(8))
	}
	return drawn
}

func metadata(ctx context.Context, s *Session) (string, error) {
	key, body := s.Key(s.Word(12)), s.Bytes(200)
	// At a comma a platform that takes values for lists would cut them.
	meta := append(s.meta(3), metaPrefix+s.Word(6), s.Word(8)+","+s.Word(8))
	if _, err := s.expect(ctx, "PUT with metadata", putting(key, body, meta...), 201, 200); err != nil {
		return "", err
	}
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		what := method + " of an object with metadata"
		reply, err := s.expect(ctx, what, target.Request{Method: method, Path: objects(key), Fresh: true}, 200)
		if err != nil {
			return "", err
		}
		if err := wantMeta(reply, what, meta); err != nil {
			return "", err
		}
	}
	return "4 headers kept, on GET and HEAD", nil
}

func wantMeta(reply *target.Reply, what string, meta []string) error {
	for i := 0; i+1 < len(meta); i += 2 {
		if got := reply.Header.Get(meta[i]); got != meta[i+1] {
			return verdict.Wrong(meta[i]+" of "+what, quoted(got), quoted(meta[i+1]))
		}
	}
	return nil
}

func metadataReplaced(ctx context.Context, s *Session) (string, error) {
	key := s.Key(s.Word(12))
	before := s.meta(2)
	for i, meta := range [][]string{before, s.meta(1), nil} {
		if _, err := s.expect(ctx, "PUT with metadata", putting(key, s.Bytes(100+i), meta...), 201, 200); err != nil {
			return "", err
		}
		reply, err := s.expect(ctx, "GET of an object", s.elsewhere(getting(key)), 200)
		if err != nil {
			return "", err
		}
		if err := wantMeta(reply, "GET after the PUT that set it", meta); err != nil {
			return "", err
		}
		for name, values := range reply.Header {
			if strings.HasPrefix(name, metaPrefix) && len(meta) == 0 || i > 0 && strings.EqualFold(name, before[0]) {
				return "", verdict.Wrong(name+" of GET after a PUT without it", quoted(values[0]), "nothing")
			}
		}
	}
	return "replaced with the object, gone with the next", nil
}

func metadataLimit(ctx context.Context, s *Session) (string, error) {
	key, absent, body := s.Key(s.Word(12)), s.Key(s.Word(12)), s.Bytes(200)
	full := s.metaOf(metaBytes)
	what := fmt.Sprintf("with %s of metadata", size(metaBytes))
	if _, err := s.expect(ctx, "PUT "+what, putting(key, body, full...), 201, 200); err != nil {
		return "", err
	}
	reply, err := s.expect(ctx, "GET of an object "+what, s.elsewhere(getting(key)), 200)
	if err != nil {
		return "", err
	}
	for i := 0; i+1 < len(full); i += 2 {
		if got := reply.Header.Get(full[i]); got != full[i+1] {
			return "", verdict.Wrong("Metadata of an object "+what, fmt.Sprintf("%d B under one name", len(got)), fmt.Sprintf("the %d B that were put", len(full[i+1])))
		}
	}
	over := metaBytes + 1 + s.draw(500)
	what = fmt.Sprintf("PUT with %d B of metadata", over)
	if _, err := s.expect(ctx, what, putting(absent, body, s.metaOf(over)...), 400); err != nil {
		return "", err
	}
	return "2 KiB kept, more refused", s.lacks(ctx, absent, "of a new key after its metadata was refused")
}

// metaOf draws three headers whose names and values have n bytes together.
func (s *Session) metaOf(n int) []string {
	var drawn []string
	for left := 3; left > 0; left-- {
		name := s.Word(5)
		value := s.Word(n/left - len(name))
		n -= n / left
		drawn = append(drawn, metaPrefix+name, value)
	}
	return drawn
}
