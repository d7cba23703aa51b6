//go:build ceph

package radosstore

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/app/store"
	"bogops/infra/ceph"
	"bogops/infra/ceph/cephtest"
)

// realHome is a home in a namespace of the cluster that BOGOPS_CEPH names.
func realHome(t testing.TB, namespace string) *Home {
	t.Helper()
	dir := os.Getenv(ceph.Variable)
	home, err := Open(Config{Conf: filepath.Join(dir, "ceph.conf"), KeyFile: filepath.Join(dir, "keyring/objects"),
		Pool: "objects", Namespace: namespace})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, home.Close()) })
	waitHealthy(t, home)
	return home
}

func waitHealthy(t testing.TB, home *Home) {
	t.Helper()
	var health store.Health
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if health = home.Health(t.Context()); health.State == store.Healthy {
			return
		}
	}
	t.Fatalf("the cluster is not reached: %+v", health)
}

// namespace is a new one. It is emptied after every home of the test was closed:
// until then they write to it.
func namespace(t testing.TB) string {
	t.Helper()
	return cephtest.Shared(t).Namespace
}
