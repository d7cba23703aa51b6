package certs

import (
	"context"
	"errors"
)

// Errors that a Shared cache returns, wrapped or not.
var (
	// ErrMissing says that there is no value under the key.
	ErrMissing = errors.New("no such entry")
	// ErrChanged says that a conditional write found another version.
	ErrChanged = errors.New("the entry has changed")
)

// Shared is the cache that a fleet has in common: a directory, a bucket. It
// never sees a plain secret; all values are sealed. Keys are made of letters,
// digits and "+-._".
//
// Every call returns when its context ends. A write that failed in any other
// way than ErrChanged may have happened, or may still happen.
type Shared interface {
	// Get returns the value under key and its version, or ErrMissing.
	Get(ctx context.Context, key string) (value []byte, version string, err error)
	// Put stores value under key, whatever was there.
	Put(ctx context.Context, key string, value []byte) error
	// Swap stores value only if key is at version ("" for absent) and returns
	// the new version; otherwise ErrChanged. Of concurrent Swaps from one
	// version at most one succeeds.
	Swap(ctx context.Context, key, version string, value []byte) (string, error)
	// Delete removes key. That there was none is not an error.
	Delete(ctx context.Context, key string) error
}
