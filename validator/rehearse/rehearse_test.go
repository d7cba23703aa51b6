package rehearse

import (
	"context"
	"io"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/validator/contest"
	"bogops/validator/probe"
)

func TestOnlyADemoCallsItsInterruptAFailure(t *testing.T) {
	app, err := exec.LookPath("true") // interrupted before it matters
	require.NoError(t, err)
	t.Setenv("TMPDIR", t.TempDir())
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	opts := Options{App: app, Listen: "127.0.0.1:0", Locale: "en", Stderr: io.Discard}
	opts.Out = filepath.Join(t.TempDir(), "run")
	require.NoError(t, Run(ctx, opts))
	opts.Demo, opts.Out = true, filepath.Join(t.TempDir(), "demo")
	require.ErrorIs(t, Run(ctx, opts), ErrInterrupted)
}

func TestNoCheckOfARehearsalOutlastsItsPatience(t *testing.T) {
	bounded := probes(&contest.Contest{Bricks: bricks(true, true)})
	require.NotEmpty(t, bounded)
	for _, p := range bounded {
		require.LessOrEqual(t, p.Timeout, 3*tick, p.Check.ID)
		require.Positive(t, p.Timeout, p.Check.ID)
	}
	require.Greater(t, longest(probe.All(level)), 3*tick, "the checks of the day are left as they are")
}

// longest is the most that one of these checks may take.
func longest(all []probe.Probe) (most time.Duration) {
	for _, p := range all {
		most = max(most, p.Timeout)
	}
	return most
}
