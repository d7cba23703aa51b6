package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"bogops/infra/concourse/types/resource"
)

// putParams: File is a path, or a pattern that one path matches.
type putParams struct {
	File        string `json:"file"`
	ContentType string `json:"content_type"`
}

func out(ctx context.Context, log io.Writer, s source, params putParams, dir string) (resource.Result[version], error) {
	var result resource.Result[version]
	if params.File == "" {
		return result, errors.New("params.file is missing, wanted the path of a file")
	}
	paths, err := filepath.Glob(filepath.Join(dir, params.File))
	if err != nil || len(paths) != 1 {
		return result, fmt.Errorf("params.file is %q, which matches %d files, wanted one", params.File, len(paths))
	}
	key, err := s.keyFor(filepath.Base(paths[0]))
	if err != nil {
		return result, err
	}
	file, err := os.Open(paths[0])
	if err != nil {
		return result, err
	}
	defer file.Close()
	what := &s3.PutObjectInput{Bucket: aws.String(s.Bucket), Key: aws.String(key), Body: file}
	if params.ContentType != "" {
		what.ContentType = aws.String(params.ContentType)
	}
	answer, err := s.client().PutObject(ctx, what)
	if err != nil {
		return result, fmt.Errorf("put %s into bucket %s: %w", key, s.Bucket, err)
	}
	fmt.Fprintf(log, "s3: put %s\n", key)
	result.Metadata = s.shown(key)
	if s.VersionedFile == "" {
		result.Version = version{Path: key}
		return result, nil
	}
	if aws.ToString(answer.VersionId) == "" {
		return result, fmt.Errorf("bucket %s keeps no versions, which source.versioned_file needs", s.Bucket)
	}
	result.Version = version{VersionID: *answer.VersionId}
	return result, nil
}

// keyFor is where a file goes: beside those that the regexp finds. What the
// regexp does not match would never be found again.
func (s source) keyFor(name string) (string, error) {
	if s.VersionedFile != "" {
		return s.VersionedFile, nil
	}
	key := path.Join(s.Regexp[:strings.LastIndexByte(s.Regexp, '/')+1], name)
	p, err := newPattern(s.Regexp)
	if err != nil {
		return "", err
	}
	if _, ok := p.parse(key); !ok {
		return "", fmt.Errorf("the file would be %q, which source.regexp %q finds no version in", key, s.Regexp)
	}
	return key, nil
}
