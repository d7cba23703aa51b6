// Package concoursetest gives a test a real Concourse: one that is shared, or
// one of its own to break.
package concoursetest

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"bogops/infra/concourse"
)

// patience includes building Concourse where nobody did before.
const patience = 15 * time.Minute

// Shared gives t the Concourse that BOGOPS_CONCOURSE names. Without one it starts
// one for all tests of this process, which ends with the process. Others use it
// at the same time: make a team with a name of its own, and leave the worker
// alone. Where none can be had t is skipped; with CI=true it fails.
func Shared(t testing.TB) *concourse.Server {
	t.Helper()
	s, err := concourse.Find(os.Getenv)
	if errors.Is(err, concourse.ErrNone) {
		Needs(t)
		s, err = ours()
	} else if err == nil {
		t.Cleanup(func() { s.Close() })
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// ours is stopped by its guard, which sees the end of this process: a test
// cannot know that it is the last one.
var ours = sync.OnceValues(func() (*concourse.Server, error) {
	return start(concourse.Options{Fast: true})
})

// Own starts a Concourse for t alone, who may break it, and stops it in the end
// or when the test's process dies. o.Dir is chosen where it is empty.
func Own(t testing.TB, o concourse.Options) *concourse.Server {
	t.Helper()
	Needs(t)
	o.Fast = true
	s, err := start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func start(o concourse.Options) (*concourse.Server, error) {
	if o.Dir == "" {
		var err error
		if o.Dir, err = os.MkdirTemp("", "concourse-"); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return concourse.Start(ctx, o)
}

// Needs skips t where no Concourse can be started or with -short; with CI=true
// it fails where none can.
func Needs(t testing.TB) {
	t.Helper()
	if testing.Short() {
		t.Skip("starting a Concourse takes five seconds, and building it minutes")
	}
	if os.Geteuid() != 0 {
		Missing(t, "a Concourse wants root for its namespaces")
	}
	for _, tool := range []string{"containerd", "containerd-shim-runc-v2", "runc", "iptables", "ip", "nsenter", "unshare", "setpriv", "curl"} {
		if _, err := exec.LookPath(tool); err != nil {
			Missing(t, tool+" is not installed")
		}
	}
	for _, file := range []string{"/usr/lib/cni/bridge", "/usr/lib/postgresql/*/bin/initdb"} {
		if found, err := filepath.Glob(file); err != nil || len(found) == 0 {
			Missing(t, file+" is not there")
		}
	}
}

// Missing skips t on somebody's machine. On CI everything has to be there.
func Missing(t testing.TB, why string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(why)
	}
	t.Skip(why)
}
