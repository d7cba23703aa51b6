package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/gin-gonic/gin"

	"bogops/app/admit"
	"bogops/app/process"
	"bogops/app/store"
)

// What the API itself refuses. The store and the steps have their own errors.
var (
	errUnauthorized = errors.New("no or unknown bearer token")
	errForbidden    = errors.New("token not allowed to do this")
	errNoRoute      = errors.New("no such route")
	errMethod       = errors.New("method not allowed here")
	errBadRequest   = errors.New("bad request")
	errSlowBody     = errors.New("body stopped coming")
	errTooLarge     = errors.New("body over the limit")
	errNotReady     = errors.New("not ready")
	errRange        = errors.New("range not satisfiable")
	errGone         = errors.New("the client takes no more of the answer")
)

// outcome is what a client is told of an error: status, the slug of the
// problem's type, and a sentence where the error brings none for strangers.
type outcome struct {
	err    error
	status int
	slug   string
	detail string
}

// outcomes is the one table from errors to statuses; the first match counts.
// What is in doubt comes first: an error that wraps both that and a plain answer
// knows no plain answer. What is not in the table is our own failure: 500,
// logged, its text hidden.
var outcomes = [...]outcome{
	{store.ErrUnknown, http.StatusServiceUnavailable, "outcome-unknown", "The write may or may not have taken effect; send it again."},
	{store.ErrUnavailable, http.StatusServiceUnavailable, "store-unavailable", "The store cannot be reached; try again."},
	{errUnauthorized, http.StatusUnauthorized, "unauthorized", "Send Authorization: Bearer with a token of this platform."},
	{errForbidden, http.StatusForbidden, "forbidden", "This token may not do this."},
	{errNoRoute, http.StatusNotFound, "no-route", "Nothing is served at this path."},
	{errMethod, http.StatusMethodNotAllowed, "method-not-allowed", "This path does not take this method; Allow lists those it takes."},
	{errBadRequest, http.StatusBadRequest, "bad-request", "The request is malformed."},
	{store.ErrBadKey, http.StatusBadRequest, "bad-key", "This is no key that the platform can keep."},
	{process.ErrChain, http.StatusBadRequest, "bad-chain", "The process chain is malformed."},
	{errSlowBody, http.StatusRequestTimeout, "slow-body", "The body stopped coming; nothing was stored."},
	{store.ErrTruncated, http.StatusBadRequest, "truncated", "The body ended before its announced size; nothing was stored."},
	{store.ErrDigest, http.StatusBadRequest, "digest-mismatch", "The body does not match its digest; nothing was stored."},
	{errTooLarge, http.StatusRequestEntityTooLarge, "too-large", "The body is larger than this platform takes."},
	{store.ErrTooLarge, http.StatusRequestEntityTooLarge, "too-large", "The body is larger than this platform takes; nothing was stored."},
	{store.ErrCondition, http.StatusPreconditionFailed, "condition-failed", "The object is not as If-Match or If-None-Match want it."},
	{store.ErrNotFound, http.StatusNotFound, "not-found", "No object has this key."},
	{process.ErrTooLarge, http.StatusUnprocessableEntity, "too-large-to-process", "A step's input is over the processing limit."},
	{process.ErrImage, http.StatusUnprocessableEntity, "no-image", "The object is no PNG or JPEG that can be drawn."},
	{errRange, http.StatusRequestedRangeNotSatisfiable, "range-not-satisfiable", "No range that was asked for lies in the object."},
	{errNotReady, http.StatusServiceUnavailable, "not-ready", "The server cannot serve now."},
	{admit.ErrBusy, http.StatusServiceUnavailable, "busy", "The server has too much to do at once; try again."},
	{store.ErrFull, http.StatusInsufficientStorage, "store-full", "The store is full; nothing was stored."},
	{context.Canceled, http.StatusServiceUnavailable, "abandoned", "The request was abandoned before it was answered."},
	{context.DeadlineExceeded, http.StatusServiceUnavailable, "too-slow", "The store did not answer in time; try again."},
}

