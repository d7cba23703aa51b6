package main

import (
	"crypto/tls"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTLSBefore12IsRefused(t *testing.T) {
	dir := t.TempDir()
	roots := writeCertificate(t, dir, "bog.test")
	app, _ := startHere(t, "--store", "mem:", "--certs", "files", "--names", "bog.test",
		"--cert-file", filepath.Join(dir, "cert.pem"), "--key-file", filepath.Join(dir, "key.pem"))
	for version, ok := range map[uint16]bool{tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		conn, err := tls.Dial("tcp", strings.TrimPrefix(app.url, "https://"),
			&tls.Config{RootCAs: roots, ServerName: "bog.test", MinVersion: version, MaxVersion: version})
		require.Equal(t, ok, err == nil, "%s: %v", tls.VersionName(version), err)
		if err == nil {
			require.NoError(t, conn.Close())
		}
	}
}

// TestNothingOfOursServesTheDefaultMux guards against what a library registers
// there at import, as net/http/pprof does.
func TestNothingOfOursServesTheDefaultMux(t *testing.T) {
	handler, pattern := http.DefaultServeMux.Handler(&http.Request{Method: "GET", URL: &url.URL{Path: "/debug/pprof/"}, Host: "x"})
	require.NotNil(t, handler)
	require.NotEmpty(t, pattern, "pprof registers itself: if it does not any more, this test is not needed")
	app, _ := startHere(t, "--store", "mem:", "--http-listen", "127.0.0.1:0")
	for _, base := range []string{app.url, "http://" + app.http} {
		client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		status, body, err := call(client, "GET", base+"/debug/pprof/", nil)
		require.NoError(t, err)
		require.NotEqual(t, 200, status)
		require.NotContains(t, body, "goroutine")
	}
}

// TestThePageOfThreatsNamesOnlyWhatExists holds docs/security.md to the tree:
// every test and every file in it.
func TestThePageOfThreatsNamesOnlyWhatExists(t *testing.T) {
	page, err := os.ReadFile("../docs/security.md")
	require.NoError(t, err)
	tests := regexp.MustCompile(`\b(Test|Fuzz)[A-Z][A-Za-z0-9]+`).FindAllString(string(page), -1)
	require.Greater(t, len(tests), 40)
	found, err := exec.Command("grep", "-rhoE", `^func (Test|Fuzz)[A-Za-z0-9]+`, "--include=*_test.go", ".", "../infra").Output()
	require.NoError(t, err)
	all := " " + strings.ReplaceAll(strings.ReplaceAll(string(found), "func ", ""), "\n", " ")
	for _, name := range tests {
		require.Contains(t, all, " "+name+" ", "docs/security.md names a test that is not there")
	}
	files := regexp.MustCompile("`((?:app|infra)/[a-z0-9/_.-]+|docs/[a-z.]+|go\\.sum|Makefile)`").FindAllStringSubmatch(string(page), -1)
	require.Greater(t, len(files), 20)
	for _, file := range files {
		_, err := os.Stat(filepath.Join("..", file[1]))
		require.NoError(t, err)
	}
}
