package concourse_test

import (
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"bogops/validator/nonce"
)

// suitePipeline is the pipeline of the suite: nonce is the git repository at
// uri, and tasks run in the image of that source.
func suitePipeline(t *testing.T, uri string, image map[string]any) string {
	t.Helper()
	task := func(kind, script string) map[string]any {
		return map[string]any{"task": "work", "config": map[string]any{
			"platform": "linux", "image_resource": map[string]any{"type": kind, "source": image},
			"run": map[string]any{"path": "sh", "args": []string{"-ec", script}},
		}}
	}
	job := func(name string, plan ...map[string]any) map[string]any {
		return map[string]any{"name": name, "plan": plan}
	}
	text, err := json.Marshal(map[string]any{
		"resources": []any{map[string]any{
			// Only what the suite asks for is looked for.
			"name": "nonce", "type": "git", "check_every": "24h", "source": map[string]any{"uri": uri, "branch": "main"},
		}},
		"jobs": []any{
			job("quick", map[string]any{"get": "nonce"}, task("registry-image", "echo hello")),
			job("slow", task("registry-image", "echo hello; sleep 600")),
			job("failing", map[string]any{"get": "nonce"}, task("registry-image", "echo hello; exit 7")),
			job("erroring", task("nope", "echo hello")),
			job("later", map[string]any{"get": "marker", "resource": "nonce", "passed": []string{"failing"}, "trigger": true}, task("registry-image", "echo hello")),
		},
	})
	require.NoError(t, err)
	return write(t, string(text)) // JSON is YAML too
}

func write(t *testing.T, text string) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "file.yml")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	return file
}

// hosted is a repository of the judge's, and where it is served.
func hosted(t *testing.T, listen string) (commit func(t *testing.T) string, address, path string) {
	t.Helper()
	host, err := nonce.Open(t.TempDir(), "a seed")
	require.NoError(t, err)
	server := httptest.NewUnstartedServer(http.HandlerFunc(host.ServeHTTP))
	server.Listener.Close()
	server.Listener, err = net.Listen("tcp", listen)
	require.NoError(t, err)
	server.Start()
	t.Cleanup(server.Close)
	number := 0
	commit = func(t *testing.T) string {
		t.Helper()
		number++
		revision, err := host.Commit(t.Context(), "otters", "nonce-"+strings.Repeat("x", number))
		require.NoError(t, err)
		return revision
	}
	commit(t)
	return commit, server.Listener.Addr().String(), host.Path("otters")
}
