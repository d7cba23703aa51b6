package artefact_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/pipelines/package/artefact"
)

var at = time.Date(2026, 6, 1, 9, 0, 0, 987, time.FixedZone("CEST", 7200))

func some() []artefact.File {
	return []artefact.File{
		{Name: "start.sh", Mode: 0o755, Content: []byte("#!/bin/sh\n")},
		{Name: "app", Mode: 0o755, Content: bytes.Repeat([]byte("app"), 1000)},
		{Name: "VERSION", Mode: 0o644, Content: []byte("0.0.1-abc\n")},
	}
}

func written(t *testing.T, when time.Time, files []artefact.File) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, artefact.WriteGzip(&b, when, files))
	return b.Bytes()
}

func TestTheSameFilesMakeTheSameBytesInWhateverOrder(t *testing.T) {
	t.Parallel()
	first, backwards := some(), some()
	slices.Reverse(backwards)
	require.Equal(t, written(t, at, first), written(t, at, backwards))
	require.Equal(t, written(t, at, first), written(t, at.UTC().Add(time.Microsecond), first), "a second is what counts")
}

func TestWhatDiffersMakesOtherBytes(t *testing.T) {
	t.Parallel()
	whole := written(t, at, some())
	other := some()
	other[1].Content = append(other[1].Content, '!')
	require.NotEqual(t, whole, written(t, at, other))
	executable := some()
	executable[2].Mode = 0o755
	require.NotEqual(t, whole, written(t, at, executable))
	require.NotEqual(t, whole, written(t, at.Add(time.Second), some()))
}

func TestAnArchiveHoldsItsFilesAndNoTraceOfWhoMadeIt(t *testing.T) {
	t.Parallel()
	compressed, err := gzip.NewReader(bytes.NewReader(written(t, at, some())))
	require.NoError(t, err)
	require.True(t, compressed.ModTime.IsZero())
	require.Empty(t, compressed.Name)
	var names []string
	for archive := tar.NewReader(compressed); ; {
		header, err := archive.Next()
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
		names = append(names, header.Name)
		require.Zero(t, header.Uid)
		require.Empty(t, header.Uname)
		require.True(t, header.ModTime.Equal(at.Truncate(time.Second)), header.ModTime)
	}
	require.Equal(t, []string{"VERSION", "app", "start.sh"}, names)
}

func TestSha256sumAcceptsTheSumsAndSeesOneChangedByte(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "p.tar.gz")
	write(t, file, written(t, at, artefact.WithSums(some())))
	run(t, "tar", "-xzf", file, "-C", dir)
	check := func() error {
		cmd := exec.Command("sha256sum", "--check", "--strict", "--quiet", artefact.Sums)
		cmd.Dir = dir
		return cmd.Run()
	}
	require.NoError(t, check())
	changed := some()[1].Content
	changed[7] ^= 1
	write(t, filepath.Join(dir, "app"), changed)
	require.Error(t, check())
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, content, 0o644))
}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	require.NoError(t, err, "%s", out)
}
