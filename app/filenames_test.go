package main

import (
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// fileName is every file that the store may make, seen from its directory: an
// object in one of 256 shards, named by what is plain in its key and escapes in
// lower case, or a draft of random digits.
var fileName = regexp.MustCompile(`^(objects/[0-9a-f]{2}/(%2e|[a-z0-9_%-])[a-z0-9_.%~-]{0,254}|writing/[0-9a-f.-]+|bogops-filestore)$`)

// anyTarget is the path of a request that somebody wrote to get out of the
// store, or at random.
func anyTarget() *rapid.Generator[string] {
	piece := rapid.OneOf(
		rapid.SampledFrom([]string{"..", ".", "/", "//", "%2e%2e", "%2F", "%5c", "\\", "~", "%7E", "%00", "%0a", "%25", "%252e", "etc/passwd",
			"writing", "objects", "bogops-filestore", "C:", "nul", "é", "e%CC%81", "%ff", "A", "a", "+", "%20", "%2E%2E%2F", ";x=1", "*", "-rf"}),
		rapid.StringMatching(`[!-~]{1,40}`),
		rapid.Map(rapid.String(), func(s string) string {
			var out strings.Builder
			for _, b := range []byte(s) {
				const digits = "0123456789ABCDEF"
				out.Write([]byte{'%', digits[b>>4], digits[b&15]})
			}
			return out.String()
		}),
		rapid.Map(rapid.IntRange(200, 1024), func(n int) string { return strings.Repeat("K", n) }),
	)
	return rapid.Map(rapid.SliceOfN(piece, 0, 6), func(pieces []string) string {
		return strings.NewReplacer("?", "%3F", "#", "%23", " ", "%20").Replace(strings.Join(pieces, ""))
	})
}

// TestNoWordOfAClientGetsOutOfTheStoresDirectory looks at the names of all that
// is in the directory's parent after requests with any path and any header.
func TestNoWordOfAClientGetsOutOfTheStoresDirectory(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "data")
	app, _ := startHere(t, "--store", "file:"+dir)
	stored := 0
	rapid.Check(t, func(t *rapid.T) {
		r, err := http.NewRequest(rapid.SampledFrom([]string{"PUT", "PUT", "GET", "DELETE", "MOVE", "MKCOL"}).Draw(t, "method"), app.url, strings.NewReader("x"))
		require.NoError(t, err)
		r.URL.Opaque = "//" + r.URL.Host + rapid.SampledFrom([]string{"/v1/objects/", "/v1/objects/", "/v1/", "/"}).Draw(t, "root") + anyTarget().Draw(t, "target")
		r.Header.Set("Authorization", "Bearer "+judge)
		for _, name := range []string{"Destination", "X-Original-URL", "X-Rewrite-URL", "Slug", "Content-Disposition", "Content-Type", "Bogops-Meta-Name"} {
			if value := rapid.StringMatching(`[!-~]{0,60}`).Draw(t, name); value != "" {
				r.Header.Set(name, value)
			}
		}
		answer, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Skip("not sent:", err)
		}
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		require.NotContains(t, string(text), dir, "an answer names the store's directory")
		if answer.StatusCode == http.StatusCreated {
			stored++
		}
	})
	for _, escaped := range []string{"../x", "objects/../x", "objects/ab/..", "objects/ab/a/b", "objects/ab/A", "objects/abc/a", "objects/ab/a\x00", "etc/passwd"} {
		require.NotRegexp(t, fileName, escaped, "the test would not see it")
	}
	t.Logf("%d objects stored by chance", stored)
	// Keys that are good ones, and that a file system would take for more.
	for _, key := range []string{"..a", "a..", "...", ".hidden", "~", "C:", "nul", "con.txt", "A", `a\..\b`, "%252e%252e", "%252f", "%C3%A9", "e%CC%81",
		"-rf", "*", "a//b", "//a", "a/", "writing/x", "objects/ab/x", "bogops-filestore", "%7E", "a:b", strings.Repeat("K", 1024), strings.Repeat("%2E", 300)} {
		status, body, err := call(http.DefaultClient, "PUT", app.url+"/v1/objects/"+strings.ReplaceAll(key, `\`, "%5C"), strings.NewReader("x"))
		require.NoError(t, err)
		require.Contains(t, []int{200, 201}, status, "%s: %s", key, body)
	}
	require.NoError(t, filepath.WalkDir(parent, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		require.NoError(t, err)
		require.Regexp(t, fileName, filepath.ToSlash(name))
		require.LessOrEqual(t, len(entry.Name()), 255)
		require.True(t, entry.Type().IsRegular(), name)
		return nil
	}))
}

// TestADirectoryIsNeverListed asks for directories of the store, and of what is
// embedded, as one asks a file server.
func TestADirectoryIsNeverListed(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	app, _ := startHere(t, "--store", "file:"+dir)
	status, _, err := call(http.DefaultClient, "PUT", app.url+"/v1/objects/dir/inner-object", strings.NewReader("x"))
	require.NoError(t, err)
	require.Equal(t, 201, status)
	shards, err := os.ReadDir(filepath.Join(dir, "objects"))
	require.NoError(t, err)
	for _, path := range []string{"/", "/v1", "/v1/", "/v1/objects/", "/v1/objects/dir", "/v1/objects/dir/", "/v1/objects/objects", "/v1/objects/objects/" + shards[0].Name(),
		"/v1/objects/writing/", "/objects/", "/data/", "/.well-known/", "/v1/objects/%2e", "/v1/objects/..%2f", "/openapi", "/docs/"} {
		status, body, err := call(http.DefaultClient, "GET", app.url+path, nil)
		require.NoError(t, err)
		require.GreaterOrEqual(t, status, 400, path)
		for _, word := range []string{"inner-object", "bogops-filestore", "<pre>", "Index of"} {
			require.NotContains(t, body, word, path)
		}
	}
}

// TestAHeaderThatNeverEndsEndsTheConnection keeps memory and goroutines from
// whoever sends a request slowly.
func TestAHeaderThatNeverEndsEndsTheConnection(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for the server's 10 s")
	}
	app, _ := startHere(t, "--store", "mem:")
	conn, err := net.Dial("tcp", strings.TrimPrefix(app.url, "http://"))
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	_, err = io.WriteString(conn, "GET /v1/objects/k HTTP/1.1\r\nHost: x\r\nX-Slow: ")
	require.NoError(t, err)
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(60*time.Second)))
	_, err = io.Copy(io.Discard, conn)
	require.NoError(t, err, "the server must be the one that ends it")
}
