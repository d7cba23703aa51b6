package cephtest_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"bogops/infra/ceph"
	"bogops/infra/ceph/cephtest"
)

func TestAPlaceIsFreshAndIsEmptiedAfterwards(t *testing.T) {
	var first, second cephtest.Place
	t.Run("stores", func(t *testing.T) {
		first, second = cephtest.Shared(t), cephtest.Shared(t)
		for _, name := range []string{"a", "-b", "with a space", "é/ü", "--c"} {
			_, err := rados(first, first.User, first.Keyring, "put", "--", name, "/etc/hostname")
			require.NoError(t, err, name)
		}
		require.Equal(t, 5, strings.Count(list(t, first), "\n"))
		require.Empty(t, list(t, second))
	})
	if first.Namespace == "" {
		t.Skip("no cluster")
	}
	require.NotEqual(t, first.Namespace, second.Namespace)
	require.Empty(t, list(t, first))
}

func list(t *testing.T, p cephtest.Place) string {
	t.Helper()
	out, err := rados(p, "judge", p.JudgeKeyring, "ls")
	require.NoError(t, err)
	return string(out)
}

func rados(p cephtest.Place, user, keyring string, args ...string) ([]byte, error) {
	return exec.Command("rados", append([]string{"-c", p.Conf, "-n", "client." + user, "-k", keyring, "-p", p.Pool, "-N", p.Namespace}, args...)...).Output()
}

// A watched test notes how it would have ended.
type watched struct {
	testing.TB
	skipped, failed bool
}

func (w *watched) Helper()     {}
func (w *watched) Skip(...any) { w.skipped = true; panic(w) }
func (w *watched) Fatal(...any) {
	w.failed = true
	panic(w)
}

func TestWithoutAClusterATestIsSkippedAndOnCIFails(t *testing.T) {
	t.Setenv(ceph.Variable, "")
	for _, c := range []struct {
		ci              string
		skipped, failed bool
	}{{"", true, false}, {"true", false, true}} {
		t.Setenv("CI", c.ci)
		w := &watched{TB: t}
		require.PanicsWithValue(t, w, func() { cephtest.Shared(w) })
		require.Equal(t, c.skipped, w.skipped)
		require.Equal(t, c.failed, w.failed)
	}
}
