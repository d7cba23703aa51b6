package api

import (
	"strconv"
	"time"

	"github.com/gin-gonic/gin"
)

// secure sets the headers that keep a browser from making more of an answer
// than bytes. The objects are strangers', served from the platform's own
// origin: no type is guessed, nothing in one runs, loads or is framed, no
// other site embeds it, and no address is told on. A page of ours sets a
// policy of its own.
//
// With hsts over zero, they tell browsers to keep to TLS for that long. Over
// plain HTTP that must not be said (RFC 6797, section 7.2): the caller knows
// what it serves on, the request may not, with TLS below net/http's sight.
func secure(hsts time.Duration) gin.HandlerFunc {
	always := [...]struct {
		name   string
		values []string
	}{
		{"Content-Security-Policy", []string{"default-src 'none'; frame-ancestors 'none'; sandbox"}},
		{"Cross-Origin-Resource-Policy", []string{"same-origin"}},
		{"Referrer-Policy", []string{"no-referrer"}},
		{"X-Content-Type-Options", []string{"nosniff"}},
	}
	strict := []string{"max-age=" + strconv.FormatInt(int64(hsts/time.Second), 10)}
	return func(c *gin.Context) {
		header := c.Writer.Header()
		for _, h := range always {
			header[h.name] = h.values // shared: Header.Set replaces it, and Add would copy it
		}
		if hsts > 0 {
			header["Strict-Transport-Security"] = strict
		}
	}
}
