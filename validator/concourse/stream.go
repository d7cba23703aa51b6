package concourse

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tmaxmax/go-sse"
)

// FromStart is the `after` of Events that skips nothing: events count from 0.
const FromStart = -1

const (
	maxEvent  = 1 << 20  // bytes of one event
	maxStream = 64 << 20 // bytes of all events of a build
)

// Events calls each for every event of a build that comes after the one of that
// id, in order and once, also when the connection is cut between: it then asks
// for what follows. It returns nil when the build's history has ended, the error
// of each as it is, and otherwise one of the client's: what has begun is given
// up only after a minute without an answer. A build that is pending has no
// events, and is waited for as long as ctx lasts; then the error is ctx's.
func (c *Client) Events(ctx context.Context, id, after int, each func(Event) error) error {
	s := &stream{client: c, build: id, last: after, left: maxStream, each: each}
	var absent time.Time // since when there is no answer any more
	wait := firstWait
	for {
		err := s.follow(ctx)
		switch {
		case s.stopped != nil:
			return s.stopped
		case errors.Is(err, errEnd):
			return nil
		case ctx.Err() != nil:
			return fmt.Errorf("%s: %w", s.what(), ctx.Err())
		case !mayPass(err) || !s.begun:
			return err
		case s.heard:
			absent, wait = time.Time{}, firstWait
		case absent.IsZero():
			absent = time.Now()
		case time.Since(absent) > c.patience.absent:
			return err
		}
		select {
		case <-time.After(wait):
			wait = min(2*wait, maxWait)
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", s.what(), ctx.Err())
		}
	}
}

// Between two connections of a stream.
const (
	firstWait = 100 * time.Millisecond
	maxWait   = 2 * time.Second
)

// errEnd is a stream that came to its end.
var errEnd = errors.New("the build's events have ended")

// mayPass says whether a stream that broke with err may be had again.
func mayPass(err error) bool {
	var answer *StatusError
	if errors.As(err, &answer) {
		return answer.Status >= 500
	}
	return errors.Is(err, ErrUnreachable)
}

// stream is one reading of a build's events, over several connections.
type stream struct {
	client *Client
	build  int
	last   int   // id of the last event that was told
	left   int64 // bytes that may still be read
	each   func(Event) error
	begun  bool // an answer came once, so the build and the right to see it are there
	heard  bool // the last connection was answered
	idle   bool // the build had ended when the stream was last silent

	stopped error // what each said
}

func (s *stream) what() string { return build(http.MethodGet, s.build, "events").what() }

// follow reads what one connection gives, and says why it gives no more.
func (s *stream) follow(ctx context.Context) error {
	s.heard = false
	connection, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	quiet := time.AfterFunc(s.client.patience.silent, func() { cancel(errSilent) })
	defer quiet.Stop()
	err := s.read(connection, func() { quiet.Reset(s.client.patience.silent) })
	if ctx.Err() == nil && errors.Is(context.Cause(connection), errSilent) {
		return s.asleep(ctx)
	}
	return err
}

// errSilent is a connection on which nothing came for long.
var errSilent = errors.New("nothing came for long")

// asleep tells a build that has nothing to say from a connection that is dead:
// both are silent. It asks for the build, and returns an error after which the
// stream is asked for anew.
func (s *stream) asleep(ctx context.Context) error {
	b, err := s.client.Build(ctx, s.build)
	if err != nil {
		return err
	}
	s.begun, s.heard = true, true
	if b.Status.Ended() && s.idle {
		return &StatusError{What: s.what(), Status: http.StatusOK, Problem: fmt.Sprintf("the build has %s, and its events do not end", b.Status)}
	}
	s.idle = b.Status.Ended()
	return unanswered(s.what(), context.DeadlineExceeded)
}

// read opens one connection and tells its events.
func (s *stream) read(ctx context.Context, alive func()) error {
	q := build(http.MethodGet, s.build, "events")
	q.stream = true
	q.header = http.Header{"Accept": {"text/event-stream"}}
	if s.last > FromStart {
		q.header.Set("Last-Event-ID", strconv.Itoa(s.last))
	}
	response, err := s.client.open(ctx, q)
	if err != nil {
		return err
	}
	// The server keeps the connection after the end: hanging up is for us.
	defer response.Body.Close()
	if err := s.accept(response); err != nil {
		return err
	}
	s.begun, s.heard = true, true
	body := &watched{body: response.Body, left: &s.left, alive: alive}
	for message, err := range sse.Read(body, &sse.ReadConfig{MaxEventSize: maxEvent}) {
		if err != nil {
			return s.broken(err)
		}
		if err := s.tell(message); err != nil {
			return err
		}
	}
	return broken(s.what(), io.ErrUnexpectedEOF)
}

// accept refuses an answer that is no stream of events of version 2.
func (s *stream) accept(response *http.Response) error {
	if response.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(response.Body, maxText))
		return s.client.refused(s.what(), response.StatusCode, body)
	}
	wrong := &StatusError{What: s.what(), Status: response.StatusCode}
	if kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type")); kind != "text/event-stream" {
		wrong.Problem = fmt.Sprintf("the answer is %.80q, want text/event-stream", kind)
		return wrong
	}
	if version := response.Header.Get("X-Atc-Stream-Version"); version != "" && !strings.HasPrefix(version, "2.") {
		wrong.Problem = fmt.Sprintf("the stream is of version %.20q, want 2.x", version)
		return wrong
	}
	return nil
}

// tell hands one message on, unless it was told before.
func (s *stream) tell(message sse.Event) error {
	if message.Type == "end" {
		return errEnd
	}
	if message.Type != "event" {
		return nil
	}
	wrong := &StatusError{What: s.what(), Status: http.StatusOK}
	id, err := strconv.Atoi(message.LastEventID)
	switch {
	case err != nil:
		wrong.Problem = fmt.Sprintf("an event has the id %.40q, want a number", message.LastEventID)
		return wrong
	case id <= s.last:
		return nil
	case id > s.last+1:
		wrong.Problem = fmt.Sprintf("event %d follows event %d", id, s.last)
		return wrong
	}
	e, err := s.client.event(id, message.Data)
	if err != nil {
		wrong.Problem = fmt.Sprintf("event %d is none of Concourse's: %v", id, err)
		wrong.Extract = s.client.extract([]byte(message.Data))
		return wrong
	}
	if s.stopped = s.each(e); s.stopped != nil {
		return s.stopped
	}
	s.last, s.idle = id, false
	return nil
}

// broken names what ended a connection in the middle.
func (s *stream) broken(err error) error {
	switch {
	case errors.Is(err, bufio.ErrTooLong):
		return &StatusError{What: s.what(), Status: http.StatusOK, Problem: fmt.Sprintf("an event is longer than %d bytes", maxEvent)}
	case errors.Is(err, errTooMuch):
		return &StatusError{What: s.what(), Status: http.StatusOK, Problem: fmt.Sprintf("the events are longer than %d bytes", maxStream)}
	}
	return broken(s.what(), err)
}

// watched is a body that says when bytes come, and ends after so many.
type watched struct {
	body  io.Reader
	left  *int64
	alive func()
}

// errTooMuch is a stream past its limit.
var errTooMuch = errors.New("too many bytes")

func (w *watched) Read(p []byte) (int, error) {
	if *w.left <= 0 {
		return 0, errTooMuch
	}
	n, err := w.body.Read(p[:min(int64(len(p)), *w.left)])
	*w.left -= int64(n)
	if n > 0 {
		w.alive()
	}
	return n, err
}
