package api

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"bogops/app/store"
)

// loggable is the text of an error without the request's key. Our own stores
// name keys by their fingerprint; what they wrap (a file system, an SDK, a
// panic) may quote the key, plain or escaped.
func loggable(c *gin.Context, err error) string {
	text := err.Error()
	key, bad := url.PathUnescape(strings.TrimPrefix(c.Param("key"), "/"))
	if bad != nil || key == "" {
		return text
	}
	quoted := strconv.Quote(key)
	text = strings.ReplaceAll(text, quoted, store.Fingerprint(key))
	// A key of one or two letters is in every text, and tells nothing there.
	if len(key) < 3 {
		return text
	}
	for _, form := range []string{
		key, quoted[1 : len(quoted)-1], url.PathEscape(key), url.QueryEscape(key), (&url.URL{Path: key}).EscapedPath(), fileName(key),
	} {
		text = strings.ReplaceAll(text, form, store.Fingerprint(key))
	}
	return text
}

// fileName is key with all but a-z 0-9 - _ . escaped: how a store of files
// may name it.
func fileName(key string) string {
	const digits = "0123456789abcdef"
	var out strings.Builder
	for i := range len(key) {
		c := key[i]
		if 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || strings.IndexByte("-_.", c) >= 0 && (c != '.' || i > 0) {
			out.WriteByte(c)
			continue
		}
		out.Write([]byte{'%', digits[c>>4], digits[c&15]})
	}
	return out.String()
}
