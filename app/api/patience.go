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

// patientBody is a request's body that fails when no byte comes for a while.
type patientBody struct {
	io.ReadCloser
	control *http.ResponseController
	wait    time.Duration
	failure error // why the body ended early; the store only learns that it did
}

func newPatientBody(c *gin.Context, wait time.Duration) *patientBody {
	return &patientBody{ReadCloser: c.Request.Body, control: http.NewResponseController(c.Writer), wait: wait}
}

func (b *patientBody) Read(p []byte) (int, error) {
	_ = b.control.SetReadDeadline(time.Now().Add(b.wait))
	n, err := b.ReadCloser.Read(p)
	switch {
	case err == nil:
	case err == io.EOF:
		// The connection is now watched for the client leaving: that watch
		// must not take a slow store for a client that left.
		_ = b.control.SetReadDeadline(time.Time{})
	case errors.Is(err, os.ErrDeadlineExceeded):
		b.failure = refuse(errSlowBody, "No byte of the body came for %s; nothing was stored.", b.wait)
	default:
		b.failure = fmt.Errorf("%w: %w", store.ErrTruncated, err)
	}
	return n, err
}

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
