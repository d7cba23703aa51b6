package sbom_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	cyclonedx "github.com/CycloneDX/cyclonedx-go"
	"github.com/stretchr/testify/require"

	"bogops/pipelines/package/sbom"
)

// subject is the command that makes packages: it is certainly built of
// cyclonedx-go. A test's own program does not say what it is built of.
func subject(t *testing.T) (sbom.Subject, []byte) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "package")
	out, err := exec.Command("go", "build", "-trimpath", "-o", path, "bogops/pipelines/package").CombinedOutput()
	require.NoError(t, err, "%s", out)
	program, err := os.ReadFile(path)
	require.NoError(t, err)
	return sbom.Subject{Name: "app", Version: "0.0.1-abc", Built: time.Unix(1780000000, 0), SHA256: []byte{0xab}}, program
}

func TestAListNamesEachModuleThatTheProgramWasLinkedFrom(t *testing.T) {
	t.Parallel()
	text, err := sbom.Make(subject(t))
	require.NoError(t, err)
	var bom cyclonedx.BOM
	require.NoError(t, cyclonedx.NewBOMDecoder(bytes.NewReader(text), cyclonedx.BOMFileFormatJSON).Decode(&bom))
	named := func(name string) *cyclonedx.Component {
		i := slices.IndexFunc(*bom.Components, func(c cyclonedx.Component) bool { return c.Name == name })
		if i < 0 {
			return nil
		}
		return &(*bom.Components)[i]
	}
	require.NotNil(t, named("std"))
	require.Equal(t, strings.TrimPrefix(runtime.Version(), "go"), named("std").Version)
	require.NotNil(t, named("github.com/CycloneDX/cyclonedx-go"))
	require.Equal(t, "pkg:golang/github.com/CycloneDX/cyclonedx-go@"+named("github.com/CycloneDX/cyclonedx-go").Version, named("github.com/CycloneDX/cyclonedx-go").PackageURL)
	require.Nil(t, named("github.com/gin-gonic/gin"), "go.mod has it, this program does not")
	require.Len(t, *(*bom.Dependencies)[0].Dependencies, len(*bom.Components))
	require.Equal(t, "ab", (*bom.Metadata.Component.Hashes)[0].Value)
	require.Equal(t, "2026-05-28T20:26:40Z", bom.Metadata.Timestamp)
}

func TestTheSameProgramMakesTheSameList(t *testing.T) {
	t.Parallel()
	one, err := sbom.Make(subject(t))
	require.NoError(t, err)
	other, err := sbom.Make(subject(t))
	require.NoError(t, err)
	require.Equal(t, one, other)
}

func TestWhatIsNoGoProgramIsRefused(t *testing.T) {
	t.Parallel()
	of, _ := subject(t)
	_, err := sbom.Make(of, []byte("#!/bin/sh\n"))
	require.ErrorContains(t, err, "read what app was built of")
}
