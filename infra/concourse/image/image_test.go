package image_test

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/require"

	"bogops/infra/concourse/image"
	"bogops/infra/registry"
)

// fresh makes an image though the cache may have it.
func fresh(t *testing.T, o image.Options) string {
	t.Helper()
	if _, err := exec.LookPath("dpkg-query"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("images are made of Debian packages, and dpkg-query is not there")
		}
		t.Skip("dpkg-query is not there")
	}
	kept, err := exec.Command("go", "env", "GOCACHE").Output()
	require.NoError(t, err)
	t.Setenv("GOCACHE", strings.TrimSpace(string(kept)))
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	out := filepath.Join(t.TempDir(), "out.tar")
	require.NoError(t, image.Build(t.Context(), o, out))
	return out
}

func sum(t *testing.T, file string) string {
	t.Helper()
	opened, err := os.Open(file)
	require.NoError(t, err)
	defer opened.Close()
	hash := sha256.New()
	_, err = io.Copy(hash, opened)
	require.NoError(t, err)
	return hex.EncodeToString(hash.Sum(nil))
}

// entries are the names in a tar file, and where links lead.
func entries(t *testing.T, file string) map[string]string {
	t.Helper()
	opened, err := os.Open(file)
	require.NoError(t, err)
	defer opened.Close()
	found := map[string]string{}
	for reader := tar.NewReader(opened); ; {
		entry, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return found
		}
		require.NoError(t, err)
		require.Zero(t, entry.Uid, entry.Name)
		found[entry.Name] = entry.Linkname
	}
}

// inRoot runs a script in an image, in namespaces of its own: /proc is its own,
// there is no network but a loopback.
func inRoot(t *testing.T, file string, environment []string, script string) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can change its root directory")
	}
	root := t.TempDir()
	said, err := exec.Command("tar", "--warning=no-timestamp", "-C", root, "-xf", file).CombinedOutput()
	require.NoError(t, err, string(said))
	const enter = `mount --bind /dev "$0/dev"; mount -t proc proc "$0/proc"; ip link set lo up; exec /usr/sbin/chroot "$0" /bin/bash -euc "$1"`
	command := exec.CommandContext(t.Context(), "unshare", "-m", "-n", "-p", "-f", "--kill-child", "/bin/sh", "-euc", enter, root, script)
	command.Env = environment
	if len(environment) == 0 {
		command.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root"}
	}
	said, err = command.CombinedOutput()
	require.NoError(t, err, string(said))
	return string(said)
}

func TestTinyHoldsWhatTasksCallAndRunsByItself(t *testing.T) {
	file := fresh(t, image.Options{Name: "tiny"})
	found := entries(t, file)
	require.Equal(t, "usr/bin", found["./bin"])
	for name := range found {
		require.NotContains(t, name, "/share/man/")
		require.False(t, strings.HasPrefix(name, "./usr/share/doc/"), name)
	}
	size, err := os.Stat(file)
	require.NoError(t, err)
	require.Less(t, size.Size(), int64(150<<20))
	said := inRoot(t, file, nil, `
		for program in bash sh git jq curl make tar gzip xz sed grep find xargs awk openssl ps diff which; do
			command -v "$program" >/dev/null || { echo "no $program"; exit 1; }
		done
		cd /tmp; git init -q x; cd x; echo hello >f; git add f; git -c user.name=x -c user.email=x@y commit -qm x
		git clone -q . ../y; printf 'all:\n\t@cat f | tr a-z A-Z\n' >../y/Makefile; make -s -C ../y
		echo '{"n": 41}' | jq '.n + 1'; awk 'BEGIN {print 6*7}'; tar czf - f | tar tzf -
		openssl verify -CApath /etc/ssl/certs "$(ls /etc/ssl/certs/*.pem | head -n 1)" >/dev/null; id -un
	`)
	require.Equal(t, "HELLO\n42\n42\nf\nroot\n", said)
}

func TestTheSamePackagesMakeTheSameBytes(t *testing.T) {
	first := sum(t, fresh(t, image.Options{Name: "git"}))
	second := sum(t, fresh(t, image.Options{Name: "git"}))
	require.Equal(t, first, second)
}

func TestWhatIsNoImageIsSaid(t *testing.T) {
	err := image.Build(t.Context(), image.Options{Name: "huge"}, filepath.Join(t.TempDir(), "x"))
	require.ErrorContains(t, err, `got "huge", wanted git, tiny or builder`)
	err = image.Build(t.Context(), image.Options{Name: "builder"}, filepath.Join(t.TempDir(), "x"))
	require.ErrorContains(t, err, "TREE")
}

