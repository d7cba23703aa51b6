package s3store

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"golang.org/x/sync/errgroup"

	"bogops/app/store"
)

const (
	maxPage = 1000 // entries of one answer, by the protocol
	asking  = 16   // objects asked for at once
)

// List implements store.Store. S3 lists in the byte order of UTF-8, but tells
// neither content types nor our times: each object of the page is asked for.
func (s *Store) List(ctx context.Context, opts store.ListOptions) (store.Page, error) {
	page, err := s.list(ctx, opts)
	if err != nil {
		return store.Page{}, fmt.Errorf("s3store: list: %w", err)
	}
	return page, nil
}

func (s *Store) list(ctx context.Context, opts store.ListOptions) (store.Page, error) {
	if err := s.watch.open(ctx); err != nil {
		return store.Page{}, err
	}
	want := -1
	if opts.Limit > 0 {
		want = opts.Limit + 1 // one more says whether there is more
	}
	keys, prefixes, err := s.bucket.list(ctx, opts, want)
	if err != nil {
		return store.Page{}, err
	}
	var page store.Page
	if opts.Limit > 0 && len(keys)+len(prefixes) > opts.Limit {
		page.More = true
		if len(prefixes) == 0 || len(keys) > 0 && keys[len(keys)-1] > prefixes[len(prefixes)-1] {
			keys = keys[:len(keys)-1]
		} else {
			prefixes = prefixes[:len(prefixes)-1]
		}
	}
	page.Prefixes = prefixes
	page.Objects, err = s.describeAll(ctx, keys)
	return page, err
}

// describeAll asks for each object. One that is gone by now was deleted after
// the listing began.
func (s *Store) describeAll(ctx context.Context, keys []string) ([]store.Info, error) {
	infos := make([]found, len(keys))
	all, ctx := errgroup.WithContext(ctx)
	all.SetLimit(asking)
	for i, key := range keys {
		all.Go(func() (err error) {
			infos[i], err = s.head(ctx, key)
			return err
		})
	}
	if err := all.Wait(); err != nil {
		return nil, err
	}
	var objects []store.Info
	for _, f := range infos {
		if f.exists() {
			objects = append(objects, f.info)
		}
	}
	return objects, nil
}

// list returns the first keys and common prefixes, want of them together or
// all there are; -1 is all. What is no key of ours is left out.
func (b *bucket) list(ctx context.Context, opts store.ListOptions, want int) (keys, prefixes []string, err error) {
	in := &s3.ListObjectsV2Input{Bucket: &b.name, EncodingType: "url"}
	if opts.Prefix != "" {
		in.Prefix = &opts.Prefix
	}
	if opts.Delimiter != "" {
		in.Delimiter = &opts.Delimiter
	}
	if after := startAfter(opts); after != "" {
		in.StartAfter = &after
	}
	for {
		in.MaxKeys = aws.Int32(maxPage)
		if want >= 0 {
			in.MaxKeys = aws.Int32(int32(min(maxPage, want-len(keys)-len(prefixes))))
		}
		page, err := b.page(ctx, in)
		if err != nil {
			return nil, nil, err
		}
		keys = append(keys, page.keys(opts.After)...)
		prefixes = append(prefixes, page.prefixes(opts.After, prefixes)...)
		if page.next == nil || want >= 0 && len(keys)+len(prefixes) >= want {
			return keys, prefixes, nil
		}
		in.ContinuationToken, in.StartAfter = page.next, nil
	}
}

// startAfter is where the server begins. It knows keys only: after a common
// prefix it begins behind the last key that the prefix can stand for.
func startAfter(opts store.ListOptions) string {
	if opts.Delimiter == "" || !strings.HasPrefix(opts.After, opts.Prefix) {
		return opts.After
	}
	if entry, isPrefix := opts.Entry(opts.After); !isPrefix || entry != opts.After {
		return opts.After
	}
	return opts.After + strings.Repeat("\U0010ffff", (store.MaxKey-len(opts.After))/4)
}

// answer is one page as the server sent it.
type answer struct {
	found, common []string
	next          *string
}

func (b *bucket) page(ctx context.Context, in *s3.ListObjectsV2Input) (answer, error) {
	bound, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	out, err := b.api.ListObjectsV2(bound, in, b.retried)
	if err != nil {
		return answer{}, failed(ctx, err)
	}
	var a answer
	if aws.ToBool(out.IsTruncated) {
		if a.next = out.NextContinuationToken; aws.ToString(a.next) == "" {
			return answer{}, fmt.Errorf("%w: the server says that its listing goes on, and not where", store.ErrUnavailable)
		}
	}
	decode := func(encoded *string) (string, error) {
		if out.EncodingType != "url" {
			return aws.ToString(encoded), nil
		}
		return url.QueryUnescape(aws.ToString(encoded))
	}
	for _, o := range out.Contents {
		key, err := decode(o.Key)
		if err != nil {
			return answer{}, fmt.Errorf("%w: a listing with a key that cannot be decoded", store.ErrUnavailable)
		}
		a.found = append(a.found, key)
	}
	for _, p := range out.CommonPrefixes {
		prefix, err := decode(p.Prefix)
		if err != nil {
			return answer{}, fmt.Errorf("%w: a listing with a prefix that cannot be decoded", store.ErrUnavailable)
		}
		a.common = append(a.common, prefix)
	}
	return a, nil
}

// keys are those after the given entry that are keys of ours.
func (a answer) keys(after string) []string {
	return slices.DeleteFunc(a.found, func(key string) bool { return key <= after || store.CheckKey(key) != nil })
}

// prefixes are those after the given entry that are not known yet.
func (a answer) prefixes(after string, known []string) []string {
	return slices.DeleteFunc(a.common, func(p string) bool {
		return p <= after || strings.HasPrefix(p, probes) || slices.Contains(known, p)
	})
}
