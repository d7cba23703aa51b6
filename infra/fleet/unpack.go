package fleet

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// A package is a tar.gz of what an instance is started from:
//
//	app           the server
//	start.sh      (or start) is run with the instance's arguments
//	VERSION       one line: the source revision that app was built from
//	sbom.cdx.json what app is made of (CycloneDX)
//	SHA256SUMS    as sha256sum prints, of every other file
const (
	sumsFile     = "SHA256SUMS"
	revisionFile = "VERSION"
)

// startFiles are the names that a start script may have.
var startFiles = []string{"start.sh", "start"}

// maxFiles bounds how many a package may hold.
const maxFiles = 256

// most bounds, in bytes, the entries that are read into memory: 300 for the
// revision, of which 200 may count, and for the checksums 256 for each file.
func most(name string) (bytes int64, bounded bool) {
	switch name {
	case revisionFile:
		return 300, true
	case sumsFile:
		return maxFiles * 256, true
	}
	return 0, false
}

// errPackage marks what is wrong with a package, as opposed to this machine.
var errPackage = errors.New("the package is not usable")

func packageError(format string, args ...any) error {
	return fmt.Errorf("%w: %w", errPackage, fmt.Errorf(format, args...))
}

// unpack writes what the archive holds into dir, which is empty, and checks it.
// No more than limit bytes are written, and nothing outside of dir.
func unpack(archive io.Reader, dir string, limit int64) (revision string, err error) {
	zipped, err := gzip.NewReader(archive)
	if err != nil {
		return "", packageError("it is not a gzip stream: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return "", err
	}
	defer root.Close()
	sums := map[string]string{}
	entries := tar.NewReader(zipped)
	for n := 0; ; n++ {
		header, err := entries.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return "", packageError("it is not a tar archive: %w", err)
		}
		if n >= maxFiles {
			return "", packageError("it holds more than %d entries", maxFiles)
		}
		if limit -= header.Size; limit < 0 {
			return "", packageError("it unpacks to more than is allowed")
		}
		if err := unpackEntry(root, header, entries, sums); err != nil {
			return "", err
		}
	}
	return verify(dir, sums)
}

// unpackEntry writes one entry and its checksum. Links, devices and names that
// lead elsewhere are refused: a package has no need of them.
func unpackEntry(root *os.Root, header *tar.Header, body io.Reader, sums map[string]string) error {
	name := path.Clean(header.Name)
	if !filepath.IsLocal(name) || strings.Contains(name, `\`) {
		return packageError("entry %q leads out of the package", header.Name)
	}
	switch header.Typeflag {
	case tar.TypeXGlobalHeader:
		return nil
	case tar.TypeDir:
		return root.MkdirAll(name, 0o755)
	case tar.TypeReg:
	default:
		return packageError("entry %q is neither a file nor a directory", header.Name)
	}
	if _, twice := sums[name]; twice {
		return packageError("entry %q is there twice", name)
	}
	if limit, bounded := most(name); bounded && header.Size > limit {
		return packageError("%s has %d bytes; want at most %d", name, header.Size, limit)
	}
	if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return packageError("entry %q: %w", name, err)
	}
	mode := fs.FileMode(0o644)
	if header.Mode&0o100 != 0 {
		mode = 0o755
	}
	file, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return packageError("entry %q: %w", name, err)
	}
	sum := sha256.New()
	if _, err = io.Copy(io.MultiWriter(file, sum), body); err != nil {
		err = packageError("entry %q: %w", name, err)
	}
	sums[name] = hex.EncodeToString(sum.Sum(nil))
	return errors.Join(err, file.Chmod(mode), file.Close())
}

// verify compares what was unpacked with the package's own list, and returns the
// revision that it names.
func verify(dir string, have map[string]string) (revision string, err error) {
	want, err := readSums(filepath.Join(dir, sumsFile))
	if err != nil {
		return "", err
	}
	delete(have, sumsFile)
	for _, name := range slices.Sorted(maps.Keys(have)) {
		switch sum, listed := want[name]; {
		case !listed:
			return "", packageError("%s is not in %s", name, sumsFile)
		case sum != have[name]:
			return "", packageError("%s has SHA-256 %s; want %s by %s", name, have[name], sum, sumsFile)
		}
	}
	for name := range want {
		if _, there := have[name]; !there {
			return "", packageError("%s is in %s and not in the package", name, sumsFile)
		}
	}
	for _, name := range []string{"app", revisionFile, "sbom.cdx.json"} {
		if _, there := have[name]; !there {
			return "", packageError("it holds no %s", name)
		}
	}
	if err := executable(dir, have); err != nil {
		return "", err
	}
	text, err := os.ReadFile(filepath.Join(dir, revisionFile))
	if err != nil {
		return "", err
	}
	revision = strings.TrimSpace(string(text))
	if !visible(revision) {
		return "", packageError("%s holds %.60q; want one line with a source revision", revisionFile, revision)
	}
	return revision, nil
}

// executable checks that the server and a start script may be run.
func executable(dir string, have map[string]string) error {
	start, err := startFile(dir)
	if err != nil {
		return err
	}
	for _, path := range []string{filepath.Join(dir, "app"), start} {
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		if info.Mode()&0o100 == 0 {
			return packageError("%s is not executable", filepath.Base(path))
		}
	}
	return nil
}

// startFile finds the start script of an unpacked package.
func startFile(dir string) (string, error) {
	for _, name := range startFiles {
		if path := filepath.Join(dir, name); exists(path) {
			return path, nil
		}
	}
	return "", packageError("it holds no start script: want %s", strings.Join(startFiles, " or "))
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// readSums reads a list as sha256sum writes it: HEX, two spaces or a space and
// an asterisk, NAME.
func readSums(path string) (map[string]string, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, packageError("it holds no %s", sumsFile)
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	sums := map[string]string{}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		sum, name, ok := strings.Cut(lines.Text(), " ")
		name = strings.TrimPrefix(strings.TrimPrefix(strings.TrimPrefix(name, " "), "*"), "./")
		if raw, err := hex.DecodeString(sum); !ok || err != nil || len(raw) != sha256.Size || name == "" {
			return nil, packageError("%s: line %.100q; want 64 hex digits, two spaces and a name", sumsFile, lines.Text())
		}
		sums[name] = strings.ToLower(sum)
	}
	if err := lines.Err(); err != nil {
		return nil, packageError("%s: %w", sumsFile, err)
	}
	return sums, nil
}

// visible says whether text may go into a header and a line of a log.
func visible(text string) bool {
	return text != "" && len(text) <= 200 &&
		!strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' })
}
