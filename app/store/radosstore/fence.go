package radosstore

import (
	"context"
	"encoding/binary"
	"errors"
)

// The objects whose omaps hold the index and the registry begin with a fence:
// a number of 8 bytes, big-endian, 0 where the object has no bytes. Changes are
// guarded by the fence that their writer knew. Whoever moves it knows that
// nothing sent under the old one lands any more, ghosts included.

// fencedEdit is what is done to such an object in one operation, all or nothing.
type fencedEdit struct {
	set  map[string][]byte // no value is empty
	drop []string
	next uint64 // where the fence moves; 0: it stays
}

// editFenced carries out e if the fence of the object is still this one, and is
// errGuard where it is not.
func editFenced(ctx context.Context, p pool, object string, fence uint64, e fencedEdit) error {
	c := change{guard: fenceBytes(fence), set: e.set, drop: e.drop}
	if e.next != 0 {
		c.patch = fenceBytes(e.next)
	}
	err := p.change(ctx, object, c)
	if errors.Is(err, errMissing) {
		return nil // no object has no entries: they are away
	}
	return err
}

// dropEntries takes entries away, whatever the fence is.
func dropEntries(ctx context.Context, p pool, object string, names ...string) error {
	if err := p.change(ctx, object, change{drop: names}); !errors.Is(err, errMissing) {
		return err
	}
	return nil
}

// readFence returns the fence of an object.
func readFence(ctx context.Context, p pool, object string) (uint64, error) {
	b := make([]byte, 8)
	n, err := p.read(ctx, object, b, 0)
	if errors.Is(err, errMissing) || err == nil && n == 0 {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return binary.BigEndian.Uint64(b), nil
}

// moveFence moves the fence of an object and returns where it is then. That
// somebody else moved it at the same time is as good.
func moveFence(ctx context.Context, p pool, object string, set map[string][]byte) (uint64, error) {
	for {
		old, err := readFence(ctx, p, object)
		if err != nil {
			return 0, err
		}
		err = editFenced(ctx, p, object, old, fencedEdit{set: set, next: old + 1})
		if err == nil {
			return old + 1, nil
		}
		if !errors.Is(err, errGuard) {
			return 0, err
		}
	}
}

func fenceBytes(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }
