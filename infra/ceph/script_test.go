package ceph_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"bogops/infra/ceph"
)

func TestTheScriptsSayWhatWasGivenAndWhatIsWanted(t *testing.T) {
	empty := t.TempDir()
	made := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(made, "ceph.conf"), nil, 0o600))
	for _, c := range []struct {
		name        string
		environment string
		args        []string
		want        string
	}{
		{"nothing", "", []string{"./cluster.sh"}, "got 0 arguments; wanted: cluster.sh DIR {init|start|"},
		{"no such command", "", []string{"./cluster.sh", made, "begin"}, `got "begin"; wanted: cluster.sh DIR {`},
		{"no such directory", "", []string{"./cluster.sh", empty + "/x", "start"}, `x" is no directory; cluster.sh DIR init makes a cluster`},
		{"nothing made there", "", []string{"./cluster.sh", empty, "start"}, " holds no cluster: cluster.sh DIR init makes one"},
		{"made before", "", []string{"./cluster.sh", made, "init"}, " holds a cluster already: start it, or destroy it first"},
		{"too few OSDs", "BOGOPS_CEPH_OSDS=2", []string{"./cluster.sh", empty, "init"}, `BOGOPS_CEPH_OSDS is "2", wanted a whole number from 3`},
		{"odd monitors", "BOGOPS_CEPH_MONS=three", []string{"./cluster.sh", empty, "init"}, `BOGOPS_CEPH_MONS is "three", wanted a whole number from 1`},
		{"odd patience", "", []string{"./cluster.sh", made, "wait", "long"}, `wait is "long", wanted a whole number from 1`},
		{"pool's name", "", []string{"./cluster.sh", made, "pool", "Otters!"}, `pool got "Otters!", wanted a name of small letters and digits`},
		{"whom to kill", "", []string{"./cluster.sh", made, "kill"}, `kill got "", wanted a daemon like mon.a, mgr.x, osd.0 or rgw.g`},
		{"killing all", "", []string{"./cluster.sh", made, "kill", "osd.*"}, `kill got "osd.*", wanted a daemon like`},
		{"who does not run", "", []string{"./cluster.sh", made, "kill", "osd.0"}, "osd.0 does not run"},
		{"who was never made", "", []string{"./cluster.sh", made, "up", "osd.7"}, "osd.7 was never made here: node.sh DIR init osd.7"},
		{"no monitors", "", []string{"./node.sh", empty, "conf"}, "BOGOPS_CEPH_MON_HOSTS is empty, wanted NAME=ADDRESS:PORT of every monitor"},
		{"monitor without port", "BOGOPS_CEPH_MON_HOSTS=a=10.0.0.1", []string{"./node.sh", empty, "conf"}, `BOGOPS_CEPH_MON_HOSTS has "a=10.0.0.1", wanted NAME=ADDRESS:PORT`},
		{"odd size", "BOGOPS_CEPH_OSD_SIZE=big", []string{"./node.sh", empty, "conf"}, `BOGOPS_CEPH_OSD_SIZE is "big", wanted a size like 10G`},
		{"no conf", "", []string{"./node.sh", empty, "list"}, "ceph.conf is not there: node.sh DIR conf writes it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			command := exec.Command(c.args[0], c.args[1:]...)
			command.Env = append(os.Environ(), c.environment)
			out, err := command.CombinedOutput()
			require.Error(t, err)
			require.Contains(t, string(out), c.want)
		})
	}
}

func TestStartRefusesADirectoryThatHoldsSomething(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "mine")
	require.NoError(t, os.WriteFile(file, []byte("precious"), 0o600))
	_, err := ceph.Start(t.Context(), ceph.Options{Dir: dir})
	require.ErrorContains(t, err, "holds something already, wanted a directory that is empty or not there")
	require.FileExists(t, file)
	_, err = ceph.Start(t.Context(), ceph.Options{})
	require.ErrorContains(t, err, "Options.Dir is empty")
}

func TestFindSaysWhatTheEnvironmentNames(t *testing.T) {
	_, err := ceph.Find(func(string) string { return "" })
	require.ErrorIs(t, err, ceph.ErrNone)
	_, err = ceph.Find(func(string) string { return "/nowhere/at/all" })
	require.ErrorContains(t, err, `BOGOPS_CEPH is "/nowhere/at/all", wanted the directory of a cluster`)
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "ceph.conf"), []byte(
		"[global]\nfsid = f\nmon_host = [v2:127.0.0.1:1,v1:127.0.0.1:2],[v2:127.0.0.1:3]\n[client]\nfsid = other\n"), 0o600))
	c, err := ceph.Find(func(string) string { return dir })
	require.NoError(t, err)
	require.Equal(t, "f", c.FSID())
	require.Equal(t, []string{"[v2:127.0.0.1:1,v1:127.0.0.1:2]", "[v2:127.0.0.1:3]"}, c.Monitors())
}
