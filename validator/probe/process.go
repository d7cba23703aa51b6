package probe

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"

	"bogops/validator/oracle"
	"bogops/validator/target"
	"bogops/validator/verdict"
)

// process asks for every bronze step alone, for steps in pairs and for chains
// of up to eight, with nonces and bounds drawn anew each time.
func process(ctx context.Context, s *Session) (string, error) {
	key := s.Key(s.Word(12))
	body := append(s.Bytes(3000), []byte(s.Word(500))...)
	empty := s.Key(s.Word(12))
	if err := s.Store(ctx, key, body); err != nil {
		return "", err
	}
	if err := s.Store(ctx, empty, nil); err != nil {
		return "", err
	}
	chains := s.chains(len(body))
	for _, chain := range chains {
		if err := s.processed(ctx, key, body, chain, chain); err != nil {
			return "", err
		}
	}
	nonce := s.nonce(8)
	escaped := "hmac%3A" + nonce + "%2Cupper"
	if err := s.processed(ctx, key, body, "hmac:"+nonce+",upper", escaped); err != nil {
		return "", err
	}
	for _, chain := range []string{"sha256", "base64", "slice:5:5", "hmac:" + s.nonce(1)} {
		if err := s.processed(ctx, empty, nil, chain, chain); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%d chains computed byte for byte", len(chains)+5), nil
}

func (s *Session) chains(length int) []string {
	half := s.draw(length / 2)
	alone := []string{
		"sha256", "sha512", "reverse", "upper", "base64",
		"hmac:" + s.nonce(1), "hmac:" + s.nonce(64),
		fmt.Sprintf("slice:%d:%d", half, 1+s.draw(length/2)),
		fmt.Sprintf("slice:%d:9223372036854775807", half),
		fmt.Sprintf("slice:%d:1", length), "slice:9223372036854775807:9223372036854775807", "slice:0:0",
	}
	for _, steps := range []int{2, 3, 5, oracle.MaxSteps} {
		chain := make([]string, steps)
		for i := range chain {
			chain[i] = s.step(length)
		}
		alone = append(alone, strings.Join(chain, ","))
	}
	return alone
}

// step draws one bronze step. The slice keeps most of what it gets, or a long
// chain would soon have nothing left to tell apart.
func (s *Session) step(length int) string {
	steps := []string{
		"sha256", "sha512", "reverse", "upper", "base64",
		"hmac:" + s.nonce(12), fmt.Sprintf("slice:%d:%d", s.draw(8), length/2+s.draw(length)),
	}
	return steps[s.draw(len(steps))]
}

func (s *Session) nonce(n int) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
	text := make([]byte, n)
	for i := range text {
		text[i] = alphabet[s.draw(len(alphabet))]
	}
	return string(text)
}

func (s *Session) processed(ctx context.Context, key string, body []byte, chain, wire string) error {
	want, err := oracle.Apply(chain, body)
	if err != nil {
		return fmt.Errorf("computing %s: %w", chain, err)
	}
	reply, err := s.Do(ctx, target.Request{Method: http.MethodGet, Path: objects(key) + "?process=" + wire})
	if err != nil {
		return err
	}
	what := fmt.Sprintf("GET with process=%s of %d B", short(wire), len(body))
	if err := wantStatus(reply, what, 200); err != nil {
		return err
	}
	if !bytes.Equal(reply.Body, want) && len(want) <= 128 {
		return verdict.Wrong(what, quoted(string(reply.Body)), quoted(string(want)))
	}
	if err := wantBytes(reply, what, want, verdict.Mumble); err != nil {
		return err
	}
	if got := reply.Header.Get("ETag"); got != "" {
		return verdict.Wrong("ETag of a processed GET", quoted(got), "none")
	}
	if got := reply.Header.Get("Cache-Control"); !strings.Contains(strings.ToLower(got), "no-store") {
		return verdict.Wrong("Cache-Control of a processed GET", quoted(got), "no-store")
	}
	return wantType(reply, "a processed GET", "application/octet-stream")
}

func badChains(ctx context.Context, s *Session) (string, error) {
	key := s.Key(s.Word(12))
	if err := s.Store(ctx, key, s.Bytes(100)); err != nil {
		return "", err
	}
	bad := []struct{ query, why string }{
		{"process=", "an empty chain"},
		{"process=,sha256", "an empty first step"},
		{"process=sha256,", "an empty last step"},
		{"process=sha256,,upper", "an empty step"},
		{"process=" + s.Word(6) + "x", "an unknown step"},
		{"process=SHA256", "a step in capitals"},
		{"process=sha256:1", "an argument too many"},
		{"process=hmac", "a missing nonce"},
		{"process=hmac:", "an empty nonce"},
		{"process=hmac:a%20b", "a nonce with a space"},
		{"process=hmac:" + s.nonce(65), "a nonce of 65 characters"},
		{"process=slice:1", "a missing length"},
		{"process=slice:-1:2", "a negative offset"},
		{"process=slice:1:%2B2", "a number with a sign"},
		{"process=slice:01:2", "a number with a leading zero"},
		{"process=slice:1:9223372036854775808", "a number over 2^63-1"},
		{"process=" + strings.Repeat("upper,", 8) + "upper", "nine steps"},
		{"process=upper&process=upper", "process given twice"},
	}
	for _, chain := range bad {
		reply, err := s.Do(ctx, target.Request{Method: http.MethodGet, Path: objects(key) + "?" + chain.query})
		if err != nil {
			return "", err
		}
		if err := wantStatus(reply, "GET with "+chain.why, 400); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%d bad chains refused", len(bad)), nil
}
