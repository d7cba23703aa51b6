package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"bogops/infra/concourse/types/resource"
)

// getParams: SkipDownload writes only what is about the file. It is "true" or
// "false", as the official type will have it: a string, and no boolean.
type getParams struct {
	SkipDownload string `json:"skip_download"`
}

// signedFor is how long the URL of a private file is good for.
const signedFor = 24 * time.Hour

func in(ctx context.Context, log io.Writer, s source, v version, params getParams, dir string) (resource.Result[version], error) {
	result := resource.Result[version]{Version: v}
	key := v.Path
	if s.VersionedFile != "" {
		key = s.VersionedFile
	}
	if key == "" || s.VersionedFile != "" && v.VersionID == "" {
		return result, errors.New("version names no file, wanted path, or version_id of a versioned_file")
	}
	what := &s3.GetObjectInput{Bucket: aws.String(s.Bucket), Key: aws.String(key)}
	if v.VersionID != "" {
		what.VersionId = aws.String(v.VersionID)
	}
	skip := false
	if params.SkipDownload != "" {
		var err error
		if skip, err = strconv.ParseBool(params.SkipDownload); err != nil {
			return result, fmt.Errorf("params.skip_download is %q, wanted \"true\" or \"false\"", params.SkipDownload)
		}
	}
	if !skip {
		if err := download(ctx, s, what, filepath.Join(dir, path.Base(key))); err != nil {
			return result, fmt.Errorf("get %s from bucket %s: %w", key, s.Bucket, err)
		}
		fmt.Fprintf(log, "s3: got %s\n", key)
	}
	at, err := s.urlOf(ctx, what)
	if err != nil {
		return result, err
	}
	files := map[string]string{"url": at, "s3_uri": "s3://" + s.Bucket + "/" + key, "version": v.VersionID}
	if s.Regexp != "" {
		p, err := newPattern(s.Regexp)
		if err != nil {
			return result, err
		}
		if number, ok := p.parse(key); ok {
			files["version"] = number.text
		}
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return result, err
		}
	}
	result.Metadata = s.shown(key)
	return result, nil
}

// download is whole or not at all, for a task that looks at the directory.
func download(ctx context.Context, s source, what *s3.GetObjectInput, to string) error {
	object, err := s.client().GetObject(ctx, what)
	if err != nil {
		return err
	}
	defer object.Body.Close()
	file, err := os.Create(to + ".part")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name()) // not there any more where it went well
	_, err = io.Copy(file, object.Body)
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), to)
}

// urlOf is signed for a private source, in the file that tasks read alone: what
// is shown of a build holds no signature.
func (s source) urlOf(ctx context.Context, what *s3.GetObjectInput) (string, error) {
	if !s.Private {
		return s.plainURL(aws.ToString(what.Key)), nil
	}
	signed, err := s3.NewPresignClient(s.client()).PresignGetObject(ctx, what, s3.WithPresignExpires(signedFor))
	if err != nil {
		return "", fmt.Errorf("sign the URL of %s: %w", aws.ToString(what.Key), err)
	}
	return signed.URL, nil
}

func (s source) plainURL(key string) string {
	base := "https://s3.amazonaws.com"
	if at := s.base(); at != nil {
		base = *at
	}
	at, err := url.Parse(base)
	if err != nil {
		return base + "/" + s.Bucket + "/" + key
	}
	if s.UsePathStyle {
		return at.JoinPath(s.Bucket, key).String()
	}
	at.Host = s.Bucket + "." + at.Host
	return at.JoinPath(key).String()
}

func (s source) shown(key string) []resource.Metadata {
	return []resource.Metadata{{Name: "filename", Value: path.Base(key)}, {Name: "url", Value: s.plainURL(key)}}
}
