package pipelines_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"bogops/infra/concourse/concoursetest"
)

// flyProgram is that of the Concourse which the tests run, built on first use.
func flyProgram(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("building fly takes minutes where nobody has")
	}
	script, err := filepath.Abs("../infra/concourse/build/build.sh")
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), script)
	var said strings.Builder
	cmd.Stderr = &said
	dir, err := cmd.Output()
	if err != nil {
		concoursetest.Missing(t, "fly cannot be built: "+said.String())
	}
	return filepath.Join(strings.TrimSpace(string(dir)), "fly")
}