// A small module stands for the tree: it has its program, a test, a vet, and C
// where a compiler needs it.
func TestTheBuilderCompilesNothingThatItWasMadeFor(t *testing.T) {
	if testing.Short() {
		t.Skip("the builder takes half a minute")
	}
	tree := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":            "module small\n\ngo 1.26\n",
		"go.sum":            "",
		"main.go":           "package main\n\nimport (\n\t\"fmt\"\n\t\"small/part\"\n)\n\nfunc main() { fmt.Println(part.Answer()) }\n",
		"part/part.go":      "package part\n\n// int answer(void) { return 42; }\nimport \"C\"\n\nfunc Answer() int { return int(C.answer()) }\n",
		"part/pure.go":      "//go:build !cgo\n\npackage part\n\nfunc Answer() int { return 42 }\n",
		"part/part_test.go": "package part\n\nimport \"testing\"\n\nfunc TestAnswer(t *testing.T) {\n\tif Answer() != 42 {\n\t\tt.Fatal()\n\t}\n}\n",
	} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(tree, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(tree, name), []byte(text), 0o644))
	}
	file := fresh(t, image.Options{Name: "builder", Tree: tree, Build: []string{"."}, Test: []string{"./part"}})
	said := inRoot(t, file, image.Environment(), `
		mkdir -p /tmp/elsewhere/part; cd /tmp/elsewhere
		printf 'module small\n\ngo 1.26\n' >go.mod
		printf 'package main\n\nimport (\n\t"fmt"\n\t"small/part"\n)\n\nfunc main() { fmt.Println(part.Answer()) }\n' >main.go
		printf 'package part\n\n// int answer(void) { return 42; }\nimport "C"\n\nfunc Answer() int { return int(C.answer()) }\n' >part/part.go
		printf '//go:build !cgo\n\npackage part\n\nfunc Answer() int { return 42 }\n' >part/pure.go
		printf 'package part\n\nimport "testing"\n\nfunc TestAnswer(t *testing.T) {\n\tif Answer() != 42 {\n\t\tt.Fatal()\n\t}\n}\n' >part/part_test.go
		tags=; [ ! -e /usr/include/rados/librados.h ] || tags='-tags ceph'
		[ -n "$tags" ] || export CGO_ENABLED=0
		go vet $tags -x . ./part >/tmp/vet 2>&1; go build $tags -x -o small . >/tmp/build 2>&1; go test $tags -x ./part >/tmp/test 2>&1
		cat /tmp/vet /tmp/build /tmp/test | grep -E '/(compile|vet|cgo) ' && exit 1
		./small
		sed -i s/42/43/ part/*.go; go build $tags -x -o small . 2>&1 | grep -c '/compile '; ./small
		touch "$GOCACHE/x" "$GOMODCACHE/x" "$HOME/x" /tmp/x; find "$GOCACHE" -newermt 2099-01-01 -name '*-d' | grep -q . && echo kept
	`)
	require.Equal(t, "42\n2\n43\nkept\n", said)
}

func TestWhatIsPushedIsAnImageOfTheFile(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server, err := registry.Serve(listener, t.TempDir())
	require.NoError(t, err)
	defer server.Close()
	file := filepath.Join(t.TempDir(), "layer.tar")
	opened, err := os.Create(file)
	require.NoError(t, err)
	layer := tar.NewWriter(opened)
	require.NoError(t, layer.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "a", Mode: 0o644}))
	require.NoError(t, layer.Close())
	require.NoError(t, opened.Close())

	digest, err := image.Push(t.Context(), server.Address(), "team/one:v1", file, image.Config{Env: image.Environment(), WorkingDir: "/srv", User: "nobody"})
	require.NoError(t, err)
	ref, err := name.ParseReference(server.Address() + "/team/one@" + digest)
	require.NoError(t, err)
	got, err := remote.Image(ref)
	require.NoError(t, err)
	layers, err := got.Layers()
	require.NoError(t, err)
	require.Len(t, layers, 1)
	content, err := layers[0].Uncompressed()
	require.NoError(t, err)
	defer content.Close()
	sent, err := io.ReadAll(content)
	require.NoError(t, err)
	whole, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, whole, sent)
	config, err := got.ConfigFile()
	require.NoError(t, err)
	require.Equal(t, image.Environment(), config.Config.Env)
	require.Equal(t, "/srv", config.Config.WorkingDir)
	require.Equal(t, "nobody", config.Config.User)
	again, err := image.Push(t.Context(), server.Address(), "team/one:v2", file, image.Config{Env: image.Environment(), WorkingDir: "/srv", User: "nobody"})
	require.NoError(t, err)
	require.Equal(t, digest, again)

	_, err = image.Push(t.Context(), server.Address(), "A B", file, image.Config{})
	require.ErrorContains(t, err, "image: push")
	_, err = image.Push(t.Context(), server.Address(), "x", file+".none", image.Config{})
	require.ErrorContains(t, err, "no such file")
}
