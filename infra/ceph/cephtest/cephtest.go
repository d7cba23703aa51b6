// Package cephtest gives a test a real Ceph cluster: a corner of one that is
// shared, or one of its own to break.
package cephtest

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bogops/infra/ceph"
)

// A Place is where a test may store: a fresh namespace of the pool objects. It
// has no way to break the cluster, which other tests use at the same time.
type Place struct {
	Conf         string // ceph.conf
	Keyring      string // the key of User
	User         string // "objects": reads and writes
	JudgeKeyring string // the key of "judge": reads
	AdminKeyring string // the key of "admin": everything
	Pool         string
	Namespace    string
	FSID         string
}

// Shared gives t a namespace of the cluster that BOGOPS_CEPH names, and empties
// it in the end. Without a cluster t is skipped; with CI=true it fails.
func Shared(t testing.TB) Place {
	t.Helper()
	cluster := shared(t)
	place := Place{
		Conf: cluster.Conf(), FSID: cluster.FSID(),
		User: "objects", Keyring: cluster.Keyring("objects"),
		JudgeKeyring: cluster.Keyring("judge"), AdminKeyring: cluster.Keyring("admin"),
		Pool: "objects", Namespace: "test-" + strings.ToLower(rand.Text()[:12]),
	}
	t.Cleanup(func() { place.empty(t) })
	return place
}

// Gateway gives t the S3 gateway of the shared cluster. Its buckets are shared
// by all: make one with a name of its own.
func Gateway(t testing.TB) ceph.Gateway {
	t.Helper()
	if _, err := exec.LookPath("radosgw"); err != nil {
		Missing(t, "radosgw is not installed")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	gateway, err := shared(t).Gateway(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return gateway
}

// Own starts a cluster for t alone, who may break it, and destroys it in the end
// or when the test's process dies. Small is quick: one monitor is up in eight
// seconds, three in twelve. o.Dir is chosen where it is empty.
func Own(t testing.TB, o ceph.Options) *ceph.Cluster {
	t.Helper()
	Needs(t)
	if o.Dir == "" {
		// Not t.TempDir: the path of a socket must fit into 107 bytes, and names
		// of tests are long.
		dir, err := os.MkdirTemp("", "ceph-")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.RemoveAll(dir) })
		o.Dir = filepath.Join(dir, "c")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	cluster, err := ceph.Start(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cluster.Destroy(); err != nil {
			t.Error(err)
		}
	})
	return cluster
}

// Needs skips t where no cluster can be started or with -short; with CI=true it
// fails where none can.
func Needs(t testing.TB) {
	t.Helper()
	if testing.Short() {
		t.Skip("starting a Ceph cluster takes ten seconds")
	}
	for _, tool := range []string{"ceph", "ceph-mon", "ceph-mgr", "ceph-osd"} {
		if _, err := exec.LookPath(tool); err != nil {
			Missing(t, tool+" is not installed")
		}
	}
}

func shared(t testing.TB) *ceph.Cluster {
	t.Helper()
	cluster, err := ceph.Find(os.Getenv)
	if errors.Is(err, ceph.ErrNone) {
		Missing(t, "no Ceph cluster: "+ceph.Variable+" is not set, `make ceph` starts one")
	}
	if err != nil {
		t.Fatal(err)
	}
	return cluster
}

// Missing skips t on somebody's machine. On CI everything has to be there.
func Missing(t testing.TB, why string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// empty removes what the test left; the cluster goes on without it.
func (p Place) empty(t testing.TB) {
	listed, err := p.rados("ls")
	if err != nil {
		t.Logf("emptying namespace %s: %v", p.Namespace, err)
		return
	}
	names := strings.FieldsFunc(string(listed), func(r rune) bool { return r == '\n' })
	for len(names) > 0 {
		batch := names[:min(len(names), 500)]
		names = names[len(batch):]
		if _, err := p.rados(append([]string{"rm", "--"}, batch...)...); err != nil {
			t.Logf("emptying namespace %s: %v", p.Namespace, err)
		}
	}
}

func (p Place) rados(args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return exec.CommandContext(ctx, "rados", append([]string{"-c", p.Conf, "-n", "client.admin", "-k", p.AdminKeyring,
		"-p", p.Pool, "-N", p.Namespace}, args...)...).Output()
}
