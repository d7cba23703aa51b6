package main

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/stretchr/testify/require"

	"bogops/infra/concourse/image"
	"bogops/infra/registry"
)

// call runs the type as Concourse does, with source, params and version as JSON.
func call(t *testing.T, verb, dir, request string) (answer string, said string, err error) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	args := []string{verb}
	if dir != "" {
		args = append(args, dir)
	}
	err = kind().Run(t.Context(), args, strings.NewReader(request), &stdout, &stderr)
	return strings.TrimSpace(stdout.String()), stderr.String(), err
}

func request(t *testing.T, of any) string {
	t.Helper()
	text, err := json.Marshal(of)
	require.NoError(t, err)
	return string(text)
}

type object = map[string]any

func start(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server, err := registry.Serve(listener, t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	return server.Address()
}

// archive is a tar file of these entries; a body makes it a file.
func archive(t *testing.T, entries ...entry) string {
	t.Helper()
	var text bytes.Buffer
	to := tar.NewWriter(&text)
	for _, e := range entries {
		e.Header.Size, e.Header.ModTime = int64(len(e.body)), time.Unix(1600000000, 0)
		require.NoError(t, to.WriteHeader(&e.Header))
		_, err := io.WriteString(to, e.body)
		require.NoError(t, err)
	}
	require.NoError(t, to.Close())
	file := filepath.Join(t.TempDir(), "layer.tar")
	require.NoError(t, os.WriteFile(file, text.Bytes(), 0o644))
	return file
}

type entry struct {
	tar.Header
	body string
}

func file(name, body string, mode int64) entry {
	return entry{tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: mode}, body}
}

func dir(name string, mode int64) entry {
	return entry{tar.Header{Typeflag: tar.TypeDir, Name: name, Mode: mode}, ""}
}

func link(name, to string) entry {
	return entry{tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: to, Mode: 0o777}, ""}
}

func hard(name, to string) entry {
	return entry{tar.Header{Typeflag: tar.TypeLink, Name: name, Linkname: to}, ""}
}

