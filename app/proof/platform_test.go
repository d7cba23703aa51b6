//go:build ceph

package proof

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"bogops/infra/ceph"
	"bogops/infra/s3"
)

// pace is the times that a platform lives by. Those of one in use are longer;
// nothing but waiting would be proved by them.
type pace struct{ lease, tripAfter, backAfter time.Duration }

var (
	usual = pace{2 * time.Second, 3 * time.Second, 2 * time.Second}
	quick = pace{500 * time.Millisecond, time.Second, 500 * time.Millisecond}
)

// osds are the daemons that keep the objects.
var osds = [...]string{"osd.0", "osd.1", "osd.2"}

// parts are what platforms are built of.
type parts struct {
	cluster *ceph.Cluster
	s3      s3.Server
}

// platform is two instances on a namespace and a bucket of their own.
type platform struct {
	parts
	pace
	namespace string
	began     time.Time
	instances [2]*instance
	client    *http.Client
}

// built is the program as it is deployed; with tags it breaks rules on demand.
func built(t testing.TB, tags string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "app")
	out, err := exec.Command("go", "build", "-tags", tags, "-o", program, "bogops/app").CombinedOutput()
	require.NoError(t, err, "%s", out)
	return program
}

// newPlatform starts the instances and waits until they serve.
func newPlatform(t testing.TB, p parts, at pace, program string, env ...string) *platform {
	t.Helper()
	name := "proof-" + strings.ToLower(rand.Text()[:12])
	f := &platform{parts: p, pace: at, namespace: name, began: time.Now(), client: &http.Client{
		Timeout:   patience,
		Transport: &http.Transport{MaxIdleConnsPerHost: 2 * clients, DisableCompression: true},
	}}
	t.Cleanup(f.client.CloseIdleConnections)
	for n := range f.instances {
		way := newFront(t, p.s3.Endpoint)
		i := &instance{name: fmt.Sprintf("i%d", n), front: way, began: f.began, command: []string{
			program, "--listen", "127.0.0.1:0", "--instance", fmt.Sprintf("i%d", n),
			"--store", "ceph:objects/" + name, "--ceph-conf", p.cluster.Conf(), "--ceph-user", "objects", "--ceph-key-file", p.cluster.Keyring("objects"),
			"--fallback", "s3:" + name, "--s3-endpoint", way.URL, "--s3-path-style", "--s3-create", "--s3-region", "us-east-1",
			"--lease", at.lease.String(), "--trip-after", at.tripAfter.String(), "--back-after", at.backAfter.String(), "--audit-rate", "0",
		}}
		f.instances[n] = i
		t.Cleanup(i.kill)
		i.start(t, f.env(env)...)
	}
	f.awaitMode(t, time.Minute, "primary")
	return f
}

func (f *platform) env(more []string) []string {
	return append([]string{"AWS_ACCESS_KEY_ID=" + f.s3.AccessKey, "AWS_SECRET_ACCESS_KEY=" + f.s3.SecretKey}, more...)
}

// restart starts a dead instance again.
func (f *platform) restart(t testing.TB, i *instance, env ...string) {
	t.Helper()
	i.start(t, f.env(env)...)
}

// other is the instance that i is not.
func (f *platform) other(i *instance) *instance {
	if i == f.instances[0] {
		return f.instances[1]
	}
	return f.instances[0]
}

// awaitMode waits until all the instances that run serve in a mode.
func (f *platform) awaitMode(t testing.TB, most time.Duration, mode string) {
	t.Helper()
	waitFor(t, most, func() bool {
		for _, i := range f.instances {
			if last := i.last(); i.address() != "" && !i.isPaused() && (!last.serving || last.mode != mode) {
				return false
			}
		}
		return true
	}, "all serve in mode %s", mode)
}

// each does something to daemons of Ceph, all at once.
func (f *platform) each(t testing.TB, what func(context.Context, string) error, names ...string) error {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	group := errgroup.Group{}
	for _, name := range names {
		group.Go(func() error { return what(ctx, name) })
	}
	return group.Wait()
}

func (f *platform) kill(t testing.TB, names ...string) {
	t.Helper()
	require.NoError(t, f.each(t, f.cluster.Kill, names...))
}

func (f *platform) up(t testing.TB, names ...string) {
	t.Helper()
	require.NoError(t, f.each(t, f.cluster.Up, names...))
}

func (f *platform) freeze(t testing.TB) {
	t.Helper()
	require.NoError(t, f.each(t, f.cluster.Freeze, osds[:]...))
}

func (f *platform) thaw(t testing.TB) {
	t.Helper()
	require.NoError(t, f.each(t, f.cluster.Thaw, osds[:]...))
}

// hold has the OSDs take no operation of any client, and let them wait.
func (f *platform) hold(t testing.TB)    { t.Helper(); f.ceph(t, "osd", "set", "pause") }
func (f *platform) release(t testing.TB) { t.Helper(); f.ceph(t, "osd", "unset", "pause") }

func (f *platform) ceph(t testing.TB, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, err := f.cluster.Ceph(ctx, args...)
	require.NoError(t, err)
}

// cutS3 takes S3 from all instances, healS3 gives it back.
func (f *platform) cutS3() {
	for _, i := range f.instances {
		i.front.shut()
	}
}

func (f *platform) healS3() {
	for _, i := range f.instances {
		i.front.open()
	}
}

// tell prints what the instances logged, where the test has failed.
func (f *platform) tell(t testing.TB) {
	if !t.Failed() {
		return
	}
	for _, i := range f.instances {
		t.Logf("%s said last:\n%s", i.name, i.tail())
	}
}
