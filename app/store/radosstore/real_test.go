//go:build ceph

package radosstore

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/app/store"
)

// realHome is a home in a namespace of its own on the cluster that BOGOPS_CEPH
// names.
func realHome(t testing.TB, namespace string) *Home {
	t.Helper()
	dir := os.Getenv("BOGOPS_CEPH")
	if dir == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("BOGOPS_CEPH names no cluster")
		}
		t.Skip("BOGOPS_CEPH names no cluster: make ceph starts one")
	}
	home, err := Open(Config{Conf: filepath.Join(dir, "ceph.conf"), KeyFile: filepath.Join(dir, "keyring/objects"),
		Pool: "objects", Namespace: namespace})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, home.Close()) })
	waitHealthy(t, home)
	empty(t, home)
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

// namespace is a new one.
func namespace(t testing.TB) string {
	t.Helper()
	var b [6]byte
	_, _ = rand.Read(b[:])
	return "test-" + hex.EncodeToString(b[:])
}

// empty removes every object of a home's namespace when the test ends.
func empty(t testing.TB, home *Home) {
	t.Cleanup(func() {
		ctx := context.Background()
		var names []string
		require.NoError(t, home.pool.each(ctx, func(name string) error {
			names = append(names, name)
			return nil
		}))
		for _, name := range names {
			require.NoError(t, home.pool.change(ctx, name, change{remove: true}))
		}
	})
}
