package main

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// check lists from the known version on, oldest first; the newest where none is
// known, or where the known one does not belong to the source any more.
func check(ctx context.Context, log io.Writer, s source, from *version) ([]version, error) {
	if s.VersionedFile != "" {
		return checkFile(ctx, s, from)
	}
	p, err := newPattern(s.Regexp)
	if err != nil {
		return nil, err
	}
	found, err := candidates(ctx, log, s, p)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	first := len(found) - 1
	if from != nil {
		if known, ok := p.parse(from.Path); ok {
			first = slices.IndexFunc(found, func(c candidate) bool { return compare(c.number, known) >= 0 })
		}
	}
	if first < 0 {
		return nil, nil // all that is newer than the known one is gone, and it too
	}
	var versions []version
	for _, c := range found[first:] {
		versions = append(versions, version{Path: c.path})
	}
	return versions, nil
}

type candidate struct {
	path   string
	number number
}

// candidates are the keys that match, by version.
func candidates(ctx context.Context, log io.Writer, s source, p pattern) ([]candidate, error) {
	var found []candidate
	pages := s3.NewListObjectsV2Paginator(s.client(), &s3.ListObjectsV2Input{
		Bucket: aws.String(s.Bucket), Prefix: aws.String(p.prefix)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list bucket %s: %w", s.Bucket, err)
		}
		for _, object := range page.Contents {
			path := aws.ToString(object.Key)
			if !p.matches(path) {
				continue
			}
			number, ok := p.parse(path)
			if !ok {
				fmt.Fprintf(log, "s3: left out %s, whose version does not begin with a number\n", path)
				continue
			}
			found = append(found, candidate{path, number})
		}
	}
	slices.SortStableFunc(found, func(a, b candidate) int { return compare(a.number, b.number) })
	return found, nil
}

// checkFile lists the versions of the one key. The newest comes first from S3.
func checkFile(ctx context.Context, s source, from *version) ([]version, error) {
	var versions []version
	pages := s3.NewListObjectVersionsPaginator(s.client(), &s3.ListObjectVersionsInput{
		Bucket: aws.String(s.Bucket), Prefix: aws.String(s.VersionedFile)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list versions in bucket %s: %w", s.Bucket, err)
		}
		for _, object := range page.Versions {
			if aws.ToString(object.Key) == s.VersionedFile {
				versions = append(versions, version{VersionID: aws.ToString(object.VersionId)})
			}
		}
	}
	if len(versions) == 0 {
		return nil, nil
	}
	last := 0
	if from != nil {
		last = max(0, slices.Index(versions, *from))
	}
	versions = versions[:last+1]
	slices.Reverse(versions)
	return versions, nil
}
