//go:build ceph

package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/infra/ceph/cephtest"
	"bogops/infra/s3"
)

// awayArgs name a bucket for the fall-back, with a short lease.
func awayArgs(t *testing.T, bucket string) []string {
	moto := s3.StartMoto(t)
	t.Setenv("AWS_ACCESS_KEY_ID", moto.AccessKey)
	t.Setenv("AWS_SECRET_ACCESS_KEY", moto.SecretKey)
	return []string{"--fallback", "s3:" + bucket, "--s3-endpoint", moto.Endpoint, "--s3-path-style", "--s3-create", "--s3-region", "us-east-1",
		"--lease", "1s", "--trip-after", "1s", "--back-after", "1s", "--admin-listen", "127.0.0.1:0"}
}

func TestAServerWithFallBackServesFromCephAndMarksThePool(t *testing.T) {
	place := cephtest.Shared(t)
	app := startOnCeph(t, place, awayArgs(t, strings.ToLower(place.Namespace))...)
	status, text, err := call(http.DefaultClient, "PUT", app.url+"/v1/objects/k", strings.NewReader("hello"))
	require.NoError(t, err)
	require.Less(t, status, 300, text)
	require.Equal(t, "hello", string(rebuilt(t, app, place, "k")))
	_, text, err = call(http.DefaultClient, "GET", app.url+"/.well-known/bogops.json", nil)
	require.NoError(t, err)
	require.Contains(t, text, `"store":"ceph","store_state":"primary"`)
	_, text, err = call(http.DefaultClient, "GET", adminURL(t, app)+"/metrics", nil)
	require.NoError(t, err)
	for _, want := range []string{`bogops_fallback_state{state="primary"} 1`, "bogops_fallback_serving 1", "bogops_fallback_backlog_objects 0", "bogops_ceph_in_flight_limit_operations 128"} {
		require.Contains(t, text, want)
	}

	// An instance that was not told of the S3 refuses this pool.
	alone := start(t, nil, "--store", "ceph:"+place.Pool+"/"+place.Namespace, "--ceph-conf", place.Conf, "--ceph-user", place.User, "--ceph-key-file", place.Keyring)
	require.Eventually(t, func() bool {
		status, _, err := call(http.DefaultClient, "GET", alone.url+"/v1/objects/k", nil)
		require.NotEqual(t, 200, status)
		return err == nil && strings.Contains(alone.out.String(), "the pool is used with fall-back")
	}, time.Minute, 20*time.Millisecond)
	status, text, err = call(http.DefaultClient, "GET", alone.url+"/readyz", nil)
	require.NoError(t, err)
	require.Equal(t, 503, status)
	require.Contains(t, text, "the store is down")
}

func TestANewPlatformWhoseCephHasNotComeKeepsObjectsInS3AndSaysSo(t *testing.T) {
	key := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(key, []byte("AQBSdFhkAAAAABAAuV8t6mGc3Qz5ecretXk0Yw==\n"), 0o600))
	args := append(awayArgs(t, "away-of-a-team"), "--store", "ceph:objects/n", "--ceph-monitors", "127.0.0.1:1", "--ceph-key-file", key, "--new-pool")
	app := start(t, nil, args...)
	require.NotEmpty(t, app.url, app.out.String())
	_, text, err := call(http.DefaultClient, "GET", app.url+"/.well-known/bogops.json", nil)
	require.NoError(t, err)
	require.NotContains(t, text, `"store_state":"primary"`, "Ceph was never there")
	require.Eventually(t, func() bool {
		status, _, err := call(http.DefaultClient, "PUT", app.url+"/v1/objects/k", strings.NewReader("hello"))
		return err == nil && status < 300
	}, time.Minute, 50*time.Millisecond, "%s", app.out)
	for path, want := range map[string]string{
		"/.well-known/bogops.json": `"store":"ceph","store_state":"fallback"`,
		"/v1/objects/k":            "hello",
		"/v1/evidence/k":           `"store":"s3"`,
	} {
		_, text, err := call(http.DefaultClient, "GET", app.url+path, nil)
		require.NoError(t, err)
		require.Contains(t, text, want)
	}
	status, _, err := call(http.DefaultClient, "GET", app.url+"/v1/objects/other", nil)
	require.NoError(t, err)
	require.Equal(t, 503, status, "Ceph may know it")
	require.NotContains(t, app.out.String(), "5ecret")
}
