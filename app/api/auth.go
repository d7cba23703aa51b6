package api

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/gin-gonic/gin"
)

// MaxToken is how many bytes a token may have. A longer one is never valid, so a
// stranger cannot have the server hash what fits into a header.
const MaxToken = 512

// Roles are the bearer tokens by role. A role may have several, all valid at
// once, which is what a rotation needs; an empty one is never accepted. The
// judge may do everything, the writer everything with objects, the reader only
// read. Where objects lie is for the judge alone: it names what is inside.
type Roles struct{ Judge, Writer, Reader []string }

// Tokens are the tokens that are valid now. They may be replaced while requests
// are served: one that was let in before goes on to its end. Only digests are
// kept, so a dump of the memory does not show the tokens.
type Tokens struct {
	grants atomic.Pointer[[]grant]
}

// NewTokens returns the tokens of r.
func NewTokens(r Roles) *Tokens {
	t := &Tokens{}
	t.Replace(r)
	return t
}

// Replace makes the tokens of r the valid ones, and no others.
func (t *Tokens) Replace(r Roles) {
	var all []grant
	add := func(role string, tokens []string, methods ...string) {
		for _, token := range tokens {
			if token != "" {
				all = append(all, grant{role, sha256.Sum256([]byte(token)), methods})
			}
		}
	}
	add("judge", r.Judge)
	add("writer", r.Writer, http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete)
	add("reader", r.Reader, http.MethodGet, http.MethodHead)
	t.grants.Store(&all)
}

// grant is a role and the methods it may use under /v1; nil: all of them.
type grant struct {
	role    string
	digest  [sha256.Size]byte
	methods []string
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
func authenticate(tokens *Tokens, errs failer) gin.HandlerFunc {
	return func(c *gin.Context) {
		if !underV1(c.Request) {
			return
		}
		g := tokens.find(bearer(c.Request))
		if g == nil {
			errs.fail(c, errUnauthorized)
			return
		}
		c.Set(roleKey, g.role)
		switch {
		case !g.allows(c.Request.Method):
			errs.fail(c, refuse(errForbidden, "The %s's token may not %s.", g.role, c.Request.Method))
		case g.methods != nil && strings.HasPrefix(c.Request.URL.Path, "/v1/evidence/"):
			errs.fail(c, refuse(errForbidden, "The %s's token may not ask where objects lie; the judge's may.", g.role))
		}
	}
}

// find returns what token grants; nil: nothing. It compares digests, so that
// neither the length nor the bytes of a token show in the time it takes; every
// token is compared, whichever matches. It allocates nothing: each request
// passes here.
func (t *Tokens) find(token string) *grant {
	if len(token) > MaxToken {
		return nil
	}
	var room [MaxToken]byte
	digest := sha256.Sum256(room[:copy(room[:], token)])
	grants := *t.grants.Load()
	var found *grant
	for i := range grants {
		if subtle.ConstantTimeCompare(digest[:], grants[i].digest[:]) == 1 && found == nil {
			found = &grants[i]
		}
	}
	return found
}

// bearer returns the token of RFC 6750, section 2.1; empty where there is no
// single one.
func bearer(r *http.Request) string {
	values := r.Header["Authorization"]
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
