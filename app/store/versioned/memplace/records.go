package memplace

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"bogops/app/store"
)

// records implements versioned.Records.
type records struct{ view }

// tag is made of the value, as an entity tag in S3 is.
func tag(value []byte) string {
	sum := sha256.Sum256(value)
	return hex.EncodeToString(sum[:])
}

func (r records) failed(op, name string, err error) error {
	return fmt.Errorf("memplace: %s %s record %q: %w", r.site.name, op, name, err)
}

// Read implements versioned.Records.
func (r records) Read(ctx context.Context, name string) (value []byte, of string, err error) {
	found := false
	err = r.read(ctx, r.describe("read-record", name, 0, false), func() {
		value, found = r.site.records[name]
		value = bytes.Clone(value)
	})
	if err == nil && !found {
		err = store.ErrNotFound
	}
	if err != nil {
		return nil, "", r.failed("read", name, err)
	}
	return value, tag(value), nil
}

// Write implements versioned.Records.
func (r records) Write(ctx context.Context, name string, value []byte, of string) (string, error) {
	value = bytes.Clone(value)
	land := func() bool {
		held, found := r.site.records[name]
		if found != (of != "") || found && tag(held) != of {
			return false
		}
		r.site.records[name] = value
		return true
	}
	mine := func() bool {
		held, found := r.site.records[name]
		return found && bytes.Equal(held, value)
	}
	if err := r.write(ctx, r.describe("write-record", name, 0, true), land, mine); err != nil {
		return "", r.failed("write", name, err)
	}
	return tag(value), nil
}

// Names implements versioned.Records.
func (r records) Names(ctx context.Context, prefix string) ([]string, error) {
	var names []string
	err := r.read(ctx, r.describe("name-records", prefix, 0, false), func() {
		for name := range r.site.records {
			if strings.HasPrefix(name, prefix) {
				names = append(names, name)
			}
		}
	})
	if err != nil {
		return nil, r.failed("names", prefix, err)
	}
	slices.Sort(names)
	return names, nil
}

// Remove implements versioned.Records.
func (r records) Remove(ctx context.Context, name string) error {
	land := func() bool {
		delete(r.site.records, name)
		return true
	}
	mine := func() bool { return r.site.records[name] == nil }
	if err := r.write(ctx, r.describe("remove-record", name, 0, true), land, mine); err != nil {
		return r.failed("remove", name, err)
	}
	return nil
}
