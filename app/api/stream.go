package api

import (
	"io"
	"net/http"

	"github.com/gin-gonic/gin"
)

// stream answers with what send writes. The status and the headers that
// describe sets are committed by the first byte and not before, so that a store
// which fails at once is still told as a 503. describe may be nil.
func (o *objects) stream(c *gin.Context, status int, send func(io.Writer) (int64, error), describe func(http.Header)) error {
	a := &answer{patientWriter: newPatientWriter(c, o.limits.Patience), c: c, status: status, describe: describe}
	if _, err := send(a); err != nil {
		return err
	}
	a.begin() // where nothing was written
	return nil
}

// copied sends body, which writes itself where it can: a file's blocks then go
// to the connection from where they were checked.
func copied(body io.Reader) func(io.Writer) (int64, error) {
	return func(w io.Writer) (int64, error) { return io.Copy(w, body) }
}

// answer is a patientWriter that commits to its status with its first byte.
type answer struct {
	*patientWriter
	c        *gin.Context
	status   int
	describe func(http.Header)
	begun    bool
}

func (a *answer) begin() {
	if a.begun {
		return
	}
	a.begun = true
	if a.describe != nil {
		a.describe(a.c.Writer.Header())
	}
	a.c.Status(a.status)
	a.c.Writer.WriteHeaderNow()
}

// Write implements io.Writer.
func (a *answer) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	a.begin()
	return a.patientWriter.Write(p)
}