func TestWhatIsPushedIsFoundAndUnpackedAsItWas(t *testing.T) {
	t.Parallel()
	address := start(t)
	layer := archive(t,
		dir("./", 0o755), dir("./usr", 0o755), dir("./usr/bin", 0o755), link("./bin", "usr/bin"),
		file("./bin/tool", "tool", 0o4755), hard("./usr/bin/same", "./usr/bin/tool"),
		link("./away", "/etc/passwd"), dir("./tmp", 0o1777), file("./deep/er/text", "text", 0o600))
	digest, err := image.Push(t.Context(), address, "team/tiny", layer, image.Config{Env: []string{"A=b"}, User: "nobody"})
	require.NoError(t, err)

	source := object{"repository": address + "/team/tiny"}
	answer, _, err := call(t, "check", "", request(t, object{"source": source, "version": nil}))
	require.NoError(t, err)
	require.JSONEq(t, `[{"tag":"latest","digest":"`+digest+`"}]`, answer)

	to := t.TempDir()
	version := object{"tag": "latest", "digest": digest}
	answer, _, err = call(t, "in", to, request(t, object{"source": source, "version": version}))
	require.NoError(t, err)
	require.JSONEq(t, `{"version":{"tag":"latest","digest":"`+digest+`"},"metadata":[
		{"name":"repository","value":"`+address+`/team/tiny"},{"name":"tag","value":"latest"}]}`, answer)
	require.JSONEq(t, `{"env":["A=b"],"user":"nobody"}`, text(t, to, "metadata.json"))
	require.Equal(t, digest, text(t, to, "digest"))
	require.Equal(t, "latest", text(t, to, "tag"))
	require.Equal(t, address+"/team/tiny", text(t, to, "repository"))

	require.Equal(t, "tool", text(t, to, "rootfs/usr/bin/tool"))
	tool, err := os.Stat(filepath.Join(to, "rootfs/usr/bin/tool"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o755)|os.ModeSetuid, tool.Mode())
	require.Equal(t, int64(1600000000), tool.ModTime().Unix())
	same, err := os.Stat(filepath.Join(to, "rootfs/usr/bin/same"))
	require.NoError(t, err)
	require.True(t, os.SameFile(tool, same))
	for name, want := range map[string]string{"bin": "usr/bin", "away": "/etc/passwd"} {
		got, err := os.Readlink(filepath.Join(to, "rootfs", name))
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	tmp, err := os.Stat(filepath.Join(to, "rootfs/tmp"))
	require.NoError(t, err)
	require.Equal(t, os.ModeDir|os.ModeSticky|0o777, tmp.Mode())
}

func text(t *testing.T, parts ...string) string {
	t.Helper()
	got, err := os.ReadFile(filepath.Join(parts...))
	require.NoError(t, err)
	return string(got)
}

func TestCheckTellsTheKnownVersionAndThenTheNewOne(t *testing.T) {
	t.Parallel()
	address := start(t)
	old, err := image.Push(t.Context(), address, "i:1.26", archive(t, file("a", "1", 0o644)), image.Config{})
	require.NoError(t, err)
	fresh, err := image.Push(t.Context(), address, "i:1.26", archive(t, file("a", "2", 0o644)), image.Config{})
	require.NoError(t, err)

	source := object{"repository": address + "/i", "tag": 1.26}
	cases := map[string]struct {
		from any
		want string
	}{
		"known":   {object{"digest": old, "tag": "1.26"}, `[{"tag":"1.26","digest":"` + old + `"},{"tag":"1.26","digest":"` + fresh + `"}]`},
		"same":    {object{"digest": fresh, "tag": "1.26"}, `[{"tag":"1.26","digest":"` + fresh + `"}]`},
		"removed": {object{"digest": "sha256:" + strings.Repeat("0", 64)}, `[{"tag":"1.26","digest":"` + fresh + `"}]`},
	}
	for name, c := range cases {
		answer, _, err := call(t, "check", "", request(t, object{"source": source, "version": c.from}))
		require.NoError(t, err, name)
		require.JSONEq(t, c.want, answer, name)
	}
}

func TestATagThatIsNotThereYetIsNoVersion(t *testing.T) {
	t.Parallel()
	answer, said, err := call(t, "check", "", request(t, object{"source": object{"repository": start(t) + "/none"}}))
	require.NoError(t, err)
	require.JSONEq(t, `[]`, answer)
	require.Contains(t, said, "is not there")
}

func TestAnImageThatWasGotCanBePut(t *testing.T) {
	t.Parallel()
	address := start(t)
	digest, err := image.Push(t.Context(), address, "from", archive(t, file("a", "1", 0o644)), image.Config{})
	require.NoError(t, err)
	at := t.TempDir()
	_, _, err = call(t, "in", at, request(t, object{
		"source": object{"repository": address + "/from"}, "version": object{"digest": digest}, "params": object{"format": "oci"}}))
	require.NoError(t, err)

	require.NoError(t, os.WriteFile(filepath.Join(at, "tags"), []byte("one two\n"), 0o644))
	answer, _, err := call(t, "out", at, request(t, object{
		"source": object{"repository": address + "/to", "tag": "v1"}, "params": object{"image": "*.tar", "additional_tags": "tags"}}))
	require.NoError(t, err)
	var put struct{ Version version }
	require.NoError(t, json.Unmarshal([]byte(answer), &put))
	for _, tag := range []string{"v1", "one", "two"} {
		answer, _, err = call(t, "check", "", request(t, object{"source": object{"repository": address + "/to", "tag": tag}}))
		require.NoError(t, err)
		require.JSONEq(t, `[{"tag":"`+tag+`","digest":"`+put.Version.Digest+`"}]`, answer)
	}
	to := t.TempDir()
	_, _, err = call(t, "in", to, request(t, object{"source": object{"repository": address + "/to"}, "version": put.Version}))
	require.NoError(t, err)
	require.Equal(t, "1", text(t, to, "rootfs/a"))
}

// Layers of images from elsewhere are compressed, and take away what lower
// ones had.
func TestALayerReplacesAndRemovesWhatLiesBelowIt(t *testing.T) {
	t.Parallel()
	address := start(t)
	lower := archive(t, file("d/gone", "", 0o644), file("d/kept", "lower", 0o644), file("o/x", "", 0o644),
		file("s", "lower", 0o644), file("was/file", "", 0o644), link("l", "d"))
	upper := archive(t, file("d/.wh.gone", "", 0o644), file("o/.wh..wh..opq", "", 0o644), file("o/y", "y", 0o644),
		file("s", "upper", 0o600), file("was", "a file", 0o644), dir("l", 0o755), file("l/own", "own", 0o644))
	var both []v1.Layer
	for _, f := range []string{lower, upper} {
		layer, err := tarball.LayerFromFile(f)
		require.NoError(t, err)
		both = append(both, layer)
	}
	made, err := mutate.AppendLayers(empty.Image, both...)
	require.NoError(t, err)
	ref, err := name.NewTag(address + "/two")
	require.NoError(t, err)
	require.NoError(t, remote.Write(ref, made, remote.WithContext(t.Context())))
	digest, err := made.Digest()
	require.NoError(t, err)

	to := t.TempDir()
	_, said, err := call(t, "in", to, request(t, object{
		"source": object{"repository": address + "/two"}, "version": object{"digest": digest.String()}}))
	require.NoError(t, err, said)
	require.NoFileExists(t, filepath.Join(to, "rootfs/d/gone"))
	require.NoFileExists(t, filepath.Join(to, "rootfs/o/x"))
	require.Equal(t, "lower", text(t, to, "rootfs/d/kept"))
	require.Equal(t, "y", text(t, to, "rootfs/o/y"))
	require.Equal(t, "upper", text(t, to, "rootfs/s"))
	require.Equal(t, "a file", text(t, to, "rootfs/was"))
	require.Equal(t, "own", text(t, to, "rootfs/l/own"))
	require.NoFileExists(t, filepath.Join(to, "rootfs/d/own"))
}

func TestALayerThatReachesOutOfTheImageIsRefused(t *testing.T) {
	t.Parallel()
	outside := t.TempDir()
	bad := map[string][]entry{
		"dots":                    {file("../escaped", "x", 0o644)},
		"dots inside":             {file("a/../../escaped", "x", 0o644)},
		"through a link":          {link("out", outside), file("out/escaped", "x", 0o644)},
		"through a relative link": {link("out", "../.."), file("out/escaped", "x", 0o644)},
		"a hard link out":         {hard("escaped", "../digest")},
		"whiteout of the parent":  {file(".wh...", "", 0o644)},
	}
	for name, entries := range bad {
		t.Run(name, func(t *testing.T) {
			address := start(t)
			digest, err := image.Push(t.Context(), address, "bad", archive(t, entries...), image.Config{})
			require.NoError(t, err)
			to := t.TempDir()
			_, said, err := call(t, "in", to, request(t, object{
				"source": object{"repository": address + "/bad"}, "version": object{"digest": digest}}))
			require.Error(t, err)
			require.Contains(t, said, "unpack")
			require.NoFileExists(t, filepath.Join(to, "escaped"))
			require.NoFileExists(t, filepath.Join(outside, "escaped"))
			require.FileExists(t, filepath.Join(to, "digest"))
		})
	}
}

func TestWhatIsNotThePushedBytesIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server, err := registry.Serve(listener, dir)
	require.NoError(t, err)
	defer server.Close()
	layer := archive(t, file("a", strings.Repeat("right", 1000), 0o644))
	digest, err := image.Push(t.Context(), server.Address(), "i", layer, image.Config{})
	require.NoError(t, err)

	blobs, err := filepath.Glob(filepath.Join(dir, "sha256", "*"))
	require.NoError(t, err)
	for _, blob := range blobs {
		require.NoError(t, os.WriteFile(blob, []byte(strings.Replace(text(t, blob), "right", "wrong", 1)), 0o644))
	}
	_, _, err = call(t, "in", t.TempDir(), request(t, object{
		"source": object{"repository": server.Address() + "/i"}, "version": object{"digest": digest}}))
	require.ErrorContains(t, err, "sha256")
}

