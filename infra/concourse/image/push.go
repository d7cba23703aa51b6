package image

import (
	"context"
	"fmt"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Config is what a container of the image starts with.
type Config struct {
	Env        []string // KEY=value
	WorkingDir string
	User       string
	Entrypoint []string
}

// Push makes the root file system in the tar file an image of one layer, and
// puts it into the registry at address (host:port, plain HTTP) under ref
// ("builder" or "builder:tag"; without a tag it is latest). It returns the
// image's digest. A layer that the registry has is not sent again.
func Push(ctx context.Context, address, ref, tar string, config Config) (digest string, err error) {
	wrap := func(err error) error { return fmt.Errorf("image: push %s to %s/%s: %w", tar, address, ref, err) }
	to, err := name.ParseReference(address+"/"+ref, name.Insecure)
	if err != nil {
		return "", wrap(err)
	}
	made, err := New(tar, config)
	if err != nil {
		return "", wrap(err)
	}
	if err := remote.Write(to, made, remote.WithContext(ctx)); err != nil {
		return "", wrap(err)
	}
	hash, err := made.Digest()
	if err != nil {
		return "", wrap(err)
	}
	return hash.String(), nil
}

// New makes the image without sending it anywhere. The tar file must stay as
// it is for as long as the image is used.
func New(tar string, config Config) (v1.Image, error) {
	layer, err := newPlain(tar)
	if err != nil {
		return nil, err
	}
	base := mutate.MediaType(empty.Image, types.OCIManifestSchema1)
	base = mutate.ConfigMediaType(base, types.OCIConfigJSON)
	file, err := base.ConfigFile()
	if err != nil {
		return nil, err
	}
	file = file.DeepCopy()
	file.Architecture, file.OS = "amd64", "linux"
	file.Config.Env, file.Config.WorkingDir = config.Env, config.WorkingDir
	file.Config.User, file.Config.Entrypoint = config.User, config.Entrypoint
	if base, err = mutate.ConfigFile(base, file); err != nil {
		return nil, err
	}
	return mutate.AppendLayers(base, layer)
}
