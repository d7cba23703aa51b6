package api

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"
)

// Tokens are the bearer tokens by role; an empty one is never accepted. The
// judge may do everything, the writer everything with objects, the reader only
// read.
type Tokens struct{ Judge, Writer, Reader string }

// grant is a role and the methods it may use under /v1; nil: all of them.
type grant struct {
	role    string
	digest  [sha256.Size]byte
	methods []string
}

func (t Tokens) grants() []grant {
	var all []grant
	add := func(role, token string, methods ...string) {
		if token != "" {
			all = append(all, grant{role, sha256.Sum256([]byte(token)), methods})
		}
	}
	add("judge", t.Judge)
	add("writer", t.Writer, http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete)
	add("reader", t.Reader, http.MethodGet, http.MethodHead)
	return all
}

func (g grant) allows(method string) bool {
	if g.methods == nil {
		return true
	}
	for _, m := range g.methods {
		if m == method {
			return true
		}
	}
	return false
}

// authenticate stands before every route under /v1, known or not: who has no
// token learns nothing about what exists.
func authenticate(tokens Tokens, errs failer) gin.HandlerFunc {
	grants := tokens.grants()
	return func(c *gin.Context) {
		if !underV1(c.Request) {
			return
		}
		g, ok := find(grants, bearer(c.Request))
		if !ok {
			errs.fail(c, errUnauthorized)
			return
		}
		c.Set(roleKey, g.role)
		if !g.allows(c.Request.Method) {
			errs.fail(c, refuse(errForbidden, "The %s's token may not %s.", g.role, c.Request.Method))
		}
	}
}

// find compares digests, so that neither the length nor the bytes of a token
// show in the time it takes; every token is compared, whichever matches.
func find(grants []grant, token string) (grant, bool) {
	digest := sha256.Sum256([]byte(token))
	var found grant
	ok := false
	for _, g := range grants {
		if subtle.ConstantTimeCompare(digest[:], g.digest[:]) == 1 && !ok {
			found, ok = g, true
		}
	}
	return found, ok
}

// bearer returns the token of RFC 6750, section 2.1; empty where there is no
// single one.
func bearer(r *http.Request) string {
	values := r.Header.Values("Authorization")
	if len(values) != 1 {
		return ""
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimLeft(token, " ")
}

// underV1 looks at the decoded path: /%761/x must not slip past the token to
// find out that it is no route.
func underV1(r *http.Request) bool {
	return r.URL.Path == "/v1" || strings.HasPrefix(r.URL.Path, "/v1/")
}
