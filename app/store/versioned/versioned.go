// Package versioned says what the fall-back asks of the places where objects
// lie: heads that carry a version which the caller chooses, and writes that are
// guarded by the exact head they replace. The Ceph pool is one such place, each
// area in S3 another. The rules that need it are in package fallback.
package versioned

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"bogops/app/store"
)

// ErrMoved says that the place no longer holds the head that a write was
// guarded by: nothing was written, by a first and only attempt.
var ErrMoved = errors.New("the head has moved")

// Version names one write of one key. Equality is of the whole version; order
// is by epoch and generation only, and at a tie what is in place stays. The
// zero Version is that of nothing at all.
type Version struct {
	Epoch, Generation uint64
	Nonce             [16]byte // drawn anew for every write
}

// IsZero reports whether v is the version of nothing.
func (v Version) IsZero() bool { return v == Version{} }

// Newer reports whether v comes after than.
func (v Version) Newer(than Version) bool {
	if v.Epoch != than.Epoch {
		return v.Epoch > than.Epoch
	}
	return v.Generation > than.Generation
}

// ETag is the strong entity tag of the write, quotes included. It survives
// every move of the object.
func (v Version) ETag() string { return `"` + hex.EncodeToString(v.Nonce[:]) + `"` }

func (v Version) String() string {
	return fmt.Sprintf("%d.%d.%x", v.Epoch, v.Generation, v.Nonce[:4])
}

// Head is what a place holds for a key: an object, a tombstone, or, as the zero
// Head, nothing.
type Head struct {
	Version   Version
	Tombstone bool       // the key was deleted by this write
	Info      store.Info // of a tombstone: Key and Modified only
	Guard     string     // what the place itself needs to find this head unchanged; opaque
}

// Exists reports whether there is an object.
func (h Head) Exists() bool { return !h.Version.IsZero() && !h.Tombstone }

// Place keeps one head per key. What changes a head is guarded: it takes effect
// only over the head base, found by an earlier call. Its errors:
//
//   - nil: the write is durable, and the next Head shows it;
//   - ErrMoved: it did not take effect and never will;
//   - store.ErrUnknown: it may have taken effect, or may take effect once at any
//     later time while base is still in place;
//   - any other: it did not take effect and never will.
//
// The place settles an attempt whose answer it lost by reading back, once: its
// own version found is nil, another's is ErrUnknown. It never writes a second
// time after an attempt whose outcome it does not know. All methods may be
// called concurrently, and by many processes.
type Place interface {
	// Head returns what key holds; the zero Head and nil where that is nothing.
	Head(ctx context.Context, key string) (Head, error)

	// Open returns what key holds, with the bytes of rng where it is an object;
	// the reader is nil where it is none. The reader keeps its bytes while the
	// object is replaced. The caller closes it.
	Open(ctx context.Context, key string, rng store.Range) (io.ReadCloser, Head, error)

	// Stage takes in the body of a write of key, seen by nobody, so that it can
	// be committed over whatever key holds by then. Of opts it takes Size,
	// MaxSize and SHA256, as store.Put does, with its errors.
	Stage(ctx context.Context, key string, body io.Reader, opts store.PutOptions) (Draft, error)

	// Bury writes the tombstone next over base, also where base is nothing.
	Bury(ctx context.Context, key string, base, next Head) (Head, error)

	// Remove takes away the head base and leaves nothing.
	Remove(ctx context.Context, key string, base Head) error
}

// Draft is a body that was taken in. It is used by one goroutine at a time.
type Draft interface {
	// Commit makes the draft the object of its key, as the write next.Version
	// over base, with ContentType, Meta and Modified of next.Info, and returns
	// the head as it is kept. After ErrMoved it may be called again with
	// another base and version; after anything else it may not.
	Commit(ctx context.Context, base, next Head) (Head, error)

	// Discard gives up what was not committed. After nil or ErrUnknown from
	// Commit it does nothing. It is always called, and may be called again.
	Discard()
}

// Records are small values under names, each changed by conditional write only.
type Records interface {
	// Read returns a value and its tag; store.ErrNotFound where there is none.
	Read(ctx context.Context, name string) (value []byte, tag string, err error)

	// Write puts value where the name's tag is still tag ("": where there is
	// nothing) and returns the new tag. Errors are those of Place's writes; to
	// be told from others after a lost answer, every value must be unique.
	Write(ctx context.Context, name string, value []byte, tag string) (string, error)

	// Names returns the names that begin with prefix, in byte order.
	Names(ctx context.Context, prefix string) ([]string, error)

	// Remove takes a record away; one that is missing is no error.
	Remove(ctx context.Context, name string) error
}

// Away is where objects are kept while Ceph is not there: areas, one for each
// epoch of fall-back, and the records that the instances agree by.
type Away interface {
	Records

	// Area returns the place of one epoch. It need not exist.
	Area(epoch uint64) Place

	// Areas returns the epochs whose areas hold anything, in order.
	Areas(ctx context.Context) ([]uint64, error)

	// Heads returns up to limit heads of an area, tombstones too, in an order of
	// its own that begins after the cursor; the cursor "" is the beginning, and
	// comes back at the end.
	Heads(ctx context.Context, epoch uint64, cursor string, limit int) (heads []Head, next string, err error)

	// Sweep removes what an area holds beside heads that are still there:
	// bodies whose head never came or is gone. For ended areas only.
	Sweep(ctx context.Context, epoch uint64) (removed int, err error)
}

// Home is where objects belong: the Ceph pool, with its listing and records of
// its own.
type Home interface {
	Place

	// Records are kept beside the objects.
	Records() Records

	// List, Health, Describe and Close are those of store.Store.
	List(ctx context.Context, opts store.ListOptions) (store.Page, error)
	Health(ctx context.Context) store.Health
	Describe() store.Description
	Close() error

	// Tombstones returns up to limit tombstones, in an order of its own, as
	// Away.Heads does.
	Tombstones(ctx context.Context, cursor string, limit int) (heads []Head, next string, err error)

	// Address is the client address of this instance in the cluster, and
	// Blocklist shuts another one out: none of its writes to an object lands
	// after what this instance does to that object from then on.
	Address() (string, error)
	Blocklist(ctx context.Context, address string) error
}
