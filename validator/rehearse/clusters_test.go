package rehearse

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/infra/ceph/cephtest"
)

// daemonsOf are the Ceph daemons that run below dir.
func daemonsOf(t *testing.T, dir string) (found []string) {
	t.Helper()
	for _, line := range processesNaming(t, dir) {
		if strings.HasPrefix(filepath.Base(strings.Fields(line)[0]), "ceph-") {
			found = append(found, line)
		}
	}
	return found
}

// leavesNothing ends the cast of a raise that failed.
func leavesNothing(t *testing.T, c *cast, work string) {
	t.Helper()
	require.NoError(t, c.leave())
	require.Empty(t, processesNaming(t, work))
	left, err := filepath.Glob(filepath.Join(work, "*-ceph", "ceph.conf"))
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestAClusterThatIsInterruptedWhileItIsRaisedLeavesNothing(t *testing.T) {
	cephtest.Needs(t)
	if testing.Short() {
		t.Skip("begins to start a real cluster")
	}
	work := t.TempDir()
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	c := &cast{members: company()[:1], withCeph: true}
	raised := make(chan error, 1)
	go func() { raised <- c.raise(ctx, work, t.TempDir()) }()
	require.Eventually(t, func() bool { return len(daemonsOf(t, work)) > 0 }, time.Minute, 20*time.Millisecond)
	interrupt()
	require.ErrorIs(t, <-raised, context.Canceled)
	leavesNothing(t, c, work)
}

func TestAClusterThatCannotBeRaisedTakesTheOthersWithIt(t *testing.T) {
	cephtest.Needs(t)
	work := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(work, "temoin-ceph", "in-the-way"), 0o700))
	c := &cast{members: company(), withCeph: true}
	require.ErrorContains(t, c.raise(t.Context(), work, t.TempDir()), "the Ceph of temoin")
	leavesNothing(t, c, work)
}
