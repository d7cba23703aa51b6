// Package store says what every store of the platform promises. The
// implementations sit below it (memstore, filestore and others) and never know
// each other; storetest holds the rules that all of them pass.
package store

import (
	"context"
	"errors"
	"io"
	"time"
)

// The errors that a caller may test for with errors.Is. Anything else is a
// failure of the store itself.
var (
	ErrNotFound    = errors.New("no such object")
	ErrBadKey      = errors.New("bad key")
	ErrTruncated   = errors.New("body ended before its announced size")
	ErrTooLarge    = errors.New("body larger than its announced size or the limit")
	ErrCondition   = errors.New("condition failed")
	ErrDigest      = errors.New("body does not match its digest")
	ErrUnknown     = errors.New("outcome unknown: the write may or may not have landed")
	ErrUnavailable = errors.New("store not reachable")
	ErrFull        = errors.New("store full")
	ErrDamaged     = errors.New("damaged") // what is stored is not what was once written
)

// Info describes one stored object. ETag is strong, quotes included, and
// identifies the bytes and the write: two reads with no write between them see
// the same, two writes of the same bytes may differ.
type Info struct {
	Key         string
	Size        int64 // bytes
	ETag        string
	ContentType string
	Modified    time.Time         // UTC
	Meta        map[string]string // names in lower case
	SHA256      []byte            // of the bytes; nil: the store does not know it, and reading them tells
	Replaced    bool              // set by Put: the key held an object before
}

// PutOptions says what a caller knows of a body before it is read.
type PutOptions struct {
	Size        int64 // bytes that body yields; -1: unknown, bounded by MaxSize
	MaxSize     int64 // bytes; 0: no bound beyond the store's own
	ContentType string
	Meta        map[string]string
	IfAbsent    bool   // fail with ErrCondition where the key holds an object
	IfMatch     string // fail with ErrCondition unless the object's ETag is this; "*": any
	SHA256      []byte // fail with ErrDigest unless the body hashes to this; nil: unchecked
}

// Range is a part of an object: Length bytes from Offset; Length -1 is to the
// end. The zero Range with Length -1 is the whole object.
type Range struct{ Offset, Length int64 }

// Whole is the range that covers an object of any size.
var Whole = Range{Length: -1}

// ListOptions selects a page of a listing. Delimiter is one character or
// empty. After is exclusive: a key or a common prefix of the page before.
type ListOptions struct {
	Prefix, Delimiter, After string
	Limit                    int // objects and prefixes together
}

// Page is one page of a listing, in byte order of the keys.
type Page struct {
	Objects  []Info
	Prefixes []string
	More     bool
}

// State is how a store feels.
type State string

// The states of a store.
const (
	Healthy  State = "ok"
	Degraded State = "degraded"
	Down     State = "down"
)

// Health is a state and, where it is not Healthy, its reason in one sentence.
type Health struct {
	State  State
	Reason string
}

// Description declares what a store is. Kind is the contract's word (ceph, s3,
// filesystem, memory).
type Description struct {
	Kind     string
	Durable  bool
	InFlight int // operations it takes at once; 0: unbounded
}

// Store keeps objects under keys. Per key it is linearizable, also between
// processes that share it. All methods may be called concurrently.
type Store interface {
	// Put stores what body yields under key, replacing any object already
	// there. It is all or nothing: after nil every Get, through any process,
	// returns the new bytes; after an error the old ones, unless
	// errors.Is(err, ErrUnknown): then the write may have landed, or may land
	// until the next acknowledged write of key. If body ends before opts.Size
	// bytes, or fails, Put returns ErrTruncated and the old object is intact.
	Put(ctx context.Context, key string, body io.Reader, opts PutOptions) (Info, error)

	// Get returns the bytes of rng and the object they belong to. A reader
	// that has begun keeps its bytes while the object is replaced or deleted.
	// A range that starts past the end yields nothing. ErrNotFound where key
	// holds nothing. The caller closes the reader.
	Get(ctx context.Context, key string, rng Range) (io.ReadCloser, Info, error)

	// Stat returns what Get would, without the bytes.
	Stat(ctx context.Context, key string) (Info, error)

	// Delete removes key. Deleting a missing object is not an error: S3
	// cannot tell the two apart without a second request that races. With
	// ifMatch not empty it returns ErrCondition unless the ETag is that
	// ("*": any object).
	Delete(ctx context.Context, key, ifMatch string) error

	// List returns a page of keys in byte order. It shows every object that
	// was acknowledged before it began and not deleted since.
	List(ctx context.Context, opts ListOptions) (Page, error)

	Describe() Description
	Health(ctx context.Context) Health
	Close() error
}
