package main

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/infra/s3"
)

func TestAServerKeepsObjectsInABucketAndSaysWhichOnes(t *testing.T) {
	moto := s3.StartMoto(t)
	t.Setenv("AWS_ACCESS_KEY_ID", moto.AccessKey)
	t.Setenv("AWS_SECRET_ACCESS_KEY", moto.SecretKey)
	args := []string{"--store", "s3:objects-of-a-team", "--s3-endpoint", moto.Endpoint, "--s3-path-style", "--s3-create", "--s3-region", "us-east-1"}
	app := start(t, nil, args...)
	require.Eventually(t, func() bool {
		status, _, err := call(http.DefaultClient, "PUT", app.url+"/v1/objects/a%2Fb", strings.NewReader("hello"))
		return err == nil && status < 300
	}, 30*time.Second, 20*time.Millisecond)
	again := start(t, nil, args...)
	var at struct {
		Store, Bucket, Object, ETag string
		Size                        int64
	}
	require.Eventually(t, func() bool {
		status, body, err := call(http.DefaultClient, "GET", again.url+"/v1/evidence/a/b", nil)
		return err == nil && status == 200 && json.Unmarshal([]byte(body), &at) == nil
	}, 30*time.Second, 20*time.Millisecond)
	require.Equal(t, "s3 objects-of-a-team a/b", at.Store+" "+at.Bucket+" "+at.Object)
	require.EqualValues(t, 5, at.Size)
	_, body, err := call(http.DefaultClient, "GET", again.url+"/.well-known/bogops.json", nil)
	require.NoError(t, err)
	require.Contains(t, body, `"store":"s3","store_state":"primary"`)
}

func TestRootsThatAreNoneAreRefused(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "roots.pem")
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	_, err := s3Options(Config{S3: S3Config{Roots: empty}}, "b")
	require.EqualError(t, err, "--s3-roots: "+empty+" holds no certificate; want a file with certificates (PEM)")
	require.Equal(t, exitUsage, exitCode(err))
	_, err = s3Options(Config{S3: S3Config{Roots: empty + "x"}}, "b")
	require.ErrorContains(t, err, "want a file with certificates (PEM)")
}