var internal = outcome{nil, http.StatusInternalServerError, "internal", "The server failed; its log says more under this request id."}

func outcomeOf(err error) outcome {
	for _, o := range outcomes {
		if errors.Is(err, o.err) {
			return o
		}
	}
	return internal
}

// absent reports whether err says for certain that there is no such object.
func absent(err error) bool { return outcomeOf(err).err == store.ErrNotFound }

// refusal is an error of the table with a sentence for the client that says
// what was sent and what is wanted.
type refusal struct {
	kind   error
	detail string
}

func (r refusal) Error() string { return r.detail }
func (r refusal) Unwrap() error { return r.kind }

func refuse(kind error, format string, args ...any) error {
	return refusal{kind, fmt.Sprintf(format, args...)}
}

// problem is the body of every error (RFC 9457).
type problem struct {
	Type     string `json:"type"`
	Title    string `json:"title"`
	Status   int    `json:"status"`
	Detail   string `json:"detail"`
	Instance string `json:"instance"`
}

// failer is the one place where errors become answers.
type failer struct {
	log      *slog.Logger
	patience time.Duration
}

// handle makes a gin handler of one that returns an error.
func (f failer) handle(h func(*gin.Context) error) gin.HandlerFunc {
	return func(c *gin.Context) {
		if err := h(c); err != nil {
			f.fail(c, err)
		}
	}
}

// fail answers with a problem. Where the answer has begun, nothing true can be
// said any more: the connection is cut, so that the client sees a broken
// answer and not a short one.
func (f failer) fail(c *gin.Context, err error) {
	o := outcomeOf(err)
	switch {
	case errors.Is(err, admit.ErrBusy):
		// Counted, and told in the line of every request: under load there
		// are too many for a second line.
	case errors.Is(err, context.Canceled), errors.Is(err, errGone):
		// Nobody failed, and nobody listens.
		f.log.Info("client left", "request_id", requestID(c), "error", loggable(c, err))
	case o.status >= http.StatusInternalServerError, c.Writer.Written():
		f.log.Error("request failed", "request_id", requestID(c), "status", o.status, "error", loggable(c, err))
	}
	c.Set(problemKey, o.slug)
	c.Abort()
	if c.Writer.Written() {
		panic(http.ErrAbortHandler)
	}
	header := c.Writer.Header()
	if o.status != http.StatusMethodNotAllowed {
		header.Del("Allow") // gin has set it before the token was looked at
	}
	for _, name := range []string{"Content-Length", "ETag", "Last-Modified"} {
		header.Del(name)
	}
	switch o.status {
	case http.StatusUnauthorized:
		header.Set("WWW-Authenticate", "Bearer")
	case http.StatusServiceUnavailable, http.StatusInsufficientStorage:
		header.Set("Retry-After", retryAfter(err))
	}
	// A body that was refused unread is read off for a while, so that the
	// client gets to see why; but not for as long as it pleases. Who waits to
	// be asked for it has sent nothing, and its answer goes first.
	wait := f.patience
	if c.Request.Header.Get("Expect") != "" {
		wait = min(wait, time.Second)
	}
	if !gone(c) {
		_ = http.NewResponseController(c.Writer).SetReadDeadline(time.Now().Add(wait))
	}
	detail := o.detail
	var r refusal
	if errors.As(err, &r) {
		detail = r.detail
	}
	header.Set("Content-Type", "application/problem+json")
	header.Set("Cache-Control", "no-store")
	c.PureJSON(o.status, problem{
		Type:     "urn:problem-type:bogops:" + o.slug,
		Title:    http.StatusText(o.status),
		Status:   o.status,
		Detail:   detail,
		Instance: requestID(c),
	})
}

// recover answers a panic as any failure of ours. http.ErrAbortHandler is no
// failure but a decision to cut the connection, and net/http must see it.
func (f failer) recover(c *gin.Context) {
	defer func() {
		switch v := recover(); v {
		case nil:
		case http.ErrAbortHandler:
			panic(v)
		default:
			f.fail(c, fmt.Errorf("panic: %v\n%s", v, debug.Stack()))
		}
	}()
	c.Next()
}
