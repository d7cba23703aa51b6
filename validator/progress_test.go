package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"bogops/validator/probe"
	"bogops/validator/target"
)

func TestProgressIsWipedFromATerminalAndSilentElsewhere(t *testing.T) {
	for terminal, want := range map[bool]string{
		true: "\r\x1b[K0 of 2 checks\r\x1b[K1 of 2 checks\r\x1b[K", false: "",
	} {
		var out bytes.Buffer
		checks := make([]probe.Probe, 2) // without a Run: the judge's own fault, and ended all the same
		verdicts := runAll(t.Context(), checks, target.Target{}, probe.Env{}, progress(&out, terminal))
		require.Len(t, verdicts, 2)
		require.Equal(t, want, out.String())
	}
	file, err := os.Create(filepath.Join(t.TempDir(), "log"))
	require.NoError(t, err)
	defer file.Close()
	require.False(t, isTerminal(file))
}
