package api

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"bogops/app/process"
	"bogops/app/store"
)

// processQuery returns the raw value of `process` and whether it was given. It
// does not use url.ParseQuery: that would make spaces of pluses and hide both
// a bad escape and a value given twice.
func processQuery(rawQuery string) (raw string, given bool, err error) {
	for pair := range strings.SplitSeq(rawQuery, "&") {
		name, value, _ := strings.Cut(pair, "=")
		name, err := url.PathUnescape(name)
		if err != nil {
			return "", false, refuse(errBadRequest, "The query has a %% that is not followed by two hex digits.")
		}
		if name != "process" {
			continue
		}
		if given {
			return "", false, refuse(errBadRequest, "process is given twice; want it once.")
		}
		raw, given = value, true
	}
	return raw, given, nil
}

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
	defer body.Close()
	size, err := chain.Plan(info.Size, o.limits.Process)
	if err != nil {
		return refuse(err, "%s", sentence(err))
	}
	// One request is never refused for what it holds alone, however often
	// its chain reverses.
	held := min(chain.Holds(info.Size), o.limits.Held)
	if !o.held.TryAcquire(held) {
		return errBusy
	}
	defer o.held.Release(held)

	if size != process.Unknown {
		c.Header("Content-Length", strconv.FormatInt(size, 10))
	}
	c.Header("Content-Type", chain.MediaType())
	c.Header("Cache-Control", "no-store")
	c.Header("X-Content-Type-Options", "nosniff")
	return o.stream(c, chain.Apply(c.Request.Context(), body, info.Size))
}

// sentence dresses an error text of ours for a client.
func sentence(err error) string {
	text := err.Error()
	return strings.ToUpper(text[:1]) + text[1:] + "."
}
