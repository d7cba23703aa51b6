package ceph_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/infra/ceph"
	"bogops/infra/ceph/cephtest"
)

const holderVariable = "BOGOPS_CEPH_TEST_HOLDER"

// TestMain lets this binary be, in a process of its own, a program that started
// a cluster and will be killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv(holderVariable); dir != "" {
		hold(dir)
	}
	os.Exit(m.Run())
}

func hold(dir string) {
	c, err := ceph.Start(context.Background(), ceph.Options{Dir: dir, Monitors: 1, Log: os.Stderr})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(c.Conf())
	select {}
}

func TestAClusterGoesWithItsProcessAndLeavesItsNeighbour(t *testing.T) {
	dir, err := os.MkdirTemp("", "ceph-")
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	holder := exec.Command(os.Args[0])
	holder.Env = append(os.Environ(), holderVariable+"="+filepath.Join(dir, "c"))
	holder.Stderr = testWriter{t}
	out, err := holder.StdoutPipe()
	require.NoError(t, err)
	cephtest.Needs(t)
	require.NoError(t, holder.Start())
	t.Cleanup(func() { holder.Process.Kill() })
	neighbour := cephtest.Own(t, ceph.Options{Monitors: 1}) // both are made at once
	conf, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	conf = conf[:len(conf)-1]
	require.NotEmpty(t, processes(t, conf))

	require.NoError(t, holder.Process.Kill())
	holder.Wait()
	require.Eventually(t, func() bool {
		_, err := os.Stat(filepath.Dir(conf))
		return os.IsNotExist(err) && len(processes(t, conf)) == 0
	}, time.Minute, 50*time.Millisecond)

	require.Len(t, processes(t, neighbour.Conf()), 5) // a monitor, a mgr, three OSDs
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	require.NoError(t, neighbour.Ready(ctx))
}
