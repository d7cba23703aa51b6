package api

import (
	"io"
	"net/http"
	"sync"

	"github.com/gin-gonic/gin"
)

// buffers are lent to answers whose body cannot write itself.
type buffers struct{ pool sync.Pool }

func newBuffers() *buffers {
	return &buffers{sync.Pool{New: func() any { return new([pieceLen]byte) }}}
}

// stream sends body. The status and the headers that describe sets are
// committed by the first byte and not before, so that a store which fails at
// once is still told as a 503. describe may be nil.
func (o *objects) stream(c *gin.Context, status int, body io.Reader, describe func(http.Header)) error {
	a := &answer{patientWriter: newPatientWriter(c, o.limits.Patience), c: c, status: status, describe: describe}
	if err := o.copy(a, body); err != nil {
		return err
	}
	a.begin() // of an empty body
	return nil
}

// copy leaves it to body to write itself where it can: a file's blocks then go
// to the connection from where they were checked.
func (o *objects) copy(a *answer, body io.Reader) error {
	if direct, ok := body.(io.WriterTo); ok {
		_, err := direct.WriteTo(a)
		return err
	}
	buffer := o.buffers.pool.Get().(*[pieceLen]byte)
	defer o.buffers.pool.Put(buffer)
	_, err := io.CopyBuffer(a, body, buffer[:])
	return err
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
