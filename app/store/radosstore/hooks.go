package radosstore

import (
	"context"
	"time"

	"bogops/app/store"
	"bogops/app/store/versioned"
)

// entry is what the listing keeps of one write of one key.
type entry struct {
	key       string
	version   versioned.Version
	tombstone bool
	info      store.Info
}

func entryOf(h versioned.Head) entry {
	return entry{key: h.Info.Key, version: h.Version, tombstone: h.Tombstone, info: h.Info}
}

// indexer is the listing as the writes see it.
type indexer interface {
	// pending notes a write that is about to happen or happens at the same
	// time. No write is acknowledged before it has returned nil.
	pending(ctx context.Context, e entry) error

	// settle notes that the write took effect. It does not wait.
	settle(e entry)

	// dropped notes that the write never took effect and never will, or that
	// its head was removed. It does not wait.
	dropped(e entry)
}

// upload is one body on its way into tails.
type upload struct {
	key     string
	draft   draftID
	started time.Time
}

// draftID is drawn for every body that is taken in: the tails of one are never
// those of another, whatever version they end under.
type draftID [16]byte

// registry remembers every upload from before its first tail for as long as
// tails of it exist, so that a collector finds what a crash, a loser or a
// replaced object left.
type registry interface {
	// begin notes the upload. No tail is written before it has returned nil.
	begin(ctx context.Context, u upload) error

	// alive is called before each tail; it says that the upload goes on, and
	// stops it by an error.
	alive(ctx context.Context, u upload) error

	// committing notes the guard of the head that a commit is to replace (empty:
	// nothing), before that is tried.
	committing(ctx context.Context, u upload, guard string) error

	// ended notes how the upload ended. It does not wait.
	ended(u upload, how ending)
}

// ending is how an upload ended.
type ending int

const (
	committed ending = iota // its head was acknowledged
	discarded               // no head refers to its tails and none ever will
	unknown                 // a head may, or may later
)

// unlisted stands in for an index and a registry where there is none.
type unlisted struct{}

func (unlisted) pending(context.Context, entry) error             { return nil }
func (unlisted) settle(entry)                                     {}
func (unlisted) dropped(entry)                                    {}
func (unlisted) begin(context.Context, upload) error              { return nil }
func (unlisted) alive(context.Context, upload) error              { return nil }
func (unlisted) committing(context.Context, upload, string) error { return nil }
func (unlisted) ended(upload, ending)                             {}
