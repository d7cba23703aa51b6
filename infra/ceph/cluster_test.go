package ceph_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/infra/ceph"
	"bogops/infra/ceph/cephtest"
)

// One cluster goes through a life here, because making one takes ten seconds.
func TestAClusterKeepsItsBytesThroughStopsKillsAndFreezes(t *testing.T) {
	begun := time.Now()
	c := cephtest.Own(t, ceph.Options{Log: testWriter{t}})
	t.Logf("serves after %v", time.Since(begun).Round(100*time.Millisecond))
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()

	body := make([]byte, 3<<20)
	rand.Read(body)
	want := sha256.Sum256(body)
	rados(t, c, "objects", body, "put", "kept", "-")
	kept := func(t *testing.T, user string) {
		t.Helper()
		require.Equal(t, want, sha256.Sum256(rados(t, c, user, nil, "get", "kept", "-")))
	}

	t.Run("every OSD lies under a host of its own, and copies under three", func(t *testing.T) {
		tree := run(t, c, "osd", "tree")
		for _, host := range []string{"host host0", "host host1", "host host2"} {
			require.Contains(t, tree, host)
		}
		require.Contains(t, run(t, c, "osd", "crush", "rule", "dump"), `"type": "host"`)
		pool := run(t, c, "osd", "pool", "ls", "detail")
		require.Contains(t, pool, "'objects' replicated size 3 min_size 2 ")
		require.Len(t, c.Monitors(), 3)
		require.Equal(t, c.FSID(), strings.TrimSpace(run(t, c, "fsid")))
	})
	t.Run("the judge reads and does no more", func(t *testing.T) {
		kept(t, "judge")
		denied(t, c, "rados", "judge", "-p", "objects", "rm", "kept")
		denied(t, c, "rados", "judge", "-p", "objects", "put", "mine", os.Args[0])
		denied(t, c, "ceph", "judge", "osd", "blocklist", "add", "127.0.0.1:0/1")
		kept(t, "judge")
	})
	t.Run("the platform blocks a dead client and cannot take that back", func(t *testing.T) {
		_, err := as(c, "ceph", "objects", nil, "osd", "blocklist", "add", "127.0.0.1:0/4711")
		require.NoError(t, err)
		require.Contains(t, run(t, c, "osd", "blocklist", "ls"), "127.0.0.1:0/4711")
		denied(t, c, "ceph", "objects", "osd", "blocklist", "add", "127.0.0.1") // all clients there
		denied(t, c, "ceph", "objects", "osd", "blocklist", "rm", "127.0.0.1:0/4711")
		denied(t, c, "ceph", "objects", "osd", "pool", "rm", "objects", "objects", "--yes-i-really-really-mean-it")
	})
	t.Run("the metrics say that it is healthy", func(t *testing.T) {
		url, err := c.Metrics(ctx)
		require.NoError(t, err)
		reply, err := http.Get(url)
		require.NoError(t, err)
		defer reply.Body.Close()
		text, err := io.ReadAll(reply.Body)
		require.NoError(t, err)
		require.Contains(t, string(text), "\nceph_health_status 0.0\n")
	})
	t.Run("a pool of another name has users of its own", func(t *testing.T) {
		require.NoError(t, c.Pool(ctx, "otters"))
		_, err := as(c, "rados", "objects-otters", []byte("fish"), "-p", "otters", "put", "k", "-")
		require.NoError(t, err)
		got, err := as(c, "rados", "judge-otters", nil, "-p", "otters", "get", "k", "-")
		require.NoError(t, err)
		require.Equal(t, "fish", string(got))
		denied(t, c, "rados", "objects-otters", "-p", "objects", "rm", "kept")
	})
	t.Run("with an OSD killed it serves, and is whole after the return", func(t *testing.T) {
		require.NoError(t, c.Kill(ctx, "osd.1"))
		require.Contains(t, daemons(t, c), "osd.1 - down -")
		rados(t, c, "objects", []byte("meanwhile"), "put", "meanwhile", "-")
		kept(t, "objects")
		require.NoError(t, c.Up(ctx, "osd.1"))
		require.NoError(t, c.Ready(ctx))
	})
	t.Run("a frozen OSD answers again when thawed", func(t *testing.T) {
		require.NoError(t, c.Freeze(ctx, "osd.2"))
		require.Regexp(t, `(?m)^osd\.2 \d+ frozen `, daemons(t, c))
		require.NoError(t, c.Thaw(ctx, "osd.2"))
		require.NoError(t, c.Ready(ctx))
		require.Regexp(t, `(?m)^osd\.2 \d+ running `, daemons(t, c))
	})
	t.Run("the gateway is there at once the second time", func(t *testing.T) {
		first, err := c.Gateway(ctx)
		require.NoError(t, err)
		reply, err := http.Get(first.Endpoint)
		require.NoError(t, err)
		reply.Body.Close()
		require.Equal(t, http.StatusOK, reply.StatusCode)
		second, err := c.Gateway(ctx)
		require.NoError(t, err)
		require.Equal(t, first, second)
		require.NoError(t, first.Bucket(ctx, "packages"))
		require.NoError(t, second.Bucket(ctx, "packages"), "a bucket that is there is left as it is")
	})
	t.Run("stop leaves no process and start brings the bytes back", func(t *testing.T) {
		require.NoError(t, c.Stop(ctx))
		require.NotContains(t, daemons(t, c), "running")
		require.Empty(t, processes(t, c.Conf()))
		begun := time.Now()
		require.NoError(t, c.Start(ctx))
		t.Logf("serves again after %v", time.Since(begun).Round(100*time.Millisecond))
		kept(t, "judge")
	})
	t.Run("destroy leaves neither process nor file", func(t *testing.T) {
		require.NotEmpty(t, processes(t, c.Conf()))
		require.NoError(t, c.Destroy())
		require.Empty(t, processes(t, c.Conf()))
		require.NoDirExists(t, c.Dir())
	})
}

