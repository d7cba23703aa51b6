package probe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"bogops/validator/target"
	"bogops/validator/verdict"
)

// promptly is how soon others must be served beside slow clients.
const promptly = 2 * time.Second

// slowBytes is more than the kernel of either side holds for a connection, so
// that an unread answer really keeps its sender waiting.
const slowBytes = 8 << 20

// slowClients holds one upload half sent and one answer unread, and asks for
// something small meanwhile.
func slowClients(ctx context.Context, s *Session) (string, error) {
	small, big := s.Key(s.Word(12)), s.Key(s.Word(12))
	if err := s.Store(ctx, small, s.Bytes(100)); err != nil {
		return "", err
	}
	if err := s.Store(ctx, big, s.Bytes(int(min(slowBytes, s.Env.LargeBytes)))); err != nil {
		return "", err
	}
	// A judge that is short of breath itself may wait in vain once, hardly twice.
	for range 2 {
		release := s.hold(ctx, big)
		slowest, held := s.prompt(ctx, small)
		release()
		if held == nil {
			return fmt.Sprintf("others wait %d ms beside slow clients", slowest.Milliseconds()), nil
		}
		var failure *target.Failure
		if !errors.As(held, &failure) || failure.Kind != target.TimedOut {
			return "", held
		}
		// Answered again as soon as the slow ones are gone: it was them, and no network.
		if _, err := s.prompt(ctx, small); err != nil {
			return "", held
		}
	}
	return "", verdict.Wrong("GET beside a slow reader and a slow writer", "nothing within "+promptly.String(), "an answer as without them")
}

// prompt asks four times over new connections, and each time waits no longer
// than promptly. It returns the longest wait.
func (s *Session) prompt(ctx context.Context, key string) (time.Duration, error) {
	var slowest time.Duration
	for range 4 {
		limited, cancel := context.WithTimeout(ctx, promptly)
		reply, err := s.Get(limited, key)
		cancel()
		if err != nil {
			return 0, err
		}
		if err := wantStatus(reply, "GET beside slow clients", 200); err != nil {
			return 0, err
		}
		slowest = max(slowest, reply.Took)
	}
	return slowest, nil
}

// hold begins a slow upload and a slow download and returns once both have
// begun, or were kept from it for as long as a prompt answer may take. How they
// end does not matter: the requests beside them tell. Release ends both and
// waits for them.
func (s *Session) hold(ctx context.Context, big string) (release func()) {
	ctx, cancel := context.WithCancel(ctx)
	var group sync.WaitGroup
	writing, reading := make(chan struct{}), make(chan struct{})
	written, read := sync.OnceFunc(func() { close(writing) }), sync.OnceFunc(func() { close(reading) })
	group.Go(func() {
		defer written()
		half := io.MultiReader(bytes.NewReader(s.Bytes(1000)), waiting{ctx, written})
		path := objects(s.Key(s.Word(12)))
		_, _ = s.Do(ctx, target.Request{Method: http.MethodPut, Path: path, Body: half, Size: 2000, Fresh: true})
	})
	group.Go(func() {
		defer read()
		stream, err := s.Open(ctx, target.Request{Method: http.MethodGet, Path: objects(big), Fresh: true})
		if err != nil {
			return
		}
		read()
		<-ctx.Done()
		stream.Abandon()
	})
	limited, done := context.WithTimeout(ctx, promptly)
	defer done()
	for _, begun := range []chan struct{}{writing, reading} {
		select {
		case <-begun:
		case <-limited.Done():
		}
	}
	return func() {
		cancel()
		group.Wait()
	}
}

// waiting is the second half of a body: it says that it was asked for and
// yields nothing until ctx ends.
type waiting struct {
	ctx   context.Context
	asked func()
}

func (w waiting) Read([]byte) (int, error) {
	w.asked()
	<-w.ctx.Done()
	return 0, w.ctx.Err()
}
