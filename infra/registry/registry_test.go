package registry_test

import (
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"github.com/stretchr/testify/require"

	"bogops/infra/registry"
)

func serve(t *testing.T, dir string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server, err := registry.Serve(listener, dir)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	return server.Address()
}

func files(t *testing.T, dir string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	return found
}

func TestAnImageThatIsPushedIsPulledWholeAndLeavesNoUploads(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	made, err := random.Image(1<<20, 3)
	require.NoError(t, err)
	ref, err := name.ParseReference(serve(t, dir) + "/team/app:v1")
	require.NoError(t, err)
	require.NoError(t, remote.Write(ref, made, remote.WithContext(t.Context())))

	got, err := remote.Image(ref, remote.WithContext(t.Context()))
	require.NoError(t, err)
	require.NoError(t, validate.Image(got))
	want, err := made.Digest()
	require.NoError(t, err)
	digest, err := got.Digest()
	require.NoError(t, err)
	require.Equal(t, want, digest)
	require.Empty(t, files(t, filepath.Join(dir, "uploads")))
	require.Len(t, files(t, filepath.Join(dir, "sha256")), 4) // three layers and a configuration
}

func TestARegistryThatStartsAnewKnowsItsBlobs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	made, err := random.Image(1000, 1)
	require.NoError(t, err)
	hash, err := made.ConfigName()
	require.NoError(t, err)
	for range 2 {
		ref, err := name.ParseReference(serve(t, dir) + "/app")
		require.NoError(t, err)
		_, err = remote.Head(ref)
		require.Error(t, err)
		require.NoError(t, remote.Write(ref, made))
		answer, err := http.Head("http://" + ref.Context().RegistryStr() + "/v2/app/blobs/" + hash.String())
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		require.Equal(t, http.StatusOK, answer.StatusCode)
	}
}

// send is one request of an upload, and where the next one goes.
func send(t *testing.T, method, url, body string, header ...string) (status int, next string) {
	t.Helper()
	asked, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	require.NoError(t, err)
	for i := 0; i < len(header); i += 2 {
		asked.Header.Set(header[i], header[i+1])
	}
	answer, err := http.DefaultClient.Do(asked)
	require.NoError(t, err)
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	require.NoError(t, err)
	return answer.StatusCode, answer.Header.Get("Location")
}

const (
	hello  = "hello"
	digest = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824" // printf hello | sha256sum
)

func TestABlobMayComeInPieces(t *testing.T) {
	t.Parallel()
	base := "http://" + serve(t, t.TempDir())
	status, at := send(t, http.MethodPost, base+"/v2/a/blobs/uploads/", "")
	require.Equal(t, http.StatusAccepted, status)
	status, at = send(t, http.MethodPatch, base+at, hello[:2], "Content-Range", "0-1")
	require.Equal(t, http.StatusAccepted, status)
	status, _ = send(t, http.MethodPatch, base+at, "x", "Content-Range", "4-4")
	require.Equal(t, http.StatusRequestedRangeNotSatisfiable, status)
	status, at = send(t, http.MethodPatch, base+at, hello[2:4], "Content-Range", "2-3")
	require.Equal(t, http.StatusAccepted, status)
	status, _ = send(t, http.MethodPut, base+at+"?digest="+digest, hello[4:])
	require.Equal(t, http.StatusCreated, status)
	answer, err := http.Get(base + "/v2/a/blobs/" + digest)
	require.NoError(t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.Equal(t, hello, string(text))
}

func TestBytesThatAreNotWhatTheirDigestSaysAreNotKept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	base := "http://" + serve(t, dir)
	_, at := send(t, http.MethodPost, base+"/v2/a/blobs/uploads/", "")
	_, at = send(t, http.MethodPatch, base+at, "hullo")
	status, _ := send(t, http.MethodPut, base+at+"?digest="+digest, "")
	require.Equal(t, http.StatusBadRequest, status)
	status, _ = send(t, http.MethodHead, base+"/v2/a/blobs/"+digest, "")
	require.Equal(t, http.StatusNotFound, status)
	require.Empty(t, files(t, filepath.Join(dir, "uploads")))
	require.Empty(t, files(t, filepath.Join(dir, "sha256")))
}

func TestADirectoryThatCannotBeMadeIsAnError(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o644))
	_, err := registry.Handler(file)
	require.ErrorContains(t, err, "registry:")
}
