package s3store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"bogops/app/store"
	"bogops/app/store/versioned"
)

const (
	recordPrefix = "records/"
	maxRecord    = mib
)

// records implements versioned.Records. A tag is that of S3, made of the value:
// values are unique, so it is that of one write.
type records struct {
	b     *bucket
	watch *watch
}

func recordFailed(doing, name string, err error) error {
	return fmt.Errorf("s3store: %s record %q: %w", doing, name, err)
}

// Read implements versioned.Records.
func (r records) Read(ctx context.Context, name string) (value []byte, tag string, err error) {
	if err = r.watch.open(ctx); err == nil {
		value, tag, err = r.read(ctx, name)
	}
	if err != nil {
		return nil, "", recordFailed("read", name, err)
	}
	return value, tag, nil
}

func (r records) read(ctx context.Context, name string) ([]byte, string, error) {
	body, f, err := r.b.get(ctx, recordPrefix+name, store.Whole)
	if err != nil {
		return nil, "", err
	}
	value, err := io.ReadAll(io.LimitReader(body, maxRecord+1))
	if err = errors.Join(err, body.Close()); err != nil {
		return nil, "", err
	}
	if len(value) > maxRecord {
		return nil, "", fmt.Errorf("%w: more than %d bytes", store.ErrDamaged, maxRecord)
	}
	return value, f.info.ETag, nil
}

// Write implements versioned.Records.
func (r records) Write(ctx context.Context, name string, value []byte, tag string) (string, error) {
	now, err := r.write(ctx, name, value, tag)
	if err != nil {
		return "", recordFailed("write", name, err)
	}
	return now, nil
}

func (r records) write(ctx context.Context, name string, value []byte, tag string) (string, error) {
	if _, err := r.watch.proven(ctx); err != nil {
		return "", err
	}
	if len(value) > maxRecord {
		return "", fmt.Errorf("%w: %d bytes, want at most %d", store.ErrTooLarge, len(value), maxRecord)
	}
	now, err := r.b.put(ctx, recordPrefix+name, payload{data: bytes.NewReader(value), size: int64(len(value))}, over(tag))
	out := outcomeOf(err)
	if out == refused {
		return "", failed(ctx, err)
	}
	if out == landed && now != "" {
		return now, nil
	}
	settling, cancel := r.b.settling(ctx)
	defer cancel()
	found, at, lookErr := r.read(settling, name)
	switch {
	case lookErr == nil && bytes.Equal(found, value):
		return at, nil
	case out == moved && (lookErr == nil || errors.Is(lookErr, store.ErrNotFound)):
		return "", versioned.ErrMoved
	}
	return "", unknown(ctx, err)
}

// Names implements versioned.Records.
func (r records) Names(ctx context.Context, prefix string) ([]string, error) {
	err := r.watch.open(ctx)
	var keys []string
	if err == nil {
		keys, _, err = r.b.list(ctx, store.ListOptions{Prefix: recordPrefix + prefix}, -1)
	}
	if err != nil {
		return nil, recordFailed("names of", prefix, err)
	}
	for i, key := range keys {
		keys[i] = strings.TrimPrefix(key, recordPrefix)
	}
	return keys, nil
}

// Remove implements versioned.Records.
func (r records) Remove(ctx context.Context, name string) error {
	err := r.watch.open(ctx)
	if err == nil {
		err = r.remove(ctx, name)
	}
	if err != nil {
		return recordFailed("remove", name, err)
	}
	return nil
}

func (r records) remove(ctx context.Context, name string) error {
	err := r.b.remove(ctx, recordPrefix+name, "")
	switch outcomeOf(err) {
	case landed, moved:
		return nil
	case refused:
		return failed(ctx, err)
	}
	settling, cancel := r.b.settling(ctx)
	defer cancel()
	if _, _, lookErr := r.read(settling, name); errors.Is(lookErr, store.ErrNotFound) {
		return nil
	}
	return unknown(ctx, err)
}
