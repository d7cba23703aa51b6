package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Every token and the fleet key hold "5ecret": it must be nowhere in what the
// server says, whatever goes wrong.
func TestNoSecretReachesTheLogsOrAnAnswer(t *testing.T) {
	dir := t.TempDir()
	key := filepath.Join(dir, "fleet.key")
	require.NoError(t, os.WriteFile(key, []byte("5ecret-but-not-hex"), 0o600))
	store := filepath.Join(dir, "data")
	app := start(t, nil, "--store", "file:"+store, "--max-object", "1KiB")
	var answers strings.Builder
	for _, token := range []string{judge, writer, reader, "a-wrong-5ecret"} {
		for _, target := range []string{"/v1/objects/k", "/v1/objects/%00", "/v1/nothing", "/v1/objects/k?process=x", "/", "/readyz", "/v1/objects/%zz"} {
			for _, method := range []string{"PUT", "GET", "DELETE", "BREW"} {
				r, err := http.NewRequest(method, app.url, strings.NewReader(strings.Repeat("x", 2000)))
				require.NoError(t, err)
				r.URL.Opaque = "//" + r.URL.Host + target
				r.Header.Set("Authorization", "Bearer "+token)
				answer, err := http.DefaultTransport.RoundTrip(r)
				require.NoError(t, err)
				require.NoError(t, answer.Write(&answers))
				answer.Body.Close()
			}
		}
		// A client that puts its token where it does not belong is told so,
		// but the log keeps quiet about it.
		for _, target := range []string{"/v1/objects/" + token, "/v1/" + token, "/v1/objects/k?process=" + token, "/?" + token} {
			_, _, err := callAs(http.DefaultClient, token, "GET", app.url+target, nil)
			require.NoError(t, err)
		}
	}
	// A store that fails: its directory is gone.
	require.NoError(t, os.RemoveAll(store))
	_, body, err := call(http.DefaultClient, "PUT", app.url+"/v1/objects/k", strings.NewReader("x"))
	require.NoError(t, err)
	answers.WriteString(body)
	app.kill()
	require.Greater(t, strings.Count(app.out.String(), `"request"`), 100, "nothing was logged: the test proves nothing")
	require.NotContains(t, app.out.String(), "5ecret")
	require.NotContains(t, answers.String(), "5ecret")

	for _, args := range [][]string{
		{"--store", "nothing:"},
		{"--store", "mem:", "--fleet-key-file", key},
		{"--store", "mem:", "--help"},
	} {
		failed := start(t, nil, args...)
		failed.end()
		require.NotEmpty(t, failed.out.String())
		require.NotContains(t, failed.out.String(), "5ecret")
	}
}