func TestABadSourceIsOneClearSentence(t *testing.T) {
	t.Parallel()
	cases := []struct{ verb, source, params, want string }{
		{"check", `{}`, `{}`, "source.repository is missing"},
		{"check", `{"repository":"A B"}`, `{}`, `source.repository is "A B"`},
		{"check", `{"repository":"a","tag":"x/y"}`, `{}`, `source.tag is "x/y"`},
		{"check", `{"repository":"a","tga":"x"}`, `{}`, `source has the field "tga", wanted some of: repository, tag`},
		{"check", `{"repository":3}`, `{}`, "source.repository is a JSON number, wanted string"},
		{"check", `{"repository":"a","username":"u"}`, `{}`, "wanted both or none"},
		{"out", `{"repository":"a"}`, `{}`, "params.image is missing"},
		{"out", `{"repository":"a"}`, `{"image":"none*"}`, `params.image is "none*", which matches 0 files`},
		{"in", `{"repository":"a"}`, `{}`, "in got no version"},
	}
	for _, c := range cases {
		dir := ""
		if c.verb != "check" {
			dir = t.TempDir()
		}
		answer, said, err := call(t, c.verb, dir, `{"source":`+c.source+`,"params":`+c.params+`}`)
		require.Error(t, err, c.want)
		require.Empty(t, answer)
		require.Contains(t, said, c.want)
		require.Equal(t, 1, strings.Count(said, "\n"), said)
	}
}

// A registry that repeats what it got, as one does in its error.
func TestThePasswordIsSentAndNeverShown(t *testing.T) {
	t.Parallel()
	const password = "hunter2+/ö"
	got := make(chan string, 100)
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, asked *http.Request) {
		_, sent, ok := asked.BasicAuth()
		if !ok {
			w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
		} else {
			got <- sent
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"errors":[{"code":"DENIED","message":"wrong password `+password+`"}]}`)
	}))
	defer site.Close()
	_, said, err := call(t, "in", t.TempDir(), request(t, object{
		"source":  object{"repository": strings.TrimPrefix(site.URL, "http://") + "/i", "username": "u", "password": password},
		"version": object{"digest": "sha256:" + strings.Repeat("0", 64)}}))
	require.Error(t, err)
	require.NotEmpty(t, got, said)
	require.Equal(t, password, <-got)
	require.Contains(t, said, "[hidden]")
	require.NotContains(t, said, "hunter2")
}
