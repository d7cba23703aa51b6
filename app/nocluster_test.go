//go:build ceph

package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Nobody listens at port 1: the cluster does not answer.
func TestAServerListensWhileItsClusterIsNotThereAndSaysWhy(t *testing.T) {
	key := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(key, []byte("AQBSdFhkAAAAABAAuV8t6mGc3Qz5ecretXk0Yw==\n"), 0o600))
	app := start(t, nil, "--store", "ceph:objects/n", "--ceph-monitors", "127.0.0.1:1", "--ceph-key-file", key, "--ceph-timeout", "1s", "--contest", "c")
	require.NotEmpty(t, app.url, app.out.String())

	status, body, err := call(http.DefaultClient, "GET", app.url+"/readyz", nil)
	require.NoError(t, err)
	require.Equal(t, 503, status)
	require.Contains(t, body, "the store is down")
	status, _, err = call(http.DefaultClient, "GET", app.url+"/healthz", nil)
	require.NoError(t, err)
	require.Equal(t, 200, status)
	for _, path := range []string{"/v1/objects/k", "/v1/objects/k?process=sha256", "/v1/objects", "/v1/evidence/k"} {
		for _, method := range []string{"GET", "PUT", "DELETE"} {
			if method != "GET" && path != "/v1/objects/k" {
				continue
			}
			began := time.Now()
			r, err := http.NewRequest(method, app.url+path, strings.NewReader("x"))
			require.NoError(t, err)
			r.Header.Set("Authorization", "Bearer "+judge)
			answer, err := http.DefaultClient.Do(r)
			require.NoError(t, err)
			answer.Body.Close()
			require.Equal(t, 503, answer.StatusCode, "%s %s", method, path)
			require.NotEmpty(t, answer.Header.Get("Retry-After"), "%s %s", method, path)
			require.Less(t, time.Since(began), 30*time.Second, "%s %s", method, path)
		}
	}
	_, body, err = call(http.DefaultClient, "GET", app.url+"/.well-known/bogops.json", nil)
	require.NoError(t, err)
	require.Contains(t, body, `"store":"ceph"`)

	require.NoError(t, app.cmd.Process.Signal(syscall.SIGTERM))
	require.Equal(t, 0, app.exitCode(), app.out.String())
	require.Contains(t, app.out.String(), `"msg":"not ready"`)
	require.NotContains(t, app.out.String(), "5ecret")
}
