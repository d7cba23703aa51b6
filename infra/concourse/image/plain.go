package image

import (
	"io"
	"os"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// plain is a layer that is a tar file as it lies there. go-containerregistry
// compresses whatever it is given, which takes longer than everything else
// together where registry and worker are on one machine.
type plain struct {
	path string
	hash v1.Hash
	size int64
}

func newPlain(path string) (*plain, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	hash, size, err := v1.SHA256(file)
	if err != nil {
		return nil, err
	}
	return &plain{path, hash, size}, nil
}

func (p *plain) Digest() (v1.Hash, error)             { return p.hash, nil }
func (p *plain) DiffID() (v1.Hash, error)             { return p.hash, nil }
func (p *plain) Compressed() (io.ReadCloser, error)   { return os.Open(p.path) }
func (p *plain) Uncompressed() (io.ReadCloser, error) { return os.Open(p.path) }
func (p *plain) Size() (int64, error)                 { return p.size, nil }
func (p *plain) MediaType() (types.MediaType, error)  { return types.OCIUncompressedLayer, nil }
