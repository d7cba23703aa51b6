//go:build ceph

package main

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/infra/ceph/cephtest"
)

// startOnCeph starts the program on a corner of the cluster and waits until it
// is ready.
func startOnCeph(t *testing.T, place cephtest.Place, args ...string) *instance {
	t.Helper()
	app := start(t, nil, append([]string{"--store", "ceph:" + place.Pool + "/" + place.Namespace, "--ceph-conf", place.Conf,
		"--ceph-user", place.User, "--ceph-key-file", place.Keyring}, args...)...)
	require.NotEmpty(t, app.url, app.out.String())
	require.Eventually(t, func() bool {
		status, _, err := call(http.DefaultClient, "GET", app.url+"/readyz", nil)
		return err == nil && status == 200
	}, time.Minute, 20*time.Millisecond)
	return app
}

// rebuilt follows the evidence of key with the judge's own key to the pool, as a
// stranger would: by the tool that comes with Ceph.
func rebuilt(t *testing.T, app *instance, place cephtest.Place, key string) []byte {
	t.Helper()
	status, body, err := call(http.DefaultClient, "GET", app.url+"/v1/evidence/"+key, nil)
	require.NoError(t, err)
	require.Equal(t, 200, status, body)
	var at struct {
		Store, FSID, Pool, Namespace string
		Size                         int
		Pieces                       []struct {
			Name               string
			At, Offset, Length int
		}
	}
	require.NoError(t, json.Unmarshal([]byte(body), &at))
	require.Equal(t, "ceph", at.Store)
	require.Equal(t, place.FSID, at.FSID)
	all := make([]byte, at.Size)
	covered := 0
	for _, p := range at.Pieces {
		file := filepath.Join(t.TempDir(), "piece")
		out, err := exec.Command("rados", "-c", place.Conf, "-n", "client.judge", "-k", place.JudgeKeyring,
			"-p", at.Pool, "-N", at.Namespace, "get", p.Name, file).CombinedOutput()
		require.NoError(t, err, string(out))
		piece, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Equal(t, covered, p.Offset)
		covered += copy(all[p.Offset:], piece[p.At:p.At+p.Length])
	}
	require.Equal(t, at.Size, covered)
	return all
}

func TestWhatTheEvidenceNamesInCephIsTheObjectByteForByte(t *testing.T) {
	place := cephtest.Shared(t)
	app := startOnCeph(t, place)
	noise := rand.NewChaCha8([32]byte{7})
	for key, size := range map[string]int{"empty": 0, "small": 4 << 10, "inline": 1 << 20, "large": 9<<20 + 5} {
		body := make([]byte, size)
		_, _ = noise.Read(body)
		for range 2 { // what was replaced is not what is named
			_, _ = noise.Read(body)
			status, text, err := call(http.DefaultClient, "PUT", app.url+"/v1/objects/"+key, bytes.NewReader(body))
			require.NoError(t, err)
			require.Less(t, status, 300, text)
		}
		require.True(t, bytes.Equal(body, rebuilt(t, app, place, key)), "%s: other bytes lie there", key)
	}
	status, _, err := call(http.DefaultClient, "DELETE", app.url+"/v1/objects/large", nil)
	require.NoError(t, err)
	require.Equal(t, 204, status)
	status, _, err = call(http.DefaultClient, "GET", app.url+"/v1/evidence/large", nil)
	require.NoError(t, err)
	require.Equal(t, 404, status, "evidence of what was deleted")
}

func TestTwoServersOnOnePoolSeeTheSame(t *testing.T) {
	place := cephtest.Shared(t)
	one, two := startOnCeph(t, place), startOnCeph(t, place)
	for _, text := range []string{"first", "second"} {
		status, _, err := call(http.DefaultClient, "PUT", one.url+"/v1/objects/k", strings.NewReader(text))
		require.NoError(t, err)
		require.Less(t, status, 300)
		status, body, err := call(http.DefaultClient, "GET", two.url+"/v1/objects/k", nil)
		require.NoError(t, err)
		require.Equal(t, 200, status)
		require.Equal(t, text, body)
	}
	_, body, err := call(http.DefaultClient, "GET", two.url+"/v1/objects", nil)
	require.NoError(t, err)
	require.Contains(t, body, `"key":"k"`)
}
