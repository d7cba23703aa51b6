package api

import (
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"time"

	"github.com/gin-gonic/gin"
)

// What middlewares leave for handlers and for the log, under gin's keys.
const (
	requestIDKey = "request_id"
	roleKey      = "role"
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

// observe logs one line per request. It names the route, not the path or the
// query: keys belong to users, and nonces to the judge.
func observe(log *slog.Logger) gin.HandlerFunc {
	return func(c *gin.Context) {
		began := time.Now()
		// Deferred: also an answer that is cut short leaves its line.
		defer func() {
			log.Info("request",
				"method", c.Request.Method,
				"route", c.FullPath(),
				"status", c.Writer.Status(),
				"bytes", max(c.Writer.Size(), 0),
				"duration_ms", float64(time.Since(began).Microseconds())/1000,
				"request_id", requestID(c),
				"role", c.GetString(roleKey),
			)
		}()
		c.Next()
	}
}
