package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestARequestHiddenInAnotherIsNeverAnswered sends requests whose end two
// parties could see in different places, with a second one behind: a proxy that
// took it for body must not find an answer to it.
func TestARequestHiddenInAnotherIsNeverAnswered(t *testing.T) {
	app, _ := startHere(t, "--store", "mem:")
	const hidden = "GET /hidden HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
	put := "PUT /v1/objects/a HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + judge + "\r\n"
	answers := func(request string) string {
		conn, err := net.Dial("tcp", strings.TrimPrefix(app.url, "http://"))
		require.NoError(t, err)
		defer conn.Close()
		_, err = io.WriteString(conn, request)
		require.NoError(t, err)
		require.NoError(t, conn.SetReadDeadline(time.Now().Add(30*time.Second)))
		text, err := io.ReadAll(conn)
		require.NoError(t, err, "the connection stays open: %q", request)
		return string(text)
	}
	for name, request := range map[string]string{
		"length and chunks":        put + fmt.Sprintf("Content-Length: %d\r\n", 5+len(hidden)) + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden,
		"chunks and length":        put + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n" + hidden,
		"two lengths":              put + "Content-Length: 0\r\nContent-Length: 5\r\n\r\n" + hidden,
		"a list of lengths":        put + "Content-Length: 0, 0\r\n\r\n" + hidden,
		"a length with a sign":     put + "Content-Length: +0\r\n\r\n" + hidden,
		"a length in hex":          put + "Content-Length: 0x0\r\n\r\n" + hidden,
		"two encodings":            put + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + hidden,
		"an encoding nobody knows": put + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + hidden,
		"a space before the colon": put + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + hidden,
		"a line feed in a chunk":   put + "Transfer-Encoding: chunked\r\n\r\n0;\nx\r\n\r\n" + hidden,
		"a chunk that is longer":   put + "Transfer-Encoding: chunked\r\n\r\n1\r\nZZ\r\n0\r\n\r\n" + hidden,
		"chunks of HTTP/1.0":       strings.Replace(put, "/1.1", "/1.0", 1) + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden,
	} {
		text := answers(request)
		require.Equal(t, 1, strings.Count(text, "HTTP/1."), "%s: %s", name, text)
		require.NotContains(t, text, "no-route", name)
	}
	// The same two requests with one meaning are both answered.
	text := answers(put + "Content-Length: 0\r\n\r\n" + hidden)
	require.Equal(t, 2, strings.Count(text, "HTTP/1."), text)
	require.Contains(t, text, "no-route")
}

// TestABrowserOnAnotherSiteMayAskNothing sends what a browser sends before it
// lets a page of another origin use a token.
func TestABrowserOnAnotherSiteMayAskNothing(t *testing.T) {
	app, _ := startHere(t, "--store", "mem:")
	for _, method := range []string{"OPTIONS", "GET"} {
		for _, token := range []string{"", judge} {
			r, err := http.NewRequest(method, app.url+"/v1/objects/k", nil)
			require.NoError(t, err)
			r.Header.Set("Origin", "https://elsewhere.test")
			r.Header.Set("Access-Control-Request-Method", "PUT")
			r.Header.Set("Access-Control-Request-Headers", "authorization")
			r.Header.Set("Authorization", "Bearer "+token)
			r.AddCookie(&http.Cookie{Name: "token", Value: judge})
			answer, err := http.DefaultClient.Do(r)
			require.NoError(t, err)
			answer.Body.Close()
			require.GreaterOrEqual(t, answer.StatusCode, 400, "a cookie let somebody in, or a preflight was granted")
			require.Empty(t, answer.Cookies())
			for name := range answer.Header {
				require.NotContains(t, name, "Access-Control-")
			}
		}
	}
}

// TestNothingIsEverDecompressed stores what claims to be compressed: a bomb
// stays as small as it was sent.
func TestNothingIsEverDecompressed(t *testing.T) {
	app, _ := startHere(t, "--store", "mem:")
	for _, encoding := range []string{"gzip", "br", "zstd", "deflate"} {
		r, err := http.NewRequest("PUT", app.url+"/v1/objects/k", strings.NewReader("not compressed at all"))
		require.NoError(t, err)
		r.Header.Set("Authorization", "Bearer "+judge)
		r.Header.Set("Content-Encoding", encoding)
		answer, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		answer.Body.Close()
		require.Less(t, answer.StatusCode, 300, encoding)
		r, err = http.NewRequest("GET", app.url+"/v1/objects/k", nil)
		require.NoError(t, err)
		r.Header.Set("Authorization", "Bearer "+judge)
		r.Header.Set("Accept-Encoding", encoding)
		answer, err = http.DefaultTransport.RoundTrip(r)
		require.NoError(t, err)
		text, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		answer.Body.Close()
		require.Equal(t, "not compressed at all", string(text))
		require.Empty(t, answer.Header.Get("Content-Encoding"))
	}
}

// TestManyRangesCostNoMoreThanTheObject asks for the whole of it a thousand
// times over in one request.
func TestManyRangesCostNoMoreThanTheObject(t *testing.T) {
	app, _ := startHere(t, "--store", "mem:")
	status, _, err := call(http.DefaultClient, "PUT", app.url+"/v1/objects/k", strings.NewReader(strings.Repeat("x", 10_000)))
	require.NoError(t, err)
	require.Equal(t, 201, status)
	r, err := http.NewRequest("GET", app.url+"/v1/objects/k", nil)
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+judge)
	r.Header.Set("Range", "bytes=0-"+strings.Repeat(",0-", 999))
	answer, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.Equal(t, 200, answer.StatusCode)
	require.Len(t, text, 10_000)
}
