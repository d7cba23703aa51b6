package conformance

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"strings"

	"github.com/thanos-io/objstore"

	"bogops/app/store"
)

// blocks is a bucket of Thanos over a platform.
type blocks struct{ platform }

func (b blocks) Provider() objstore.ObjProvider { return "BOGOPS" }
func (b blocks) Name() string                   { return "bogops" }
func (b blocks) Close() error                   { return nil }

func (b blocks) IsObjNotFoundErr(err error) bool { return errors.Is(err, store.ErrNotFound) }
func (b blocks) IsAccessDeniedErr(error) bool    { return false }

// Upload announces size and digest where it can look ahead.
func (b blocks) Upload(ctx context.Context, name string, r io.Reader, opts ...objstore.ObjectUploadOption) error {
	put := store.PutOptions{Size: -1, ContentType: objstore.ApplyObjectUploadOptions(opts...).ContentType}
	if size, err := objstore.TryToGetSize(r); err == nil {
		put.Size = size
	}
	if ahead, can := r.(io.ReadSeeker); can {
		sum := sha256.New()
		if _, err := io.Copy(sum, r); err != nil {
			return err
		}
		if _, err := ahead.Seek(0, io.SeekStart); err != nil {
			return err
		}
		put.SHA256 = sum.Sum(nil)
	}
	_, err := b.Put(ctx, name, r, put)
	return err
}

func (b blocks) Delete(ctx context.Context, name string) error {
	return b.platform.Delete(ctx, name, "*")
}

func (b blocks) Get(ctx context.Context, name string) (io.ReadCloser, error) {
	return b.GetRange(ctx, name, 0, -1)
}

func (b blocks) GetRange(ctx context.Context, name string, off, length int64) (io.ReadCloser, error) {
	rng := store.Range{Offset: off, Length: length}
	body, info, err := b.platform.Get(ctx, name, rng)
	if err != nil {
		return nil, err
	}
	from, to := rng.Clip(info.Size)
	return objstore.ObjectSizerReadCloser{ReadCloser: body, Size: func() (int64, error) { return to - from, nil }}, nil
}

func (b blocks) Exists(ctx context.Context, name string) (bool, error) {
	_, err := b.Stat(ctx, name)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

func (b blocks) Attributes(ctx context.Context, name string) (objstore.ObjectAttributes, error) {
	info, err := b.Stat(ctx, name)
	return objstore.ObjectAttributes{Size: info.Size, LastModified: info.Modified}, err
}

func (b blocks) SupportedIterOptions() []objstore.IterOptionType {
	return []objstore.IterOptionType{objstore.Recursive, objstore.UpdatedAt}
}

func (b blocks) Iter(ctx context.Context, dir string, f func(string) error, options ...objstore.IterOption) error {
	return b.IterWithAttributes(ctx, dir, func(a objstore.IterObjectAttributes) error { return f(a.Name) }, options...)
}

// IterWithAttributes takes small pages, so that the suite crosses their edges.
func (b blocks) IterWithAttributes(ctx context.Context, dir string, f func(objstore.IterObjectAttributes) error, options ...objstore.IterOption) error {
	if err := objstore.ValidateIterOptions(b.SupportedIterOptions(), options...); err != nil {
		return err
	}
	if dir != "" {
		dir = strings.TrimSuffix(dir, objstore.DirDelim) + objstore.DirDelim
	}
	delimiter := objstore.DirDelim
	if objstore.ApplyIterOptions(options...).Recursive {
		delimiter = ""
	}
	for token, first := "", true; first || token != ""; first = false {
		page, next, err := b.Page(ctx, dir, delimiter, token, 2)
		if err != nil {
			return err
		}
		for _, e := range entries(page) {
			found := objstore.IterObjectAttributes{Name: e.Key}
			found.SetLastModified(e.Modified)
			if err := f(found); err != nil {
				return err
			}
		}
		token = next
	}
	return nil
}
