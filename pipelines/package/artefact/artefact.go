// Package artefact writes files as one archive that is the same to the byte
// whenever its files are: they are sorted, their times are one given time, and
// nobody owns them.
package artefact

import (
	"archive/tar"
	"cmp"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Sums is the name of the file that lists the others' SHA-256, in the form that
// `sha256sum --check` reads.
const Sums = "SHA256SUMS"

// File is one file of an archive. Its name has no leading slash.
type File struct {
	Name    string
	Mode    int64 // permission bits
	Content []byte
}

// WithSums returns files and, with them, their sums.
func WithSums(files []File) []File {
	sorted := inOrder(files)
	var lines strings.Builder
	for _, f := range sorted {
		fmt.Fprintf(&lines, "%x  %s\n", sha256.Sum256(f.Content), f.Name)
	}
	return append(sorted, File{Name: Sums, Mode: 0o644, Content: []byte(lines.String())})
}

// WriteTar writes files as an uncompressed archive. The same files and the same
// time, whole seconds, give the same bytes, in whatever order they come.
func WriteTar(w io.Writer, at time.Time, files []File) error {
	archive := tar.NewWriter(w)
	for _, f := range inOrder(files) {
		header := &tar.Header{
			Typeflag: tar.TypeReg, Name: f.Name, Size: int64(len(f.Content)), Mode: f.Mode,
			ModTime: at.UTC().Truncate(time.Second), Format: tar.FormatPAX,
		}
		if err := archive.WriteHeader(header); err != nil {
			return fmt.Errorf("archive %s: %w", f.Name, err)
		}
		if _, err := archive.Write(f.Content); err != nil {
			return fmt.Errorf("archive %s: %w", f.Name, err)
		}
	}
	return archive.Close()
}

// WriteGzip is WriteTar, compressed. Another release of Go may compress to other
// bytes of the same content.
func WriteGzip(w io.Writer, at time.Time, files []File) error {
	compressed := gzip.NewWriter(w) // its header has no time and no name
	if err := WriteTar(compressed, at, files); err != nil {
		return err
	}
	return compressed.Close()
}

func inOrder(files []File) []File {
	return slices.SortedFunc(slices.Values(files), func(a, b File) int { return cmp.Compare(a.Name, b.Name) })
}
