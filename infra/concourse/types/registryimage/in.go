package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"bogops/infra/concourse/types/resource"
)

// getParams: "rootfs" is what tasks run in, "oci" is image.tar, which a put
// takes and `docker load` too.
type getParams struct {
	Format       string `json:"format"`
	SkipDownload bool   `json:"skip_download"`
}

func in(ctx context.Context, log io.Writer, s source, v version, params getParams, dir string) (resource.Result[version], error) {
	result := resource.Result[version]{Version: v}
	to, err := s.reference()
	if err != nil {
		return result, err
	}
	if v.Tag != "" {
		to = to.Context().Tag(v.Tag)
	}
	exact, err := name.NewDigest(to.Context().Name() + "@" + v.Digest)
	if err != nil {
		return result, fmt.Errorf("version.digest is %q, wanted sha256:…", v.Digest)
	}
	exact.Repository = to.Context() // HTTP or HTTPS as the source says
	result.Metadata = []resource.Metadata{
		{Name: "repository", Value: to.Context().Name()}, {Name: "tag", Value: to.TagStr()},
	}
	files := map[string]string{"repository": to.Context().Name(), "tag": to.TagStr(), "digest": v.Digest}
	if err := writeFiles(dir, files); err != nil || params.SkipDownload {
		return result, err
	}
	image, err := remote.Image(exact, s.options(ctx)...)
	if err != nil {
		return result, fmt.Errorf("get %s: %w", exact, err)
	}
	begun := time.Now()
	switch params.Format {
	case "", "rootfs":
		err = rootfs(log, image, dir)
	case "oci":
		err = tarball.WriteToFile(filepath.Join(dir, "image.tar"), to, image)
	default:
		return result, fmt.Errorf("params.format is %q, wanted rootfs or oci", params.Format)
	}
	if err != nil {
		return result, fmt.Errorf("get %s: %w", exact, err)
	}
	fmt.Fprintf(log, "registry-image: got %s in %.1f s\n", exact, time.Since(begun).Seconds())
	return result, nil
}

// rootfs unpacks the image, and says with what environment and user it runs.
func rootfs(log io.Writer, image v1.Image, dir string) error {
	config, err := image.ConfigFile()
	if err != nil {
		return err
	}
	layers, err := image.Layers()
	if err != nil {
		return err
	}
	to := filepath.Join(dir, "rootfs")
	if err := os.Mkdir(to, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(to)
	if err != nil {
		return err
	}
	defer root.Close()
	for i, layer := range layers {
		if err := unpackLayer(log, root, layer); err != nil {
			return fmt.Errorf("layer %d of %d: %w", i+1, len(layers), err)
		}
	}
	said, err := json.Marshal(struct {
		Env  []string `json:"env"`
		User string   `json:"user"`
	}{append([]string{}, config.Config.Env...), config.Config.User})
	if err != nil {
		return err
	}
	return writeFiles(dir, map[string]string{"metadata.json": string(said)})
}

func unpackLayer(log io.Writer, root *os.Root, layer v1.Layer) error {
	content, err := layer.Uncompressed()
	if err != nil {
		return err
	}
	defer content.Close()
	if err := unpack(log, root, content); err != nil {
		return err
	}
	// The digest is compared at the end of the stream, which tar does not read.
	_, err = io.Copy(io.Discard, content)
	return err
}

func writeFiles(dir string, files map[string]string) error {
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}
