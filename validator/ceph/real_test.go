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

	"github.com/stretchr/testify/require"

	"bogops/validator/ceph"
	"bogops/validator/contest"
)

// realCluster is the cluster that BOGOPS_CEPH names: a directory with
// ceph.conf, keyring/objects and keyring/judge.
func realCluster(t *testing.T) (dir string, section contest.Ceph) {
	t.Helper()
	dir = os.Getenv("BOGOPS_CEPH")
	if dir == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("BOGOPS_CEPH names no cluster, and on CI nothing is skipped")
		}
		t.Skip("BOGOPS_CEPH names no cluster: see make ceph")
	}
	conf, err := os.ReadFile(filepath.Join(dir, "ceph.conf"))
	require.NoError(t, err)
	for line := range strings.Lines(string(conf)) {
		if name, value, ok := strings.Cut(line, "="); ok && strings.TrimSpace(name) == "mon_host" {
			section.Monitors = []string{strings.TrimSpace(value)}
		}
	}
	key, err := os.ReadFile(filepath.Join(dir, "keyring", "judge"))
	require.NoError(t, err)
	section.Mode, section.User, section.Key, section.Pool = "rados", "judge", contest.Secret(key), "objects"
	return dir, section
}

// rados runs Debian's own tool with the key of the objects.
func rados(t *testing.T, dir string, args ...string) {
	t.Helper()
	// Bounded: a cluster that is down would hold the test for ever.
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	base := []string{"-c", filepath.Join(dir, "ceph.conf"), "-n", "client.objects", "-k", filepath.Join(dir, "keyring", "objects"), "-p", "objects"}
	out, err := exec.CommandContext(ctx, "rados", append(base, args...)...).CombinedOutput()
	require.NoError(t, err, "%s", out)
}

func TestARealClusterIsReadAndAskedWithAReadOnlyKey(t *testing.T) {
	dir, section := realCluster(t)
	space := "judge-" + rand.Text()
	content := make([]byte, 300<<10)
	_, _ = rand.Read(content)
	file := filepath.Join(t.TempDir(), "content")
	require.NoError(t, os.WriteFile(file, content, 0o600))
	rados(t, dir, "-N", space, "put", "piece", file)
	t.Cleanup(func() {
		cleaning := exec.Command("rados", "-c", filepath.Join(dir, "ceph.conf"), "-n", "client.objects", "-k", filepath.Join(dir, "keyring", "objects"), "-p", "objects", "-N", space, "rm", "piece")
		require.NoError(t, cleaning.Run())
	})

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
	_, section := realCluster(t)
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
	_, section := realCluster(t)
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
