package api

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/gin-gonic/gin"

	"bogops/app/store"
)

// awaitUnread bounds the wait for a body that no handler reads. Before net/http
// answers it reads such a body off, and without a deadline a client that
// announces one and stays silent, token or not, would hold its connection for
// ever. A PUT reads its body itself, by patientBody.
func awaitUnread(wait time.Duration) gin.HandlerFunc {
	return func(c *gin.Context) {
		if c.Request.Method != http.MethodPut && c.Request.ContentLength != 0 {
			_ = http.NewResponseController(c.Writer).SetReadDeadline(time.Now().Add(wait))
		}
	}
}

// gone says that nobody awaits the answer any more. No deadline is set then: on
// a stream of HTTP/2 that was reset, its timer would keep the stream in memory
// until it fires, and streams can be opened and reset by the thousand.
func gone(c *gin.Context) bool { return c.Request.Context().Err() != nil }

// slowest is how many bytes of a body a client must send in each second that it
// is waited for, on average, once the first wait is over. A byte before each
// deadline would otherwise hold a connection for years; the slowest mobile line
// that anyone calls one sends four times as much.
const slowest = 1 << 10

// patientBody is a request's body that fails when no byte comes for a while, or
// when too few come for long.
type patientBody struct {
	io.ReadCloser
	control *http.ResponseController
	wait    time.Duration
	rate    int64         // bytes per second
	got     int64         // bytes so far
	waited  time.Duration // for them, in Read: a slow store is not the client's fault
	failure error         // why the body ended early; the store only learns that it did
}

func newPatientBody(c *gin.Context, wait time.Duration) *patientBody {
	return &patientBody{ReadCloser: c.Request.Body, control: http.NewResponseController(c.Writer), wait: wait, rate: slowest}
}

// allowance is how long the client may be waited for in all, given what it sent.
func (b *patientBody) allowance() time.Duration {
	return b.wait + time.Duration(b.got/b.rate)*time.Second
}

func (b *patientBody) Read(p []byte) (int, error) {
	began := time.Now()
	_ = b.control.SetReadDeadline(began.Add(min(b.wait, b.allowance()-b.waited)))
	n, err := b.ReadCloser.Read(p)
	b.got += int64(n)
	b.waited += time.Since(began)
	switch {
	case err == nil:
	case err == io.EOF:
		// The connection is now watched for the client leaving: that watch
		// must not take a slow store for a client that left.
		_ = b.control.SetReadDeadline(time.Time{})
	case errors.Is(err, os.ErrDeadlineExceeded):
		b.failure = refuse(errSlowBody, "The body came too slowly: %d bytes in %s; want one byte in %s at least, and then %d a second. Nothing was stored.",
			b.got, b.waited.Round(time.Millisecond), b.wait, b.rate)
	default:
		b.failure = fmt.Errorf("%w: %w", store.ErrTruncated, err)
	}
	return n, err
}

// patientAnswers bounds every write of an answer, and the flush after the
// handler has returned: a client that sends requests and takes no answer would
// otherwise hold its connection, and its place, for ever.
func patientAnswers(wait time.Duration) gin.HandlerFunc {
	return func(c *gin.Context) {
		w := &patientResponse{c.Writer, http.NewResponseController(c.Writer), wait, c}
		c.Writer = w
		defer w.extend()
		c.Next()
	}
}

type patientResponse struct {
	gin.ResponseWriter
	control *http.ResponseController
	wait    time.Duration
	c       *gin.Context
}

// extend allows for net/http reading an unread body off before it writes.
func (w *patientResponse) extend() {
	if !gone(w.c) {
		_ = w.control.SetWriteDeadline(time.Now().Add(2 * w.wait))
	}
}

func (w *patientResponse) Write(p []byte) (int, error) {
	w.extend()
	return w.ResponseWriter.Write(p)
}

func (w *patientResponse) WriteString(s string) (int, error) {
	w.extend()
	return w.ResponseWriter.WriteString(s)
}

// Unwrap is what http.ResponseController looks for.
func (w *patientResponse) Unwrap() http.ResponseWriter { return w.ResponseWriter }

const pieceLen = 64 << 10 // bytes that a client must take within the wait

// patientWriter is an answer that fails when its client takes nothing for a while.
type patientWriter struct {
	io.Writer
	control *http.ResponseController
	wait    time.Duration
}

func newPatientWriter(c *gin.Context, wait time.Duration) *patientWriter {
	return &patientWriter{c.Writer, http.NewResponseController(c.Writer), wait}
}

// Write goes piece by piece: a store may give an object in one slice, and what
// is long may take a client longer than the wait though it never stands still.
func (w *patientWriter) Write(p []byte) (int, error) {
	written := 0
	for written < len(p) {
		piece := p[written:min(len(p), written+pieceLen)]
		_ = w.control.SetWriteDeadline(time.Now().Add(w.wait))
		n, err := w.Writer.Write(piece)
		written += n
		if err != nil {
			return written, fmt.Errorf("%w: %w", errGone, err)
		}
	}
	return written, nil
}
