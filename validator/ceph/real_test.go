//go:build ceph

package ceph_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/require"

	infra "bogops/infra/ceph"
	"bogops/infra/ceph/cephtest"
	"bogops/validator/ceph"
	"bogops/validator/contest"
)

// real is the shared cluster, and how the judge reads a corner of it.
func real(t *testing.T) (cephtest.Place, contest.Ceph) {
	t.Helper()
	place := cephtest.Shared(t)
	cluster, err := infra.Find(os.Getenv)
	require.NoError(t, err)
	key, err := os.ReadFile(place.JudgeKeyring)
	require.NoError(t, err)
	return place, contest.Ceph{Mode: "rados", User: "judge", Key: contest.Secret(key), Pool: place.Pool, Monitors: cluster.Monitors()}
}

// write runs Debian's own tool with the key of the objects.
func write(t *testing.T, place cephtest.Place, name, file string) {
	t.Helper()
	// Bounded: a cluster that is down would hold the test for ever.
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "rados", "-c", place.Conf, "-n", "client."+place.User, "-k", place.Keyring,
		"-p", place.Pool, "-N", place.Namespace, "put", name, file).CombinedOutput()
	require.NoError(t, err, "%s", out)
}

func TestARealClusterIsReadAndAskedWithAReadOnlyKey(t *testing.T) {
	place, section := real(t)
	space := place.Namespace
	content := make([]byte, 300<<10)
	_, _ = rand.Read(content)
	file := filepath.Join(t.TempDir(), "content")
	require.NoError(t, os.WriteFile(file, content, 0o600))
	write(t, place, "piece", file)

	cluster := ceph.Open(&section, ceph.Options{})
	defer cluster.Close()
	o := ceph.Object{Pool: "objects", Namespace: space, Name: "piece"}
	got, err := cluster.Read(t.Context(), o, 100, 256<<10)
	require.NoError(t, err)
	require.True(t, bytes.Equal(content[100:100+256<<10], got))
	got, err = cluster.Read(t.Context(), o, 299<<10, 4<<10)
	require.NoError(t, err)
	require.Len(t, got, 1<<10, "the object ends there")
	_, err = cluster.Read(t.Context(), ceph.Object{Pool: "objects", Namespace: space, Name: "absent"}, 0, 10)
	require.ErrorIs(t, err, ceph.ErrNotFound)
	_, err = cluster.Read(t.Context(), ceph.Object{Pool: "no-such-pool", Name: "piece"}, 0, 10)
	require.ErrorIs(t, err, ceph.ErrNotFound)

	health, err := cluster.Health(t.Context())
	require.NoError(t, err)
	require.Len(t, health.FSID, 36)
	require.GreaterOrEqual(t, health.Up, 1)
	topology, err := cluster.Topology(t.Context(), "objects")
	require.NoError(t, err)
	require.Len(t, topology.Machines, 1, "%+v", topology)
	require.Positive(t, topology.MinSize)
	require.NotEmpty(t, topology.FailureDomain)
	placement, err := cluster.Placement(t.Context(), o)
	require.NoError(t, err)
	require.Len(t, placement.OSDs, topology.Size)
	_, _, err = cluster.Stored(t.Context(), "objects")
	require.NoError(t, err)
}

func TestAWithdrawnKeyIsDeniedAndNotOurs(t *testing.T) {
	_, section := real(t)
	for name, change := range map[string]func(*contest.Ceph){
		"another key":  func(c *contest.Ceph) { c.Key = "AQDnMoVgAAAAABAAzBHH7d1Ke3yXnJGYx3rGGg==" },
		"no such user": func(c *contest.Ceph) { c.User = "nobody" },
	} {
		t.Run(name, func(t *testing.T) {
			section := section
			change(&section)
			cluster := ceph.Open(&section, ceph.Options{})
			defer cluster.Close()
			_, err := cluster.Health(t.Context())
			require.ErrorIs(t, err, ceph.ErrDenied)
			require.NotContains(t, err.Error(), ceph.KeyOf(string(section.Key)))
		})
	}
}

func TestMonitorsThatDoNotAnswerHoldNobody(t *testing.T) {
	_, section := real(t)
	section.Monitors = []string{"127.0.0.1:9"}
	cluster := ceph.Open(&section, ceph.Options{})
	defer cluster.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := cluster.Health(ctx)
	require.ErrorIs(t, err, ceph.ErrUnreachable)
	_, err = cluster.Health(t.Context())
	require.ErrorIs(t, err, ceph.ErrUnreachable, "and by the library's own time-out")
}

func TestARealGatewayIsReadWithItsKeys(t *testing.T) {
	made := cephtest.Gateway(t)
	client := s3.New(s3.Options{
		Region: "us-east-1", BaseEndpoint: &made.Endpoint, UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(made.AccessKey, made.SecretKey, ""),
	})
	bucket, name := "judge-"+strings.ToLower(rand.Text()), "a key/of ours"
	_, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &bucket})
	require.NoError(t, err)
	_, err = client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: &name, Body: strings.NewReader("0123456789")})
	require.NoError(t, err)
	t.Cleanup(func() {
		_, err := client.DeleteObject(context.Background(), &s3.DeleteObjectInput{Bucket: &bucket, Key: &name})
		require.NoError(t, err)
		_, err = client.DeleteBucket(context.Background(), &s3.DeleteBucketInput{Bucket: &bucket})
		require.NoError(t, err)
	})
	section := contest.Ceph{Mode: "rgw", Endpoint: made.Endpoint, Bucket: bucket, AccessKey: contest.Secret(made.AccessKey), SecretKey: contest.Secret(made.SecretKey)}
	cluster := ceph.Open(&section, ceph.Options{})
	got, err := cluster.Gateway.Object(t.Context(), bucket, name, 100)
	require.NoError(t, err)
	require.Equal(t, "0123456789", string(got))
	_, err = cluster.Gateway.Object(t.Context(), bucket, "absent", 100)
	require.ErrorIs(t, err, ceph.ErrNotFound)
	section.SecretKey = "another"
	_, err = ceph.Open(&section, ceph.Options{}).Gateway.Object(t.Context(), bucket, name, 100)
	require.ErrorIs(t, err, ceph.ErrDenied)
}
