package fleet

import (
	"archive/tar"
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAPackageIsUnpackedAsItWasPacked(t *testing.T) {
	dir := t.TempDir()
	files := contents("abc123")
	files["lib/more/text"] = "deep"
	revision, err := unpack(bytes.NewReader(pack(t, files)), dir, 1<<20)
	require.NoError(t, err)
	require.Equal(t, "abc123", revision)
	for name, want := range files {
		have, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		require.Equal(t, want, string(have))
	}
}

func TestAPackageThatIsWrongInOneThingIsRefused(t *testing.T) {
	changed := func(change func(map[string]string)) []byte {
		files := contents("abc123")
		change(files)
		return pack(t, files)
	}
	with := func(more func(*tar.Writer)) []byte {
		files := contents("abc123")
		files[sumsFile] = sums(files)
		return archived(t, func(w *tar.Writer) {
			for _, name := range slices.Sorted(maps.Keys(files)) {
				entry(t, w, tar.Header{Name: name}, files[name])
			}
			more(w)
		})
	}
	for name, c := range map[string]struct {
		archive []byte
		says    string
	}{
		"not gzip":         {[]byte("hello"), "not a gzip stream"},
		"cut short":        {pack(t, contents("abc123"))[:100], "not a tar archive"},
		"without app":      {changed(func(f map[string]string) { delete(f, "app") }), "holds no app"},
		"without start":    {changed(func(f map[string]string) { delete(f, "start.sh") }), "no start script"},
		"without VERSION":  {changed(func(f map[string]string) { delete(f, "VERSION") }), "holds no VERSION"},
		"without an SBOM":  {changed(func(f map[string]string) { delete(f, "sbom.cdx.json") }), "holds no sbom.cdx.json"},
		"two-line VERSION": {changed(func(f map[string]string) { f["VERSION"] = "a\nb" }), "VERSION holds"},
		"endless VERSION":  {changed(func(f map[string]string) { f["VERSION"] = "a" + strings.Repeat("\n", 300) }), "VERSION has 301 bytes; want at most 300"},
		"endless checksums": {archived(t, func(w *tar.Writer) {
			files := contents("abc123")
			files[sumsFile] = strings.Repeat(sums(files), 300)
			for _, name := range slices.Sorted(maps.Keys(files)) {
				entry(t, w, tar.Header{Name: name}, files[name])
			}
		}), "bytes; want at most 65536"},
		"not listed": {with(func(w *tar.Writer) {
			entry(t, w, tar.Header{Name: "more"}, "text")
		}), "more is not in SHA256SUMS"},
		"there twice": {with(func(w *tar.Writer) {
			entry(t, w, tar.Header{Name: "./app"}, "text")
		}), "is there twice"},
		"out of the directory": {with(func(w *tar.Writer) {
			entry(t, w, tar.Header{Name: "../../evil"}, "text")
		}), "leads out of the package"},
		"from the root": {with(func(w *tar.Writer) {
			entry(t, w, tar.Header{Name: "/tmp/evil"}, "text")
		}), "leads out of the package"},
		"a link": {with(func(w *tar.Writer) {
			entry(t, w, tar.Header{Name: "more", Typeflag: tar.TypeSymlink, Linkname: "/etc"}, "")
		}), "neither a file nor a directory"},
		"a hard link": {with(func(w *tar.Writer) {
			entry(t, w, tar.Header{Name: "more", Typeflag: tar.TypeLink, Linkname: "app"}, "")
		}), "neither a file nor a directory"},
		"a file for a directory": {with(func(w *tar.Writer) {
			entry(t, w, tar.Header{Name: "app/more"}, "text")
		}), "app/more"},
		"too many entries": {with(func(w *tar.Writer) {
			for n := range maxFiles {
				entry(t, w, tar.Header{Name: strings.Repeat("d", n+1), Typeflag: tar.TypeDir}, "")
			}
		}), "more than 256 entries"},
		"too large": {changed(func(f map[string]string) { f["more"] = strings.Repeat("0", 2<<20) }), "more than is allowed"},
		"another app": {archived(t, func(w *tar.Writer) {
			files := contents("abc123")
			files[sumsFile] = sums(files)
			files["app"] += "# and more"
			for _, name := range slices.Sorted(maps.Keys(files)) {
				entry(t, w, tar.Header{Name: name}, files[name])
			}
		}), "app has SHA-256"},
		"something missing": {archived(t, func(w *tar.Writer) {
			files := contents("abc123")
			files["more"] = "text"
			files[sumsFile] = sums(files)
			delete(files, "more")
			for _, name := range slices.Sorted(maps.Keys(files)) {
				entry(t, w, tar.Header{Name: name}, files[name])
			}
		}), "more is in SHA256SUMS and not in the package"},
		"start not executable": {archived(t, func(w *tar.Writer) {
			files := contents("abc123")
			files[sumsFile] = sums(files)
			for _, name := range slices.Sorted(maps.Keys(files)) {
				entry(t, w, tar.Header{Name: name, Mode: 0o644}, files[name])
			}
		}), "is not executable"},
		"no checksums": {archived(t, func(w *tar.Writer) {
			for name, text := range contents("abc123") {
				entry(t, w, tar.Header{Name: name}, text)
			}
		}), "holds no SHA256SUMS"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "in", "side")
			require.NoError(t, os.MkdirAll(dir, 0o700))
			_, err := unpack(bytes.NewReader(c.archive), dir, 1<<20)
			require.ErrorIs(t, err, errPackage)
			require.ErrorContains(t, err, c.says)
			require.NoFileExists(t, filepath.Join(dir, "..", "..", "evil"))
		})
	}
}
