package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"bogops/infra/concourse/types/resource"
)

// putParams: Image is the path, or a pattern that one path matches, of an image
// as `docker save` writes it. AdditionalTags is the path of a file of words.
type putParams struct {
	Image          string `json:"image"`
	AdditionalTags string `json:"additional_tags"`
}

func out(ctx context.Context, log io.Writer, s source, params putParams, dir string) (resource.Result[version], error) {
	var result resource.Result[version]
	image, err := given(dir, params.Image)
	if err != nil {
		return result, err
	}
	to, err := s.reference()
	if err != nil {
		return result, err
	}
	tags, err := allTags(to, dir, params.AdditionalTags)
	if err != nil {
		return result, err
	}
	for _, tag := range tags {
		fmt.Fprintf(log, "registry-image: put %s\n", tag)
		if err := remote.Write(tag, image, s.options(ctx)...); err != nil {
			return result, fmt.Errorf("put %s: %w", tag, err)
		}
	}
	digest, err := image.Digest()
	if err != nil {
		return result, err
	}
	result.Version = version{Tag: to.TagStr(), Digest: digest.String()}
	result.Metadata = []resource.Metadata{
		{Name: "repository", Value: to.Context().Name()}, {Name: "tag", Value: to.TagStr()},
	}
	return result, nil
}

func given(dir, pattern string) (v1.Image, error) {
	if pattern == "" {
		return nil, errors.New("params.image is missing, wanted the path of an image's tar file")
	}
	paths, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil || len(paths) != 1 {
		return nil, fmt.Errorf("params.image is %q, which matches %d files, wanted one", pattern, len(paths))
	}
	image, err := tarball.ImageFromPath(paths[0], nil)
	if err != nil {
		return nil, fmt.Errorf("params.image is %q: %w, wanted what docker save writes", pattern, err)
	}
	return image, nil
}

func allTags(to name.Tag, dir, file string) ([]name.Tag, error) {
	tags := []name.Tag{to}
	if file == "" {
		return tags, nil
	}
	words, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil {
		return nil, fmt.Errorf("params.additional_tags: %w", err)
	}
	for _, word := range strings.Fields(string(words)) {
		tags = append(tags, to.Context().Tag(word))
	}
	return tags, nil
}
