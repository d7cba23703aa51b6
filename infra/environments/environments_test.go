package environments_test

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"bogops/infra/environments"
	"bogops/infra/fleet"
)

const token = "opens the environments"

func options(dir string) environments.Options {
	return environments.Options{
		Dir: dir, Token: token, Most: 2, ServerName: "example.net",
		Args: func(name, dir, instance, version string) []string { return nil },
	}
}

// serve opens a service on dir and returns how to ask it, and how to end it.
func serve(t *testing.T, dir string) (ask func(method, path string) (int, string), end func()) {
	t.Helper()
	s, err := environments.Open(t.Context(), options(dir))
	require.NoError(t, err)
	front := httptest.NewServer(s.Handler())
	ended := false
	end = func() {
		if !ended {
			ended = true
			front.Close()
			require.NoError(t, s.Close())
		}
	}
	t.Cleanup(end)
	return func(method, path string) (int, string) { return call(t, front.URL, token, method, path) }, end
}

func call(t *testing.T, url, token, method, path string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url+path, nil)
	require.NoError(t, err)
	request.Header.Set("Authorization", "Bearer "+token)
	reply, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer reply.Body.Close()
	body, err := io.ReadAll(reply.Body)
	require.NoError(t, err)
	return reply.StatusCode, string(body)
}

func TestAnEnvironmentHasAFleetOfItsOwnUntilItIsRemoved(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ask, _ := serve(t, dir)
	status, said := ask("PUT", "/v1/environments/feature-x")
	require.Equal(t, http.StatusCreated, status, said)
	address := regexp.MustCompile(`HTTPS at (\S+),`).FindStringSubmatch(said)[1]
	conn, err := net.Dial("tcp", address)
	require.NoError(t, err)
	conn.Close()

	status, said = ask("GET", "/v1/environments/feature-x/fleet/v1/group")
	require.Equal(t, http.StatusOK, status, said)
	var group fleet.Description
	require.NoError(t, json.Unmarshal([]byte(said), &group))
	require.Equal(t, "feature-x", group.ID)
	require.Nil(t, group.Release)

	status, again := ask("PUT", "/v1/environments/feature-x")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, again, address, "the same one")

	status, _ = ask("DELETE", "/v1/environments/feature-x")
	require.Equal(t, http.StatusNoContent, status)
	_, err = net.Dial("tcp", address)
	require.Error(t, err)
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, left)
	status, _ = ask("DELETE", "/v1/environments/feature-x")
	require.Equal(t, http.StatusNotFound, status)
	status, _ = ask("GET", "/v1/environments/feature-x/fleet/v1/group")
	require.Equal(t, http.StatusNotFound, status)
}

func TestEnvironmentsAreThereAgainAfterARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ask, end := serve(t, dir)
	ask("PUT", "/v1/environments/a")
	ask("PUT", "/v1/environments/b")
	object := filepath.Join(dir, "a", "objects", "kept")
	require.NoError(t, os.WriteFile(object, nil, 0o600))
	end()
	ask, _ = serve(t, dir)
	_, names := ask("GET", "/v1/environments")
	require.Equal(t, "a\nb\n", names)
	require.FileExists(t, object)
}

func TestWithoutTheTokenNobodyGetsIn(t *testing.T) {
	t.Parallel()
	s, err := environments.Open(t.Context(), options(t.TempDir()))
	require.NoError(t, err)
	front := httptest.NewServer(s.Handler())
	t.Cleanup(func() { front.Close(); require.NoError(t, s.Close()) })
	for _, guess := range []string{"", "wrong", token + "x"} {
		status, _ := call(t, front.URL, guess, "PUT", "/v1/environments/a")
		require.Equal(t, http.StatusUnauthorized, status, guess)
	}
	_, names := call(t, front.URL, token, "GET", "/v1/environments")
	require.Empty(t, names)
}

func TestNamesThatCouldLeadElsewhereAreRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ask, _ := serve(t, filepath.Join(dir, "environments"))
	for _, name := range []string{"UPPER", "-a", "a-", "a.b", "%2e%2e", "a%2Fb", strings.Repeat("a", 41), "a%20b"} {
		status, said := ask("PUT", "/v1/environments/"+name)
		require.Equal(t, http.StatusUnprocessableEntity, status, "%s: %s", name, said)
	}
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, left, 1)
}

func TestAFullMachineTakesNoMore(t *testing.T) {
	t.Parallel()
	ask, _ := serve(t, t.TempDir())
	ask("PUT", "/v1/environments/a")
	ask("PUT", "/v1/environments/b")
	status, said := ask("PUT", "/v1/environments/c")
	require.Equal(t, http.StatusConflict, status)
	require.Contains(t, said, "as many environments as there may be: 2")
	status, _ = ask("PUT", "/v1/environments/b")
	require.Equal(t, http.StatusOK, status, "one that is there is no more")
}
