package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	ggcr "github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// blobs are the layers and configurations, each a file named by its digest.
// go-containerregistry has a store on disk too. It reads a blob whole for its
// size before each answer, which doubles the time that a large layer takes, and
// it leaves what did not match its digest lying about.
type blobs struct{ dir string }

func (b blobs) path(h v1.Hash) string { return filepath.Join(b.dir, h.Algorithm, h.Hex) }

// Stat implements ggcr.BlobStatHandler.
func (b blobs) Stat(_ context.Context, _ string, h v1.Hash) (int64, error) {
	info, err := os.Stat(b.path(h))
	if err != nil {
		return 0, known(err)
	}
	return info.Size(), nil
}

// Get implements ggcr.BlobHandler.
func (b blobs) Get(_ context.Context, _ string, h v1.Hash) (io.ReadCloser, error) {
	file, err := os.Open(b.path(h))
	if err != nil {
		return nil, known(err)
	}
	return file, nil
}

// Put implements ggcr.BlobPutHandler: whole or not at all. That the bytes match
// the digest is seen by whoever reads content to its end.
func (b blobs) Put(_ context.Context, _ string, h v1.Hash, content io.ReadCloser) error {
	defer content.Close()
	file, err := os.CreateTemp(filepath.Join(b.dir, "uploads"), "blob-*")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name()) // not there any more where it went well
	_, err = io.Copy(file, content)
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	if err := os.Rename(file.Name(), b.path(h)); err != nil {
		return fmt.Errorf("keep blob %s: %w", h, err)
	}
	return nil
}

// Delete implements ggcr.BlobDeleteHandler.
func (b blobs) Delete(_ context.Context, _ string, h v1.Hash) error {
	return known(os.Remove(b.path(h)))
}

// known says what is not there in the registry's own words.
func known(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return ggcr.ErrNotFound
	}
	return err
}
