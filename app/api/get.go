package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

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
	defer found.body.Close()
	return o.stream(c, found.status(), found.body, func(header http.Header) { found.describe(header) })
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
	info, err := o.store.Stat(c.Request.Context(), key)
	if err != nil {
		return w.missing(err)
	}
	unchanged, err := w.check(info)
	if err != nil {
		return err
	}
	if unchanged {
		return answerUnchanged(c, info)
	}
	whole := opened{info: info, part: store.Whole}
	whole.describe(c.Writer.Header())
	return answerEmpty(c, http.StatusOK)
}

// reading is what a GET or HEAD says of the object it wants.
type reading struct {
	preconditions
	spans   []span // nil: the whole object
	ifRange string // empty: no condition on spans
}

func parseReading(header http.Header) (reading, error) {
	p, err := parsePreconditions(header)
	return reading{
		preconditions: p,
		spans:         parseRange(header.Values("Range")),
		ifRange:       strings.Join(header.Values("If-Range"), ","),
	}, err
}

// opened is an object, as a request wants to have it.
type opened struct {
	info      store.Info
	unchanged bool // 304: there is no body
	part      store.Range
	body      io.ReadCloser
}

// unsatisfiable is a 416; it knows the size that the answer has to say.
type unsatisfiable struct {
	error
	size int64
}

func newUnsatisfiable(size int64) error {
	return unsatisfiable{refuse(errRange, "The object has %d bytes; no range that was asked for lies in it.", size), size}
}

func (u unsatisfiable) Unwrap() error { return u.error }

// tellSize puts the size that a 416 has to tell into its header.
func tellSize(c *gin.Context, err error) error {
	var u unsatisfiable
	if errors.As(err, &u) {
		c.Header("Content-Range", "bytes */"+strconv.FormatInt(u.size, 10))
	}
	return err
}

// choose decides what the answer holds of an object: nothing, where it is
// unchanged, or a part, which may be store.Whole.
func (w reading) choose(info store.Info) (part store.Range, unchanged bool, err error) {
	unchanged, err = w.check(info)
	if err != nil || unchanged {
		return store.Whole, unchanged, err
	}
	if w.spans == nil || w.ifRange != "" && w.ifRange != info.ETag || len(w.spans) > 1 {
		return store.Whole, false, nil
	}
	s := w.spans[0]
	if !s.satisfiable(info.Size) {
		return store.Whole, false, newUnsatisfiable(info.Size)
	}
	part = s.within(info.Size)
	if part.Length == 0 {
		return store.Whole, false, nil // no Content-Range can say it
	}
	return part, false, nil
}

// guess is the part to ask the store for before anything is known of the
// object; false where it is better to look first.
func (w reading) guess() (store.Range, bool) {
	switch {
	case w.noneMatch != nil || !w.changeSince.IsZero() || w.ifRange != "" || len(w.spans) > 1:
		return store.Whole, false
	case len(w.spans) == 1:
		return w.spans[0].asked()
	}
	return store.Whole, true
}

// patienceWithChange is how often an object may be replaced while a range of
// it is looked for.
const patienceWithChange = 4

// open finds an object and opens what is wanted of it. A store takes the range
// before it says which object it reads, and the object may be replaced in
// between: so what was opened is judged by the very object that it belongs
// to, and opened again where that one would have wanted another part. An
// answer never mixes two versions.
func (o *objects) open(ctx context.Context, key string, w reading) (opened, error) {
	var found opened
	var err error
	held, known := w.guess()
	if known {
		found.body, found.info, err = o.store.Get(ctx, key, held)
	} else {
		found.info, err = o.store.Stat(ctx, key)
	}
	for tries := 0; err == nil; tries++ {
		if tries == patienceWithChange {
			w.spans = nil // Range may always be ignored
		}
		found.part, found.unchanged, err = w.choose(found.info)
		if err == nil && found.body != nil && !found.unchanged && sameBytes(held, found.part, found.info.Size) {
			return found, nil
		}
		if found.body != nil {
			found.body.Close()
			found.body = nil
		}
		if err != nil || found.unchanged {
			return found, err
		}
		held = found.part
		found.body, found.info, err = o.store.Get(ctx, key, held)
	}
	return found, w.missing(err)
}

func sameBytes(a, b store.Range, size int64) bool {
	aFrom, aTo := a.Clip(size)
	bFrom, bTo := b.Clip(size)
	return aFrom == bFrom && aTo == bTo
}

func (f opened) status() int {
	if f.part == store.Whole {
		return http.StatusOK
	}
	return http.StatusPartialContent
}

// describe sets the headers of an answer that holds the object or a part.
func (f opened) describe(header http.Header) {
	length := f.info.Size
	if f.part != store.Whole {
		length = f.part.Length
		header.Set("Content-Range", contentRange(f.part, f.info.Size))
	}
	header.Set("Content-Length", strconv.FormatInt(length, 10))
	header.Set("Content-Type", f.info.ContentType)
	header.Set("Accept-Ranges", "bytes")
	setValidators(header, f.info)
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
