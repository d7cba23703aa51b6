package api

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"bogops/app/process"
	"bogops/app/store"
)

// process answers with what the chain makes of the object. The answer belongs
// to this request alone: no ETag, nothing to keep, and conditions and Range do
// not apply to it.
func (o *objects) process(c *gin.Context, key, raw string) error {
	chain, err := process.Parse(raw)
	if err != nil {
		return refuse(err, "%s", sentence(err))
	}
	body, info, err := o.store.Get(c.Request.Context(), key, store.Whole)
	if err != nil {
		return err
	}
	defer func() { body.Close() }()
	size, err := chain.Plan(info.Size, o.limits.Process)
	if err != nil {
		return refuse(err, "%s", sentence(err))
	}
	chain, in, err := chain.Look(body)
	if errors.Is(err, process.ErrImage) {
		return refuse(err, "%s", sentence(err))
	}
	if err != nil {
		return err
	}
	answer, err := o.compute(c.Request.Context(), chain, looked{in, body}, info.Size)
	if err != nil {
		return err
	}
	done := o.telemetry.Processing(c.Request.Context(), chain.Names())
	body = answer // which closes what it reads
	err = o.stream(c, http.StatusOK, copied(answer), func(header http.Header) {
		if size != process.Unknown {
			header.Set("Content-Length", strconv.FormatInt(size, 10))
		}
		header.Set("Content-Type", chain.MediaType())
		header.Set("Cache-Control", "no-store")
	})
	done(err == nil)
	return err
}

// looked is a body of which the first bytes were read and put back.
type looked struct {
	io.Reader
	io.Closer
}

// sentence dresses an error text of ours for a client.
func sentence(err error) string {
	text := err.Error()
	return strings.ToUpper(text[:1]) + text[1:] + "."
}
