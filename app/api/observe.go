package api

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"

	"github.com/gin-gonic/gin"

	"bogops/app/telemetry"
)

// What middlewares leave for handlers and for the log, under gin's keys.
const (
	requestIDKey = "request_id"
	roleKey      = "role"
	problemKey   = "problem"
)

// identify gives the request an id of its own. An id that a client sends is
// not taken over: two requests could claim the same.
func identify(c *gin.Context) {
	var id [12]byte
	_, _ = rand.Read(id[:]) // never fails, by its documentation
	text := hex.EncodeToString(id[:])
	c.Set(requestIDKey, text)
	c.Header("Request-Id", text)
}

func requestID(c *gin.Context) string { return c.GetString(requestIDKey) }

// observe measures each request and logs one line of it. Both name the route,
// not the path or the query: keys belong to users, and nonces to the judge.
func observe(access *slog.Logger, t *telemetry.Telemetry) gin.HandlerFunc {
	return func(c *gin.Context) {
		request, begun := t.Begin(c.Request, c.FullPath())
		c.Request = request
		cut := true // until the handlers have returned: a panic passes through here
		// Deferred: also an answer that is cut short leaves its line.
		defer func() {
			out := telemetry.Outcome{
				Status: c.Writer.Status(), Sent: int64(max(c.Writer.Size(), 0)), Cut: cut,
				Problem: c.GetString(problemKey), Role: c.GetString(roleKey), ID: requestID(c),
			}
			took := begun.End(out)
			access.LogAttrs(context.Background(), slog.LevelInfo, "request",
				slog.String("method", begun.Method()),
				slog.String("route", c.FullPath()),
				slog.Int("status", out.Status),
				slog.Int64("bytes", out.Sent),
				slog.Float64("duration_ms", float64(took.Microseconds())/1000),
				slog.String("request_id", out.ID),
				slog.String("role", out.Role),
				slog.Bool("cut", cut),
			)
		}()
		c.Next()
		cut = false
	}
}
