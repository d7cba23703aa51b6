package main

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"time"
)

// net/http answers some requests before any handler sees them: a target with
// a bad escape, headers that are too large, an unknown expectation. Its answer
// is one bare text without a request id, where the contract wants a problem. So
// a connection replaces that text on its way out. (Over HTTP/2 a malformed
// request is a reset stream, RFC 9113, section 8.1.1: there is nothing to
// replace.)

// refusals are the statuses of such answers, and what they mean.
var refusals = [...]struct {
	status int
	detail string
}{
	{http.StatusBadRequest, "The request line, the path or a header cannot be parsed."},
	{http.StatusExpectationFailed, "Expect holds something other than 100-continue."},
	{http.StatusRequestHeaderFieldsTooLarge, "The request line and the headers are larger than this platform takes."},
	{http.StatusNotImplemented, "Transfer-Encoding holds something other than chunked."},
	{http.StatusHTTPVersionNotSupported, "This version of HTTP is not spoken here; want 1.0, 1.1 or 2."},
}

// refusalIn returns the problem to send in place of p where p is such an answer,
// and nil where it is not. It is asked only while no handler has the word: an
// object may well begin with the same bytes.
func refusalIn(p []byte) []byte {
	for _, r := range refusals {
		for _, version := range []string{"HTTP/1.1", "HTTP/1.0"} {
			if bytes.HasPrefix(p, fmt.Appendf(nil, "%s %d ", version, r.status)) {
				return malformed(r.status, r.detail)
			}
		}
	}
	return nil
}

// malformed is the whole answer, in the form of every problem of the API.
func malformed(status int, detail string) []byte {
	var random [12]byte
	_, _ = rand.Read(random[:]) // never fails, by its documentation
	id := hex.EncodeToString(random[:])
	title := http.StatusText(status)
	body := fmt.Sprintf(`{"type":"urn:problem-type:bogops:malformed","title":"%s","status":%d,"detail":"%s","instance":"%s"}`+"\n",
		title, status, detail, id)
	return fmt.Appendf(nil, "HTTP/1.1 %d %s\r\nContent-Type: application/problem+json\r\nContent-Length: %d\r\n"+
		"Date: %s\r\nRequest-Id: %s\r\nConnection: close\r\n\r\n%s",
		status, title, len(body), time.Now().UTC().Format(http.TimeFormat), id, body)
}
