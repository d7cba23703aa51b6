package conformance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"
	"unicode/utf8"

	"gocloud.dev/blob/driver"
	"gocloud.dev/gcerrors"

	"bogops/app/store"
)

// bucket is a driver of gocloud.dev over a platform. Like the drivers of that
// project it escapes what its platform's keys and metadata may not hold, and
// keeps the headers that the platform does not know as metadata.
type bucket struct {
	platform
	dots bool // the platform refuses "." and ".." as segments
}

var errUnimplemented = errors.New("the contract has no such call")

func (b bucket) ErrorCode(err error) gcerrors.ErrorCode {
	switch {
	case errors.Is(err, store.ErrNotFound):
		return gcerrors.NotFound
	case errors.Is(err, store.ErrCondition):
		return gcerrors.FailedPrecondition
	case errors.Is(err, store.ErrBadKey), errors.Is(err, store.ErrDigest), errors.Is(err, store.ErrTooLarge):
		return gcerrors.InvalidArgument
	case errors.Is(err, context.Canceled):
		return gcerrors.Canceled
	case errors.Is(err, errUnimplemented):
		return gcerrors.Unimplemented
	}
	return gcerrors.Unknown
}

func asNothing(any) bool { return false }

func (b bucket) As(any) bool             { return false }
func (b bucket) ErrorAs(error, any) bool { return false }
func (b bucket) Close() error            { return nil }

func (b bucket) SignedURL(context.Context, string, *driver.SignedURLOptions) (string, error) {
	return "", errUnimplemented
}

// before calls what the caller wants called before an operation.
func before(call func(func(any) bool) error) error {
	if call == nil {
		return nil
	}
	return call(asNothing)
}

func (b bucket) Attributes(ctx context.Context, key string) (*driver.Attributes, error) {
	info, err := b.Stat(ctx, escapeKey(key, b.dots))
	if err != nil {
		return nil, err
	}
	a := &driver.Attributes{ContentType: info.ContentType, ModTime: info.Modified, Size: info.Size, ETag: info.ETag}
	known := map[string]*string{
		"cache-control": &a.CacheControl, "content-disposition": &a.ContentDisposition,
		"content-encoding": &a.ContentEncoding, "content-language": &a.ContentLanguage,
	}
	for name, value := range info.Meta {
		value, err := unescapeMeta(value)
		if err != nil {
			return nil, err
		}
		if own, is := strings.CutPrefix(name, "x-"); is {
			if own, err = unescapeMeta(own); err != nil {
				return nil, err
			}
			if a.Metadata == nil {
				a.Metadata = map[string]string{}
			}
			a.Metadata[own] = value
		} else if into := known[name]; into != nil {
			*into = value
		}
	}
	return a, nil
}

func (b bucket) ListPaged(ctx context.Context, opts *driver.ListOptions) (*driver.ListPage, error) {
	if err := before(opts.BeforeList); err != nil {
		return nil, err
	}
	limit := opts.PageSize
	if limit == 0 || limit > 1000 {
		limit = 1000
	}
	page, next, err := b.Page(ctx, escapeKey(opts.Prefix, b.dots), opts.Delimiter, string(opts.PageToken), limit)
	if err != nil {
		return nil, err
	}
	listed := &driver.ListPage{NextPageToken: []byte(next)}
	for _, e := range entries(page) {
		key, err := unescapeKey(e.Key)
		if err != nil {
			return nil, err
		}
		listed.Objects = append(listed.Objects, &driver.ListObject{Key: key, ModTime: e.Modified, Size: e.Size, IsDir: e.isPrefix})
	}
	return listed, nil
}

// reader is a part of an object.
type reader struct {
	io.ReadCloser
	info store.Info
}

func (r reader) As(any) bool { return false }
func (r reader) Attributes() *driver.ReaderAttributes {
	return &driver.ReaderAttributes{ContentType: r.info.ContentType, ModTime: r.info.Modified, Size: r.info.Size}
}

func (b bucket) NewRangeReader(ctx context.Context, key string, offset, length int64, opts *driver.ReaderOptions) (driver.Reader, error) {
	body, info, err := b.Get(ctx, escapeKey(key, b.dots), store.Range{Offset: offset, Length: max(length, -1)})
	if err != nil {
		return nil, err
	}
	if err := before(opts.BeforeRead); err != nil {
		body.Close()
		return nil, err
	}
	return reader{body, info}, nil
}

// writer hands what is written on to a Put of its own. Whoever closes it waits
// for the end of that.
type writer struct {
	ctx  context.Context
	pipe *io.PipeWriter
	done chan struct{}
	err  error // of the Put, once it is done
}

func (b bucket) NewTypedWriter(ctx context.Context, key, contentType string, opts *driver.WriterOptions) (driver.Writer, error) {
	put := store.PutOptions{Size: -1, ContentType: contentType, IfAbsent: opts.IfNotExist, Meta: map[string]string{}}
	for name, value := range opts.Metadata {
		if !utf8.ValidString(name) || !utf8.ValidString(value) {
			return nil, fmt.Errorf("metadata %q: %q is no UTF-8", name, value)
		}
		put.Meta["x-"+escapeMeta(name)] = escapeMeta(value)
	}
	maps.Copy(put.Meta, map[string]string{
		"cache-control": escapeMeta(opts.CacheControl), "content-disposition": escapeMeta(opts.ContentDisposition),
		"content-encoding": escapeMeta(opts.ContentEncoding), "content-language": escapeMeta(opts.ContentLanguage),
	})
	maps.DeleteFunc(put.Meta, func(name, value string) bool { return value == "" && !strings.HasPrefix(name, "x-") })
	if err := before(opts.BeforeWrite); err != nil {
		return nil, err
	}
	body, pipe := io.Pipe()
	w := &writer{ctx: ctx, pipe: pipe, done: make(chan struct{})}
	go func() {
		defer close(w.done)
		_, w.err = b.Put(ctx, escapeKey(key, b.dots), body, put)
		body.CloseWithError(w.err)
	}()
	return w, nil
}

func (w *writer) Write(p []byte) (int, error) {
	n, err := w.pipe.Write(p)
	if err != nil {
		<-w.done // it was refused before it was read, and says why
		return n, errors.Join(w.err, err)
	}
	return n, nil
}

func (w *writer) Close() error {
	w.pipe.CloseWithError(w.ctx.Err()) // nil is the true end
	<-w.done
	if w.ctx.Err() != nil {
		return w.ctx.Err()
	}
	return w.err
}

// Copy reads and writes: the contract has no copy of its own.
func (b bucket) Copy(ctx context.Context, dstKey, srcKey string, opts *driver.CopyOptions) error {
	if err := before(opts.BeforeCopy); err != nil {
		return err
	}
	body, info, err := b.Get(ctx, escapeKey(srcKey, b.dots), store.Whole)
	if err != nil {
		return err
	}
	defer body.Close()
	_, err = b.Put(ctx, escapeKey(dstKey, b.dots), body, store.PutOptions{Size: info.Size, ContentType: info.ContentType, Meta: info.Meta})
	return err
}

// Delete asks for any object: deleting what is not there is no error of the
// platform, and one of this suite.
func (b bucket) Delete(ctx context.Context, key string, opts *driver.DeleteOptions) error {
	if err := before(opts.BeforeDelete); err != nil {
		return err
	}
	err := b.platform.Delete(ctx, escapeKey(key, b.dots), "*")
	if errors.Is(err, store.ErrCondition) {
		return fmt.Errorf("%w: %w", store.ErrNotFound, err)
	}
	return err
}
