package probe

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"

	"bogops/validator/verdict"
)

// digestOf spells a body's digest as RFC 9530 does.
func digestOf(body []byte) string {
	sum := sha256.Sum256(body)
	return "sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":"
}

func digest(ctx context.Context, s *Session) (string, error) {
	key, absent, body, never := s.Key(s.Word(12)), s.Key(s.Word(12)), s.Bytes(80_000), s.Bytes(80_000)
	if _, err := s.expect(ctx, "PUT with the right Content-Digest", putting(key, body, "Content-Digest", digestOf(body)), 201, 200); err != nil {
		return "", err
	}
	if err := s.holds(ctx, key, "after a PUT with the right Content-Digest", body); err != nil {
		return "", err
	}
	// One byte is wrong: a length that fits proves nothing.
	flipped := bytes.Clone(never)
	flipped[s.draw(len(flipped))] ^= 1 << s.draw(8)
	for _, chunks := range []bool{false, true} {
		for _, k := range []string{key, absent} {
			what, request := "PUT of a body that does not match its Content-Digest", putting(k, flipped, "Content-Digest", digestOf(never))
			if chunks {
				what, request.Size, request.Fresh = "chunked "+what, -1, true
			}
			if _, err := s.expect(ctx, what, request, 400); err != nil {
				return "", err
			}
		}
		if _, err := s.expect(ctx, "PUT of an empty body that does not match its Content-Digest", putting(absent, nil, "Content-Digest", digestOf(never)), 400); err != nil {
			return "", err
		}
		if err := s.holds(ctx, key, "after a PUT that did not match its digest", body); err != nil {
			return "", err
		}
		if err := s.lacks(ctx, absent, "of a new key after a PUT that did not match its digest"); err != nil {
			return "", err
		}
	}
	return "a wrong digest is refused, and nothing is stored", nil
}

func digestForm(ctx context.Context, s *Session) (string, error) {
	key, body := s.Key(s.Word(12)), s.Bytes(300)
	sum := sha256.Sum256(body)
	encoded := base64.StdEncoding.EncodeToString(sum[:])
	for _, c := range []struct{ why, digest string }{
		{"without colons", "sha-256=" + encoded},
		{"in hexadecimal", fmt.Sprintf("sha-256=:%x:", sum)},
		{"of 16 bytes", "sha-256=:" + base64.StdEncoding.EncodeToString(sum[:16]) + ":"},
		{"of nothing", "sha-256=::"},
		{"that is no base64", "sha-256=:" + s.Word(20) + "!" + s.Word(22) + "=:"},
	} {
		if _, err := s.expect(ctx, "PUT with a Content-Digest "+c.why, putting(key, body, "Content-Digest", c.digest), 400); err != nil {
			return "", err
		}
	}
	return "5 digests that cannot be read refused", s.lacks(ctx, key, "of a key whose PUTs were all refused")
}

func reprDigest(ctx context.Context, s *Session) (string, error) {
	key, body := s.Key(s.Word(12)), s.Bytes(5000)
	if err := s.Store(ctx, key, body); err != nil {
		return "", err
	}
	for _, c := range []struct {
		what    string
		headers []string
	}{
		{"a GET that wants it", []string{"Want-Repr-Digest", "sha-256=10"}},
		{"a GET that would rather have another one", []string{"Want-Repr-Digest", "sha-512=0, sha-256=3"}},
		// The representation is the whole object, also where a part is sent.
		{"a GET of a range that wants it", []string{"Want-Repr-Digest", "sha-256=1", "Range", "bytes=10-99"}},
	} {
		reply, err := s.expect(ctx, "GET with Want-Repr-Digest", s.elsewhere(getting(key, c.headers...)), 200, 206)
		if err != nil {
			return "", err
		}
		if got, want := strings.Join(reply.Header.Values("Repr-Digest"), ", "), digestOf(body); !hasDigest(got, want) {
			return "", verdict.Wrong("Repr-Digest of "+c.what, quoted(got), quoted(want))
		}
	}
	return "the digest of the whole object, also beside a part", nil
}

// hasDigest tells whether header, which may list several digests, has this one.
func hasDigest(header, want string) bool {
	for member := range strings.SplitSeq(header, ",") {
		if strings.TrimSpace(member) == want {
			return true
		}
	}
	return false
}
