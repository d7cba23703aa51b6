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

// xor and stretch are asked for alone and inside chains of bronze steps: each
// is a promise of its own, and they never meet.
func xor(ctx context.Context, s *Session) (string, error) {
	draw := func() string { return "xor:" + s.nonce(1+s.draw(64)) }
	alone := []string{"xor:" + s.nonce(1), "xor:" + s.nonce(64), draw() + "," + draw()}
	return s.newStep(ctx, draw, alone, []badStep{
		{"xor", "a missing nonce"}, {"xor:", "an empty nonce"}, {"xor:a%20b", "a nonce with a space"},
		{"xor:" + s.nonce(65), "a nonce of 65 characters"}, {"xor:" + s.nonce(4) + ":1", "an argument too many"},
	})
}

func stretch(ctx context.Context, s *Session) (string, error) {
	nonce := s.nonce(8)
	draw := func() string { return fmt.Sprintf("stretch:%s:%d", s.nonce(1+s.draw(64)), 1+s.draw(2000)) }
	alone := []string{"stretch:" + s.nonce(1) + ":1", "stretch:" + s.nonce(64) + ":2", "stretch:" + nonce + ":100000", draw() + "," + draw()}
	return s.newStep(ctx, draw, alone, []badStep{
		{"stretch:" + nonce, "no iterations given"}, {"stretch:" + nonce + ":0", "0 iterations"}, {"stretch:" + nonce + ":100001", "100,001 iterations"},
		{"stretch:" + nonce + ":07", "a number with a leading zero"}, {"stretch:" + nonce + ":-1", "a negative number"},
		{"stretch::5", "an empty nonce"}, {"stretch:" + s.nonce(65) + ":5", "a nonce of 65 characters"}, {"stretch:" + nonce + ":1:1", "an argument too many"},
	})
}

type badStep struct{ chain, why string }

