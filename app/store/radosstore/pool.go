package radosstore

import (
	"context"
	"errors"
	"time"

	"bogops/app/store"
)

// pool is what the store asks of RADOS. Its errors, beside those below:
// store.ErrUnavailable where nothing was done, the error of ctx where nothing
// was sent or a read was given up, store.ErrUnknown where a change may have
// landed or may land later, and store.ErrFull. A call whose ctx ends returns
// at once; the operation goes on without it, with its place among those in
// flight and with holds, and must not have its memory changed meanwhile. All
// methods may be called concurrently.
type pool interface {
	// read fills p from the byte at on and returns how much there was. After an
	// error p must not be used again: the operation may still write to it.
	read(ctx context.Context, name string, p []byte, at int64, holds ...*buffer) (int, error)

	// size returns the bytes that an object holds.
	size(ctx context.Context, name string) (int64, error)

	// change does all of what c says, or nothing, in one operation. A c that
	// sets entries (and is not guarded) makes the object where it is missing.
	change(ctx context.Context, name string, c change, holds ...*buffer) error

	// entries returns up to limit entries (RADOS: omap) of an object in byte
	// order of their keys, those after the key after that begin with prefix.
	// A missing object has none.
	entries(ctx context.Context, name, after, prefix string, limit int) (page []pair, more bool, err error)

	// each calls found with the name of every object, in no order, one after
	// the other, until it returns an error, and returns that.
	each(ctx context.Context, found func(name string) error) error

	// where names the cluster; ErrUnavailable until it was reached once.
	where() (fsid string, err error)

	// address and blocklist are those of versioned.Home.
	address() (string, error)
	blocklist(ctx context.Context, address string) error

	health(now time.Time) store.Health

	// close waits for every operation, given up or not, ten time-outs at most.
	close() error
}

var (
	// errMissing: there is no such object. Of a change: it was to be one.
	errMissing = errors.New("no such RADOS object")
	// errGuard: the object is not what the change was guarded by, and nothing
	// was done.
	errGuard = errors.New("the guard of the write does not hold")
)

// change is one atomic write of one object. Guards first: where one does not
// hold the error is errGuard.
type change struct {
	create bool   // there is no such object
	guard  []byte // the object begins with these bytes; a missing one holds zeros

	full   [][]byte          // the new bytes of the object, piece after piece; not all empty
	patch  []byte            // new bytes for its beginning
	set    map[string][]byte // entries to write
	drop   []string          // keys of entries to take away
	remove bool              // take the object away, errMissing where there is none
}

// pair is an entry of an object.
type pair struct {
	key   string
	value []byte
}
