package api

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"bogops/app/store"
)

// get answers with the object, a part of it, or what a process chain makes of
// it. Conditions and ranges do not apply to the latter.
func (o *objects) get(c *gin.Context) error {
	key, err := requestKey(c)
	if err != nil {
		return err
	}
	raw, asked, err := processQuery(c.Request.URL.RawQuery)
	if err != nil {
		return err
	}
	if asked {
		return o.process(c, key, raw)
	}
	w, err := parseReading(c.Request.Header)
	if err != nil {
		return err
	}
	found, err := o.open(c.Request.Context(), key, w)
	if err != nil {
		return tellSize(c, err)
	}
	if found.unchanged {
		return answerUnchanged(c, found.info)
	}
	defer found.close()
	if len(found.bodies) > 1 {
		all := newMultipart(found)
		return o.stream(c, http.StatusPartialContent, all.writeTo, func(header http.Header) {
			found.describe(header, w.digest)
			header.Set("Content-Length", strconv.FormatInt(all.length, 10))
			header.Set("Content-Type", all.mediaType())
		})
	}
	return o.stream(c, found.status(), copied(found.bodies[0]), func(header http.Header) { found.describe(header, w.digest) })
}

// head answers as get would, without the bytes. Range is for GET only (RFC
// 9110, section 14.2).
func (o *objects) head(c *gin.Context) error {
	key, err := requestKey(c)
	if err != nil {
		return err
	}
	if err := refuseProcess(c.Request.URL.RawQuery, ": HEAD cannot tell the size without doing the work"); err != nil {
		return err
	}
	w, err := parseReading(c.Request.Header)
	if err != nil {
		return err
	}
	found, err := o.look(c.Request.Context(), key, w)
	if err != nil {
		return err
	}
	if found.unchanged {
		return answerUnchanged(c, found.info)
	}
	found.describe(c.Writer.Header(), w.digest)
	return answerEmpty(c, http.StatusOK)
}

// tellSize puts the size that a 416 has to tell into its header.
func tellSize(c *gin.Context, err error) error {
	var u unsatisfiable
	if errors.As(err, &u) {
		c.Header("Content-Range", "bytes */"+strconv.FormatInt(u.size, 10))
	}
	return err
}

func (f opened) status() int {
	if f.parts == nil {
		return http.StatusOK
	}
	return http.StatusPartialContent
}

// describe sets the headers of an answer that holds the object or one part.
func (f opened) describe(header http.Header, digest bool) {
	length := f.info.Size
	if len(f.parts) == 1 {
		length = f.parts[0].Length
		header.Set("Content-Range", contentRange(f.parts[0], f.info.Size))
	}
	header.Set("Content-Length", strconv.FormatInt(length, 10))
	header.Set("Content-Type", f.info.ContentType)
	header.Set("Accept-Ranges", "bytes")
	setValidators(header, f.info)
	setMeta(header, f.info.Meta)
	if digest && f.info.SHA256 != nil {
		setDigest(header, f.info.SHA256)
	}
}

// setValidators sets what a cache compares. It may keep an object, but has to
// ask before it uses it again: what was acknowledged is seen by the next read.
func setValidators(header http.Header, info store.Info) {
	header.Set("ETag", info.ETag)
	header.Set("Last-Modified", info.Modified.UTC().Format(http.TimeFormat))
	header.Set("Cache-Control", "no-cache")
}

func answerUnchanged(c *gin.Context, info store.Info) error {
	setValidators(c.Writer.Header(), info)
	return answerEmpty(c, http.StatusNotModified)
}

func answerEmpty(c *gin.Context, status int) error {
	c.Status(status)
	c.Writer.WriteHeaderNow()
	return nil
}
