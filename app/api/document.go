package api

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"bogops/app/api/document"
)

// openapi describes this API, and the tests hold every answer against it.
//
//go:embed openapi.yaml
var openapi []byte

// routeDocument serves the API's description in its three forms. What is
// embedded is read at start, where a mistake in it ends every test.
func routeDocument(e *gin.Engine, errs failer) {
	doc, err := document.New(openapi)
	if err != nil {
		panic("the embedded openapi.yaml: " + err.Error())
	}
	both(e, "/openapi.yaml", errs.handle(form(doc.YAML, "application/yaml", "")))
	both(e, "/openapi.json", errs.handle(form(doc.JSON, "application/json", "")))
	both(e, "/docs", errs.handle(form(doc.Page, "text/html; charset=utf-8", doc.Policy)))
}

// form answers with a text that changes only with the program. Caches may keep
// it and ask each time whether it is still true: 304 costs no bytes.
func form(text []byte, mediaType, policy string) func(*gin.Context) error {
	digest := sha256.Sum256(text)
	etag := `"` + hex.EncodeToString(digest[:16]) + `"`
	return func(c *gin.Context) error {
		header := c.Writer.Header()
		header.Set("ETag", etag)
		header.Set("Cache-Control", "no-cache")
		if policy != "" {
			// On a 304 too: a cache takes over the headers that come with it.
			header.Set("Content-Security-Policy", policy)
		}
		if tags, _ := parseTags(strings.Join(c.Request.Header.Values("If-None-Match"), ",")); matches(tags, etag, true) {
			c.Status(http.StatusNotModified)
			c.Writer.WriteHeaderNow()
			return nil
		}
		header.Set("Content-Length", strconv.Itoa(len(text)))
		c.Data(http.StatusOK, mediaType, text)
		return nil
	}
}
