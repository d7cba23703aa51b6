package ceph_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/infra/ceph/cephtest"
)

// three are three hosts and a client, each in a network of its own.
type three struct {
	t   *testing.T
	dir string
}

func newThree(t *testing.T) three {
	t.Helper()
	cephtest.Needs(t)
	if os.Getuid() != 0 {
		cephtest.Missing(t, "network namespaces want root")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		cephtest.Missing(t, "ip is not installed: apt-get install iproute2")
	}
	dir, err := os.MkdirTemp("", "hosts-")
	require.NoError(t, err)
	h := three{t, dir}
	guard := exec.Command("./hosts.sh", dir, "guard") // should this process be killed
	pipe, err := guard.StdinPipe()
	require.NoError(t, err)
	guard.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	require.NoError(t, guard.Start())
	t.Cleanup(func() {
		pipe.Close()
		require.NoError(t, guard.Wait())
		require.NoDirExists(t, dir)
	})
	h.do(nil, "init")
	return h
}

func (h three) do(in []byte, args ...string) string {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, "./hosts.sh", append([]string{h.dir}, args...)...)
	var said bytes.Buffer
	command.Stdin, command.Stderr = bytes.NewReader(in), &said
	out, err := command.Output()
	require.NoError(h.t, err, said.String())
	return string(out)
}

// ceph and rados run on the fourth host.
func (h three) ceph(args ...string) string {
	h.t.Helper()
	return h.do(nil, append([]string{"on", "client", "./node.sh", filepath.Join(h.dir, "client"), "ceph"}, args...)...)
}

func (h three) rados(in []byte, args ...string) string {
	h.t.Helper()
	home := filepath.Join(h.dir, "client")
	return h.do(in, append([]string{"on", "client", "rados", "-c", filepath.Join(home, "ceph.conf"),
		"-n", "client.objects", "-k", filepath.Join(home, "keyring", "objects"), "-p", "objects",
		// An election on a busy machine outlasts what clients are given otherwise.
		"--client_mount_timeout", "60", "--rados_mon_op_timeout", "60", "--rados_osd_op_timeout", "60"}, args...)...)
}

func TestThreeHostsGoOnServingWhileOneIsCutOff(t *testing.T) {
	begun := time.Now()
	h := newThree(t)
	t.Logf("three hosts serve after %v", time.Since(begun).Round(100*time.Millisecond))
	tree := h.ceph("osd", "tree")
	for _, host := range []string{"host h1", "host h2", "host h3"} {
		require.Contains(t, tree, host)
	}
	h.rados([]byte("before"), "put", "before", "-")
	require.Equal(t, "before", h.rados(nil, "get", "before", "-"))

	h.do(nil, "cut", "h1") // the leading monitor and the first OSD are there
	cut := time.Now()
	// Every placement group has a copy on h1: nothing is written before it counts
	// as down, and what it led has another leader.
	for _, name := range strings.Split("abcdefghijklmnop", "") {
		h.rados([]byte("during"), "put", name, "-")
	}
	t.Logf("sixteen writes are done %v after the cut", time.Since(cut).Round(100*time.Millisecond))
	require.Equal(t, "before", h.rados(nil, "get", "before", "-"))
	require.Contains(t, h.ceph("quorum_status"), `"quorum_names":["h2","h3"]`)
	require.Contains(t, h.ceph("osd", "stat"), "3 osds: 2 up")

	h.do(nil, "heal", "h1")
	healed := time.Now()
	h.do(nil, "on", "client", "./cluster.sh", filepath.Join(h.dir, "client"), "wait", "90")
	t.Logf("whole again %v after the cable is back", time.Since(healed).Round(100*time.Millisecond))
	require.Contains(t, h.ceph("osd", "stat"), "3 osds: 3 up")
	require.Equal(t, "during", h.rados(nil, "get", "p", "-"))
}
