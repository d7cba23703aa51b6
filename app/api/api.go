// Package api serves a store.Store over HTTP as CHALLENGE.md describes it. It
// is the only package that knows gin: below it there is context.Context.
package api

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"bogops/app/admit"
	"bogops/app/store"
	"bogops/app/telemetry"
)

// Config is what the API is made of. Store, Tokens, Describe and Logger are
// required.
type Config struct {
	Store    store.Store
	Tokens   *Tokens            // may be replaced while it serves
	Describe func() Description // called for each request, concurrently
	Limits   Limits
	Gate     *admit.Gate // nil: one with the defaults
	Logger   *slog.Logger

	// Locate says where the bytes of an object lie, as store.Locator does; nil:
	// that is not served. It is no part of Store, as what is put around a store
	// to measure or to watch it passes no optional method on.
	Locate func(ctx context.Context, key string) (store.Location, error)

	// Ready says why the server cannot serve now, in one sentence that may be
	// shown to anyone; nil: it can. A nil Ready is always ready.
	Ready func(context.Context) error

	// Telemetry measures every request; nil: none is measured. Access takes
	// the line that each request leaves; nil: Logger does.
	Telemetry *telemetry.Telemetry
	Access    *slog.Logger

	// HSTS is how long browsers are told to use TLS only; 0: they are not told.
	// For a handler that is served over TLS alone.
	HSTS time.Duration

	// Handicap delays each object request: for rehearsals and exercises.
	Handicap time.Duration
}

// Limits bound what requests may cost. Zero takes the default.
type Limits struct {
	Object  int64 // bytes of the body of a PUT; default 1 GiB
	Process int64 // bytes that any step of a chain reads; default 64 MiB

	// Patience is how long a connection may stand still inside a request;
	// default 30 s. A limit on the whole request would cut honest uploads
	// over slow lines; none at all would let silent clients hold memory and
	// drafts for ever.
	Patience time.Duration
}

func (l Limits) withDefaults() Limits {
	if l.Object == 0 {
		l.Object = 1 << 30
	}
	if l.Process == 0 {
		l.Process = 64 << 20
	}
	if l.Patience == 0 {
		l.Patience = 30 * time.Second
	}
	return l
}

// New returns the whole API. The handler may be called concurrently.
//
// It sets gin's mode, a global of that library, to "release": in any other
// mode gin prints to standard output, into the logs.
func New(cfg Config) http.Handler {
	gin.SetMode(gin.ReleaseMode)
	e := gin.New()
	e.HandleMethodNotAllowed = true
	e.RedirectTrailingSlash = false
	// Routes match the path as it was sent, and keyOf decodes the key: gin's
	// own decoding would make a space of a plus.
	e.UseEscapedPath = true
	e.UnescapePathValues = false

	cfg.Limits = cfg.Limits.withDefaults()
	if cfg.Telemetry == nil {
		cfg.Telemetry = telemetry.New(telemetry.Build{}) // nobody reads it
	}
	errs := failer{cfg.Logger, cfg.Limits.Patience}
	e.Use(identify, secure(cfg.HSTS), observe(cmp.Or(cfg.Access, cfg.Logger), cfg.Telemetry), errs.recover, describeHeaders(cfg.Describe), patientAnswers(cfg.Limits.Patience), awaitUnread(cfg.Limits.Patience), authenticate(cfg.Tokens, errs))
	e.NoRoute(errs.handle(func(*gin.Context) error { return errNoRoute }))
	e.NoMethod(errs.handle(func(*gin.Context) error { return errMethod }))

	self := self{describe: cfg.Describe, ready: cfg.Ready}
	both(e, "/.well-known/bogops.json", errs.handle(self.description))
	both(e, "/healthz", errs.handle(self.alive))
	both(e, "/readyz", errs.handle(self.readiness))
	routeDocument(e, errs)

	if cfg.Gate == nil {
		cfg.Gate = admit.New(admit.Config{})
	}
	objects := newObjects(cfg)
	v1 := e.Group("/v1/objects", admitted(cfg.Gate, errs), handicap(cfg.Handicap))
	both(v1, "", errs.handle(objects.list))
	v1.PUT("/*key", errs.handle(objects.put))
	v1.GET("/*key", errs.handle(objects.get))
	v1.HEAD("/*key", errs.handle(objects.head))
	v1.DELETE("/*key", errs.handle(objects.delete))
	if cfg.Locate != nil {
		evidence := evidence{cfg.Locate, cfg.Gate}
		e.GET("/v1/evidence/*key", admitted(cfg.Gate, errs), handicap(cfg.Handicap), errs.handle(evidence.get))
	}
	return e
}

// both routes GET and HEAD alike; net/http leaves the body out for HEAD.
func both(e gin.IRoutes, path string, h gin.HandlerFunc) {
	e.GET(path, h)
	e.HEAD(path, h)
}

// handicap waits before the request is looked at, or until its client is gone.
func handicap(wait time.Duration) gin.HandlerFunc {
	return func(c *gin.Context) {
		if wait <= 0 {
			return
		}
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-c.Request.Context().Done():
		}
	}
}
