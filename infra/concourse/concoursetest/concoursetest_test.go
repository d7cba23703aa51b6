package concoursetest_test

import (
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"bogops/infra/concourse"
	"bogops/infra/concourse/concoursetest"
	"bogops/infra/concourse/image"
	"bogops/infra/registry"
)

// The whole way of an image: made of what is installed here, put into a
// registry of this machine's, found by a base resource type, run as a task.
func TestATaskRunsInTheTinyImageFromARegistry(t *testing.T) {
	s := concoursetest.Shared(t)
	require.Equal(t, s.Dir(), concoursetest.Shared(t).Dir(), "one for all tests")
	dir := t.TempDir()
	tar := filepath.Join(dir, "tiny.tar")
	require.NoError(t, image.Build(t.Context(), image.Options{Name: "tiny"}, tar))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	images, err := registry.Serve(listener, filepath.Join(dir, "registry"))
	require.NoError(t, err)
	t.Cleanup(func() { images.Close() })
	_, err = image.Push(t.Context(), listener.Addr().String(), "tiny", tar, image.Config{Env: []string{"PATH=/usr/bin:/bin"}})
	require.NoError(t, err)
	inside, err := s.Inside(t.Context(), listener.Addr().String())
	require.NoError(t, err)

	task := filepath.Join(dir, "task.yml")
	require.NoError(t, os.WriteFile(task, []byte(`
platform: linux
image_resource: {type: registry-image, source: {repository: `+inside+`/tiny, insecure: true}}
run: {path: sh, args: [-ec, 'echo "{\"said\": 42}" | jq .said']}
`), 0o600))
	out, err := s.Fly(t.Context(), "execute", "--config", task)
	require.NoError(t, err, string(out))
	require.Contains(t, string(out), "42")
}

// A watched test notes how it would have ended.
type watched struct {
	testing.TB
	skipped, failed bool
}

func (w *watched) Helper()     {}
func (w *watched) Skip(...any) { w.skipped = true; panic(w) }
func (w *watched) Fatal(...any) {
	w.failed = true
	panic(w)
}

func TestWhatIsMissingIsASkipAndOnCIAFailure(t *testing.T) {
	t.Setenv(concourse.Variable, "")
	t.Setenv("PATH", "/nowhere")
	for _, c := range []struct {
		ci              string
		skipped, failed bool
	}{{"", true, false}, {"true", false, true}} {
		t.Setenv("CI", c.ci)
		w := &watched{TB: t}
		require.PanicsWithValue(t, w, func() { concoursetest.Needs(w) })
		require.Equal(t, c.skipped, w.skipped)
		require.Equal(t, c.failed, w.failed)
	}
	t.Setenv(concourse.Variable, "/dev/null/none")
	w := &watched{TB: t}
	require.PanicsWithValue(t, w, func() { concoursetest.Shared(w) })
	require.True(t, w.failed)
}
