package rollout

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
)

// OpenPackage reads what has to be known of a package's archive. Its name is
// that of the file and the beginning of its checksum, so that no two packages
// ever share one.
func OpenPackage(file string) (Package, error) {
	p := Package{Open: func() (io.ReadCloser, error) { return os.Open(file) }}
	archive, err := p.Open()
	if err != nil {
		return Package{}, err
	}
	defer archive.Close()
	sum := sha256.New()
	reading := io.TeeReader(archive, sum)
	if p.Revision, err = revision(reading); err != nil {
		return Package{}, fmt.Errorf("package %s: %w", file, err)
	}
	if _, err := io.Copy(io.Discard, reading); err != nil {
		return Package{}, fmt.Errorf("package %s: %w", file, err)
	}
	p.SHA256 = [sha256.Size]byte(sum.Sum(nil))
	info, err := os.Stat(file)
	if err != nil {
		return Package{}, err
	}
	p.Bytes = info.Size()
	p.Name = fmt.Sprintf("%s-%x", stem(file), p.SHA256[:6])
	return p, nil
}

var strange = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// stem is the file's name without what says that it is an archive, and without
// what would have to be escaped in a URL.
func stem(file string) string {
	name := strings.TrimSuffix(strings.TrimSuffix(filepath.Base(file), ".tgz"), ".tar.gz")
	name = strings.Trim(strange.ReplaceAllString(name, "-"), "-.")
	if name == "" {
		name = "package"
	}
	return name[:min(len(name), 80)]
}

// revision finds the file VERSION in an archive.
func revision(archive io.Reader) (string, error) {
	zipped, err := gzip.NewReader(archive)
	if err != nil {
		return "", fmt.Errorf("not a gzip stream: %w", err)
	}
	for entries := tar.NewReader(zipped); ; {
		header, err := entries.Next()
		if errors.Is(err, io.EOF) {
			return "", errors.New("it holds no VERSION: want the source revision in that file")
		}
		if err != nil {
			return "", fmt.Errorf("not a tar archive: %w", err)
		}
		if path.Clean(header.Name) != "VERSION" {
			continue
		}
		text, err := io.ReadAll(io.LimitReader(entries, 300))
		if err != nil {
			return "", err
		}
		named := strings.TrimSpace(string(text))
		if named == "" || strings.ContainsFunc(named, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return "", fmt.Errorf("VERSION holds %.60q; want one line with a source revision", named)
		}
		return named, nil
	}
}
