package image

import (
	"archive/tar"
	"io"
	"path"
	"strings"
	"time"
)

// writeDirectories makes the two directories that the program may write to: its
// own one, and /tmp.
func writeDirectories(w io.Writer, at time.Time, data string) error {
	archive := tar.NewWriter(w)
	directory := func(name string, mode int64, owner int) error {
		return archive.WriteHeader(&tar.Header{
			Typeflag: tar.TypeDir, Name: strings.TrimPrefix(path.Clean(name), "/") + "/", Mode: mode,
			Uid: owner, Gid: owner, ModTime: at.UTC().Truncate(time.Second), Format: tar.FormatPAX,
		})
	}
	if data != "" {
		if err := directory(data, 0o700, user); err != nil {
			return err
		}
	}
	if err := directory("tmp", 0o1777, 0); err != nil {
		return err
	}
	return archive.Close()
}
