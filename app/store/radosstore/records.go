package radosstore

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"bogops/app/store"
	"bogops/app/store/versioned"
)

// A record is a RADOS object: "bogR", a nonce of 16 bytes that is drawn for
// every write, the CRC-32C of the value, the value. The first 20 bytes are the
// guard, and the nonce in hex is the tag. The names of all records are entries
// of one more object; a name is there before its record is, so it may be there
// without one.
const (
	recordMagic    = "bogR"
	recordGuardLen = len(recordMagic) + 16
	recordFixed    = recordGuardLen + 4
	maxRecord      = 1 << 20
)

// records implement versioned.Records.
type records struct{ home *Home }

// Records implements versioned.Home.
func (h *Home) Records() versioned.Records { return records{h} }

// Read implements versioned.Records.
func (r records) Read(ctx context.Context, name string) ([]byte, string, error) {
	b := make([]byte, maxRecord+recordFixed)
	n, err := r.home.pool.read(ctx, recordName(name), b, 0)
	if errors.Is(err, errMissing) {
		return nil, "", badRecord("read", name, store.ErrNotFound)
	}
	if err != nil {
		return nil, "", badRecord("read", name, err)
	}
	b = b[:n]
	if n < recordFixed || string(b[:len(recordMagic)]) != recordMagic ||
		binary.BigEndian.Uint32(b[recordGuardLen:]) != sumOf(b[recordFixed:]) {
		return nil, "", badRecord("read", name, store.ErrDamaged)
	}
	return slices.Clone(b[recordFixed:]), hex.EncodeToString(b[len(recordMagic):recordGuardLen]), nil
}

// Write implements versioned.Records.
func (r records) Write(ctx context.Context, name string, value []byte, tag string) (string, error) {
	if len(value) > maxRecord {
		return "", badRecord("write", name, fmt.Errorf("%w: %d bytes given, at most %d taken", store.ErrTooLarge, len(value), maxRecord))
	}
	c := change{create: tag == ""}
	if !c.create {
		nonce, err := hex.DecodeString(tag)
		if err != nil || len(nonce) != recordGuardLen-len(recordMagic) {
			return "", badRecord("write", name, fmt.Errorf("%w: %q is no tag of a record", versioned.ErrMoved, tag))
		}
		c.guard = append([]byte(recordMagic), nonce...)
	} else if err := r.enlist(ctx, name); err != nil {
		return "", badRecord("write", name, err)
	}
	b := make([]byte, recordFixed, recordFixed+len(value))
	copy(b, recordMagic)
	_, _ = rand.Read(b[len(recordMagic):recordGuardLen]) // never fails
	binary.BigEndian.PutUint32(b[recordGuardLen:], sumOf(value))
	c.full = [][]byte{append(b, value...)}
	mine := hex.EncodeToString(b[len(recordMagic):recordGuardLen])

	err := r.home.pool.change(ctx, recordName(name), c)
	switch {
	case errors.Is(err, errGuard):
		return "", badRecord("write", name, versioned.ErrMoved)
	case errors.Is(err, store.ErrUnknown):
		looking, cancel := context.WithTimeout(ctx, lookTime)
		defer cancel()
		if _, now, lookErr := r.Read(looking, name); lookErr == nil && now == mine {
			return mine, nil
		}
	}
	if err != nil {
		return "", badRecord("write", name, err)
	}
	return mine, nil
}

// enlist notes the name of a record that is about to be made. That it may not
// be known whether it was noted does not matter: nothing was written.
func (r records) enlist(ctx context.Context, name string) error {
	err := r.home.pool.change(ctx, recordsName, change{set: map[string][]byte{name: {1}}})
	if errors.Is(err, store.ErrUnknown) {
		return fmt.Errorf("%w: its name could not be noted in time", store.ErrUnavailable)
	}
	return err
}

// recordPage is how many names one operation asks for; RADOS gives 1,024 at
// most.
const recordPage = 1000

// Names implements versioned.Records.
func (r records) Names(ctx context.Context, prefix string) ([]string, error) {
	var names []string
	for after, more := "", true; more; {
		page, again, err := r.home.pool.entries(ctx, recordsName, after, prefix, recordPage)
		if err != nil {
			return nil, badRecord("list", prefix, err)
		}
		for _, entry := range page {
			after = entry.key
			_, err := r.home.pool.size(ctx, recordName(entry.key))
			if err == nil && strings.HasPrefix(entry.key, prefix) {
				names = append(names, entry.key)
			}
			if err != nil && !errors.Is(err, errMissing) {
				return nil, badRecord("list", prefix, err)
			}
		}
		more = again && len(page) > 0
	}
	return names, nil
}

// Remove implements versioned.Records. The name stays noted: taken away after
// the record it could be that of one that was made anew meanwhile. Names are
// few, and used again.
func (r records) Remove(ctx context.Context, name string) error {
	err := r.home.pool.change(ctx, recordName(name), change{remove: true})
	if err != nil && !errors.Is(err, errMissing) {
		return badRecord("remove", name, err)
	}
	return nil
}

func badRecord(what, name string, err error) error {
	return fmt.Errorf("radosstore: %s record %q: %w", what, name, err)
}