// newStep wants these chains computed, then random ones around the step that
// draw draws, then the bad ones refused.
func (s *Session) newStep(ctx context.Context, draw func() string, chains []string, bad []badStep) (string, error) {
	key, body := s.Key(s.Word(12)), s.Bytes(1500+s.draw(1000))
	if err := s.Store(ctx, key, body); err != nil {
		return "", err
	}
	for _, others := range []int{1, 2, 4, oracle.MaxSteps - 1} {
		chains = append(chains, s.around(draw(), others, len(body)))
	}
	for _, chain := range chains {
		if err := s.processed(ctx, key, body, chain, chain); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%d chains computed byte for byte, %d bad steps refused", len(chains), len(bad)), s.refused(ctx, key, bad)
}

// around draws a chain of bronze steps with step somewhere among them.
func (s *Session) around(step string, others, length int) string {
	at := s.draw(others + 1)
	var chain []string
	for i := range others + 1 {
		if i == at {
			chain = append(chain, step)
		} else {
			chain = append(chain, s.step(length))
		}
	}
	return strings.Join(chain, ",")
}

func (s *Session) refused(ctx context.Context, key string, bad []badStep) error {
	for _, b := range bad {
		r := target.Request{Method: http.MethodGet, Path: objects(key) + "?process=" + b.chain}
		if _, err := s.expect(ctx, "GET with process="+short(b.chain)+", "+b.why, r, 400); err != nil {
			return err
		}
	}
	return nil
}

func gzipped(ctx context.Context, s *Session) (string, error) {
	key, body := s.Key(s.Word(12)), append(s.Bytes(2000+s.draw(1000)), bytes.Repeat([]byte("otter "), 500+s.draw(500))...)
	if err := s.Store(ctx, key, body); err != nil {
		return "", err
	}
	before := []string{"", "reverse", "hmac:" + s.nonce(12), fmt.Sprintf("slice:%d:0", s.draw(100)), s.around("hmac:"+s.nonce(9), 3, len(body)), s.around("upper", oracle.MaxSteps-2, len(body))}
	for _, chain := range before {
		if err := s.unpacks(ctx, key, body, chain); err != nil {
			return "", err
		}
	}
	bad := []badStep{
		{"gzip,sha256", "gzip before another step"}, {"gzip,gzip", "gzip twice"}, {"upper,gzip,reverse", "gzip in the middle"},
		{"gzip:9", "gzip with an argument"},
	}
	return fmt.Sprintf("%d streams unpacked", len(before)), s.refused(ctx, key, bad)
}

// unpacks wants that gzip at the end of chain, which may be empty, gives a
// stream which unpacks to what the chain makes of body.
func (s *Session) unpacks(ctx context.Context, key string, body []byte, chain string) error {
	want, wire := body, "gzip"
	if chain != "" {
		var err error
		if want, err = oracle.Apply(chain, body); err != nil {
			return fmt.Errorf("computing %s: %w", chain, err)
		}
		wire = chain + ",gzip"
	}
	what := fmt.Sprintf("GET with process=%s of %d B", short(wire), len(body))
	reply, err := s.expect(ctx, what, target.Request{Method: http.MethodGet, Path: objects(key) + "?process=" + wire}, 200)
	if err != nil {
		return err
	}
	got, err := oracle.Unzip(reply.Body, len(want))
	if err != nil {
		return verdict.Wrong(what, err.Error(), fmt.Sprintf("a gzip stream of %s", size(len(want))))
	}
	if !bytes.Equal(got, want) {
		return verdict.Wrong(what+", unpacked", fmt.Sprintf("%s that differ from byte %d on", size(len(got)), firstDifference(got, want)), size(len(want)))
	}
	return wantType(reply, "a GET with gzip", "application/gzip")
}

// processAlone compares a platform with itself: what its steps compute is
// other checks' business.
func processAlone(ctx context.Context, s *Session) (string, error) {
	key, body := s.Key(s.Word(12)), s.Bytes(900)
	tag, err := s.storeTag(ctx, key, body)
	if err != nil {
		return "", err
	}
	modified, _, err := s.modified(ctx, key)
	if err != nil {
		return "", err
	}
	path := objects(key) + "?process=xor:" + s.nonce(12)
	want, err := s.expect(ctx, "GET with process=xor:NONCE", target.Request{Method: http.MethodGet, Path: path}, 200)
	if err != nil {
		return "", err
	}
	for _, header := range [][]string{
		{"If-None-Match", tag}, {"If-None-Match", "*"}, {"If-Modified-Since", modified}, {"If-Match", `"` + s.Word(16) + `"`},
		{"Range", "bytes=1-9"}, {"Range", "bytes=5000-"},
	} {
		what := fmt.Sprintf("GET with process and %s", header[0])
		reply, err := s.expect(ctx, what, target.Request{Method: http.MethodGet, Path: path, Header: headersOf(header)}, 200)
		if err != nil {
			return "", err
		}
		if err := wantBytes(reply, what, want.Body, verdict.Mumble); err != nil {
			return "", err
		}
	}
	return "6 headers ignored beside process", nil
}

// silverProblems provokes what silver refuses. Which status it gets is the
// business of other checks; here every error must be a problem document.
func silverProblems(ctx context.Context, s *Session) (string, error) {
	key, body := s.Key(s.Word(12)), s.Bytes(100)
	if err := s.Store(ctx, key, body); err != nil {
		return "", err
	}
	seen := map[int]bool{}
	for _, r := range []target.Request{
		getting(key, "Range", "bytes=5000-"),
		putting(key, body, "If-None-Match", "*"),
		putting(key, body, "If-Match", `"`+s.Word(16)+`"`),
		deleting(key, "If-Match", `"`+s.Word(16)+`"`),
		listing("limit", "0"),
		putting(key, body, "Content-Digest", digestOf(body[1:])),
	} {
		reply, err := s.Do(ctx, r)
		if err != nil {
			return "", err
		}
		if err := wantProblem(reply, seen); err != nil {
			return "", err
		}
	}
	if !seen[412] && !seen[416] {
		return "", verdict.Wrong("3 failed conditions and a range outside the object", "neither 412 nor 416", "412 and 416 with problem documents")
	}
	return fmt.Sprintf("%d kinds of error are problem documents", len(seen)), nil
}
