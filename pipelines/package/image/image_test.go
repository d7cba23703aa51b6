package image_test

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/stretchr/testify/require"

	"bogops/pipelines/package/image"
)

var settings = image.Settings{
	Name: "bogops/app", Program: "app", Version: "0.0.1-abc", Built: time.Unix(1780000000, 0),
	Env: []string{"BOGOPS_STORE=file:/data"}, Ports: []string{"8443/tcp"}, Data: "/data",
}

// program builds a small one, with cgo or without.
func program(t *testing.T, cgo string) []byte {
	t.Helper()
	dir := t.TempDir()
	source := "package main\n\nimport (\n\t\"os\"\n\t\"net\"\n)\n\nfunc main() {\n\t_, _ = net.LookupPort(\"tcp\", \"http\")\n\tos.Stdout.WriteString(\"it runs\\n\")\n}\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "main.go"), []byte(source), 0o600))
	cmd := exec.Command("go", "build", "-trimpath", "-o", "program", "main.go")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "CGO_ENABLED="+cgo, "GOFLAGS=")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	content, err := os.ReadFile(filepath.Join(dir, "program"))
	require.NoError(t, err)
	return content
}

func written(t *testing.T, program []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, image.Write(&b, settings, program))
	return b.Bytes()
}

// loaded reads an archive the way that `docker load` does.
func loaded(t *testing.T, archive []byte) v1.Image {
	t.Helper()
	img, err := tarball.Image(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(archive)), nil }, nil)
	require.NoError(t, err)
	return img
}

// unpacked lays an image out as a container would see it.
func unpacked(t *testing.T, img v1.Image) string {
	t.Helper()
	root := t.TempDir()
	cmd := exec.Command("tar", "-x", "-p", "-C", root)
	cmd.Stdin = mutate.Extract(img)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return root
}

func TestTheSameProgramMakesTheSameImage(t *testing.T) {
	t.Parallel()
	p := program(t, "0")
	require.Equal(t, written(t, p), written(t, p))
}

func TestAnImageRunsItsProgramAsNobodyInParticular(t *testing.T) {
	t.Parallel()
	img := loaded(t, written(t, program(t, "0")))
	config, err := img.ConfigFile()
	require.NoError(t, err)
	require.Equal(t, "10001", config.Config.User)
	require.Equal(t, []string{"/usr/local/bin/app"}, config.Config.Entrypoint)
	require.Contains(t, config.Config.ExposedPorts, "8443/tcp")
	require.Contains(t, config.Config.Volumes, "/data")
	require.True(t, config.Created.Equal(settings.Built), config.Created)

	root := unpacked(t, img)
	authorities, err := os.ReadFile(filepath.Join(root, "etc/ssl/certs/ca-certificates.crt"))
	require.NoError(t, err)
	require.Greater(t, strings.Count(string(authorities), "BEGIN CERTIFICATE"), 50)
	info, err := os.Stat(filepath.Join(root, "tmp"))
	require.NoError(t, err)
	require.Equal(t, os.ModeSticky|os.ModeDir|0o777, info.Mode())
}

func TestAProgramWithLibrariesFindsThemInItsImage(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("only root may change the root directory")
	}
	if _, err := exec.LookPath("gcc"); err != nil {
		t.Skip("gcc, which links with libraries, is not installed")
	}
	p := program(t, "1")
	libraries, err := image.Libraries(p)
	require.NoError(t, err)
	require.NotEmpty(t, libraries, "a loader and a libc")
	root := unpacked(t, loaded(t, written(t, p)))
	out, err := exec.Command("chroot", root, "/usr/local/bin/app").CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Equal(t, "it runs\n", string(out))
}

func TestAProgramWithoutLibrariesBringsNone(t *testing.T) {
	t.Parallel()
	libraries, err := image.Libraries(program(t, "0"))
	require.NoError(t, err)
	require.Empty(t, libraries)
}

func TestWhatIsNoProgramIsRefused(t *testing.T) {
	t.Parallel()
	require.ErrorContains(t, image.Write(io.Discard, settings, []byte("#!/bin/sh\n")), "want an ELF file")
}
