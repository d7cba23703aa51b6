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

// patientWriter is an answer that fails when its client takes nothing for a while.
type patientWriter struct {
	io.Writer
	control *http.ResponseController
	wait    time.Duration
}

func newPatientWriter(c *gin.Context, wait time.Duration) *patientWriter {
	return &patientWriter{c.Writer, http.NewResponseController(c.Writer), wait}
}

func (w *patientWriter) Write(p []byte) (int, error) {
	_ = w.control.SetWriteDeadline(time.Now().Add(w.wait))
	n, err := w.Writer.Write(p)
	if err != nil {
		err = fmt.Errorf("%w: %w", errGone, err)
	}
	return n, err
}