// rados works on the pool objects as one of its users.
func rados(t *testing.T, c *ceph.Cluster, user string, in []byte, args ...string) []byte {
	t.Helper()
	out, err := as(c, "rados", user, in, append([]string{"-p", "objects"}, args...)...)
	require.NoError(t, err)
	return out
}

func as(c *ceph.Cluster, tool, user string, in []byte, args ...string) ([]byte, error) {
	command := exec.Command(tool, append([]string{"-c", c.Conf(), "-n", "client." + user, "-k", c.Keyring(user)}, args...)...)
	command.Stdin = bytes.NewReader(in)
	return command.Output()
}

func denied(t *testing.T, c *ceph.Cluster, tool, user string, args ...string) {
	t.Helper()
	_, err := as(c, tool, user, nil, args...)
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	require.Regexp(t, "not permitted|EACCES|EPERM", string(exit.Stderr))
}

func run(t *testing.T, c *ceph.Cluster, args ...string) string {
	t.Helper()
	out, err := c.Ceph(t.Context(), args...)
	require.NoError(t, err)
	return string(out)
}

func daemons(t *testing.T, c *ceph.Cluster) string {
	t.Helper()
	out, err := exec.Command(filepath.Join(c.Dir(), "bin", "node.sh"), c.Dir(), "list").Output()
	require.NoError(t, err)
	return string(out)
}

// processes are those with the file among their arguments, by other means than
// the scripts use.
func processes(t *testing.T, file string) []string {
	t.Helper()
	paths, err := filepath.Glob("/proc/[0-9]*/cmdline")
	require.NoError(t, err)
	var found []string
	for _, path := range paths {
		line, err := os.ReadFile(path)
		if err == nil && bytes.Contains(line, []byte(file)) {
			found = append(found, strings.ReplaceAll(string(line), "\x00", " "))
		}
	}
	return found
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Log(strings.TrimRight(string(p), "\n"))
	return len(p), nil
}
