// Package storetest holds the rules that every store keeps. A rule returns an
// error instead of failing a test, so that the rules themselves can be tried
// on stores that break exactly one of them.
package storetest

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"bogops/app/store"
)

// Subject is a store under test, empty, and used by nobody else.
type Subject struct {
	Store store.Store

	// Again opens another view of the same objects, as another process
	// would: beside Store, and, where the store is durable, after Store was
	// closed. The caller closes it.
	Again func(ctx context.Context) (store.Store, error)
}

// Rule is one promise of the store. Check returns what it got and what it
// wanted where the subject does not keep it.
type Rule struct {
	Name  string
	Why   string
	Check func(ctx context.Context, subject Subject) error
}

// Rules are all promises. No store opts out of any.
func Rules() []Rule {
	return []Rule{
		{"round-trip", "An object of any size reads back as it was stored.", roundTrip},
		{"odd-keys", "Keys that differ in any byte are different objects.", oddKeys},
		{"overwrite", "The new object takes the place of the old one whole.", overwrite},
		{"unknown-size", "A body of unknown size is stored up to its limit.", unknownSize},
		{"truncated-body", "A body that ends early or fails changes nothing.", truncatedBody},
		{"oversized-body", "A body longer than announced or allowed changes nothing.", oversizedBody},
		{"digest", "A body that does not match its digest changes nothing.", digest},
		{"unfinished-unseen", "A write is not seen before it is whole.", unfinishedUnseen},
		{"buffers", "What the caller does with its memory after a call changes no object.", buffers},
		{"description", "Content type, metadata and time are kept with the object.", description},
		{"known-digest", "The digest that a store knows of an object is that of its bytes.", knownDigest},
		{"etag", "An ETag names one write: it stays between writes and changes with the bytes.", etag},

		{"one-creator", "Of many that create one key at once exactly one wins.", oneCreator},
		{"one-swapper", "Of many that replace one version at once exactly one wins.", oneSwapper},
		{"if-match", "A write with a condition happens only where the condition holds.", ifMatch},
		{"delete", "A deleted object is gone.", deleted},
		{"delete-missing", "Deleting what is not there is no error.", deleteMissing},
		{"delete-if-match", "A delete with a condition happens only where the condition holds.", deleteIfMatch},

		{"reader-keeps-bytes", "A reader that has begun keeps its bytes.", readerKeeps},
		{"no-torn-reads", "Readers beside writers see one version or another, whole.", noTornReads},
		{"ranges", "A range yields exactly its bytes.", ranges},

		{"list-order", "A listing is in byte order and describes its objects.", listOrder},
		{"list-prefix", "A listing shows the keys with the prefix and no others.", listPrefix},
		{"list-delimiter", "Keys that go on after the delimiter stand as one prefix.", listDelimiter},
		{"list-pages", "Pages together show every entry once.", listPages},
		{"list-acknowledged", "A listing shows what was acknowledged before it began, and nothing deleted.", listAcknowledged},

		{"second-view", "Another process sees a write and a delete once they are acknowledged.", secondView},
		{"reopen", "A durable store keeps its objects when it is opened again.", reopen},
		{"context", "An operation whose context has ended does nothing and says so.", contextEnded},
		{"health", "A fresh store is healthy, and a closed one down and without service.", health},
	}
}

// Run checks every rule on a subject of its own, some at once. Each has 30
// seconds.
func Run(t *testing.T, open func(t testing.TB) Subject) {
	for _, rule := range Rules() {
		t.Run(rule.Name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			if err := rule.Check(ctx, open(t)); err != nil {
				t.Errorf("%s\n%v", rule.Why, err)
			}
		})
	}
}

// put stores data and checks what Put says of it.
func put(ctx context.Context, s store.Store, key string, data []byte) (store.Info, error) {
	info, err := s.Put(ctx, key, bytes.NewReader(data), store.PutOptions{Size: int64(len(data))})
	if err != nil {
		return info, fmt.Errorf("put %s of %d bytes: %w", short(key), len(data), err)
	}
	if info.Key != key || info.Size != int64(len(data)) {
		return info, fmt.Errorf("put %s of %d bytes: got key %s and size %d in its answer", short(key), len(data), short(info.Key), info.Size)
	}
	return info, nil
}

func get(ctx context.Context, s store.Store, key string, rng store.Range) ([]byte, store.Info, error) {
	r, info, err := s.Get(ctx, key, rng)
	if err != nil {
		return nil, info, fmt.Errorf("get %s: %w", short(key), err)
	}
	data, err := io.ReadAll(r)
	if err = errors.Join(err, r.Close()); err != nil {
		return nil, info, fmt.Errorf("read %s: %w", short(key), err)
	}
	return data, info, nil
}

// holds checks that key has exactly these bytes.
func holds(ctx context.Context, s store.Store, key string, want []byte) error {
	got, info, err := get(ctx, s, key, store.Whole)
	if err != nil {
		return err
	}
	if err := same(got, want); err != nil {
		return fmt.Errorf("get %s: %w", short(key), err)
	}
	if info.Key != key || info.Size != int64(len(want)) {
		return fmt.Errorf("get %s: got key %s and size %d, want size %d", short(key), short(info.Key), info.Size, len(want))
	}
	stat, err := s.Stat(ctx, key)
	if err != nil {
		return fmt.Errorf("stat %s: %w", short(key), err)
	}
	if stat.Key != key || stat.Size != int64(len(want)) {
		return fmt.Errorf("stat %s: got key %s and size %d, want size %d", short(key), short(stat.Key), stat.Size, len(want))
	}
	return nil
}

// missing checks that key holds nothing.
func missing(ctx context.Context, s store.Store, key string) error {
	r, _, err := s.Get(ctx, key, store.Whole)
	if err == nil {
		r.Close()
	}
	if err := failsWith(err, store.ErrNotFound, "get "+short(key)); err != nil {
		return err
	}
	_, err = s.Stat(ctx, key)
	return failsWith(err, store.ErrNotFound, "stat "+short(key))
}

func failsWith(err, want error, doing string) error {
	if !errors.Is(err, want) {
		return fmt.Errorf("%s: got error %v, want %q", doing, err, want)
	}
	return nil
}

// same says where got differs from want first.
func same(got, want []byte) error {
	if bytes.Equal(got, want) {
		return nil
	}
	at := 0
	for at < min(len(got), len(want)) && got[at] == want[at] {
		at++
	}
	return fmt.Errorf("got %d bytes that differ from byte %d on, want %d bytes", len(got), at, len(want))
}

// short quotes a key, a long one only in part.
func short(key string) string {
	if len(key) > 40 {
		return fmt.Sprintf("%q... (%d bytes)", key[:40], len(key))
	}
	return fmt.Sprintf("%q", key)
}

// pattern is n bytes that no other seed gives and that no block of them
// repeats.
func pattern(seed, n int) []byte {
	var key [32]byte
	binary.BigEndian.PutUint64(key[:], uint64(seed))
	data := make([]byte, n)
	_, _ = rand.NewChaCha8(key).Read(data) // never fails
	return data
}
