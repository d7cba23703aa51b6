package probe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"bogops/validator/target"
)

func chunked(ctx context.Context, s *Session) (string, error) {
	for _, n := range []int{0, 1, 100_000} {
		key, body := s.Key(s.Word(12)), s.Bytes(n)
		third := len(body) / 3
		// Each part becomes a chunk of its own.
		parts := io.MultiReader(bytes.NewReader(body[:third]), bytes.NewReader(body[third:2*third]), bytes.NewReader(body[2*third:]))
		what := fmt.Sprintf("chunked PUT of %s", size(n))
		reply, err := s.Do(ctx, target.Request{Method: http.MethodPut, Path: objects(key), Body: parts, Size: -1, Fresh: true})
		if err != nil {
			return "", err
		}
		if err := wantStatus(reply, what, 201, 200); err != nil {
			return "", err
		}
		if reply, err = s.Get(ctx, key); err != nil {
			return "", err
		}
		if err := wantObject(reply, "GET after a "+what, body); err != nil {
			return "", err
		}
	}
	return "0 B, 1 B and 100,000 B in chunks come back whole", nil
}

// errCut ends a body in the middle, and with it the connection.
var errCut = errors.New("cut by the judge")

type cut struct{}

func (cut) Read([]byte) (int, error) { return 0, errCut }

// retry cuts an upload in the middle. As its whole body never arrived, it must
// never take effect: what was there stays, and sending it again works.
func retry(ctx context.Context, s *Session) (string, error) {
	key, before, after := s.Key(s.Word(12)), s.Bytes(5000), s.Bytes(90_000)
	if err := s.Store(ctx, key, before); err != nil {
		return "", err
	}
	fresh := s.Key(s.Word(12))
	for _, k := range []string{key, fresh} {
		half := io.MultiReader(bytes.NewReader(after[:len(after)/2]), cut{})
		_, err := s.Do(ctx, target.Request{Method: http.MethodPut, Path: objects(k), Body: half, Size: int64(len(after)), Fresh: true})
		if err != nil && !errors.Is(err, errCut) {
			return "", err
		}
	}
	// The platform may need a moment to notice the cut.
	for range 3 {
		reply, err := s.Get(ctx, key)
		if err != nil {
			return "", err
		}
		if err := wantObject(reply, "GET after a PUT of that key was cut in the middle", before); err != nil {
			return "", err
		}
		if reply, err = s.Get(ctx, fresh); err != nil {
			return "", err
		}
		if err := wantStatus(reply, "GET of a new key whose PUT was cut in the middle", 404); err != nil {
			return "", err
		}
		pause(ctx, 30*time.Millisecond)
	}
	for range 2 {
		if err := s.Store(ctx, key, after); err != nil {
			return "", err
		}
		reply, err := s.Get(ctx, key)
		if err != nil {
			return "", err
		}
		if err := wantObject(reply, "GET after the PUT was sent again", after); err != nil {
			return "", err
		}
	}
	return "a cut PUT stores nothing, sent again it works", nil
}

// pause waits for d, or for the end of ctx, which the next request then meets.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
