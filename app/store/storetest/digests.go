package storetest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"bogops/app/store"
)

// knownDigest compares every digest that the store tells, through two views,
// with the bytes that it serves. A store that knows none breaks no promise:
// whoever needs one reads the bytes. Whether the bytes are right, and whether
// every view shows them, is for other rules.
func knownDigest(ctx context.Context, subject Subject) error {
	other, err := subject.Again(ctx)
	if err != nil {
		return fmt.Errorf("a second view: %w", err)
	}
	return errors.Join(digestsOf(ctx, subject.Store, other), other.Close())
}

func digestsOf(ctx context.Context, one, other store.Store) error {
	for i, size := range []int{0, 1, 70_000, 1} { // of one key: a digest must not outlive its bytes
		info, err := put(ctx, one, "k", pattern(i, size))
		if err != nil {
			return err
		}
		for _, view := range []store.Store{one, other, one} {
			if err := tells(ctx, view, info); err != nil {
				return fmt.Errorf("put %d, %d bytes: %w", i, size, err)
			}
		}
	}
	return nil
}

// tells checks the digest in every answer of a view. Put is what put answered.
func tells(ctx context.Context, view store.Store, put store.Info) error {
	data, whole, err := get(ctx, view, "k", store.Whole)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	_, part, err := get(ctx, view, "k", store.Range{Offset: 0, Length: 1})
	if err != nil {
		return err
	}
	stat, err := view.Stat(ctx, "k")
	if err != nil {
		return fmt.Errorf("stat: %w", err)
	}
	page, err := view.List(ctx, store.ListOptions{Prefix: "k", Limit: 1})
	if err != nil {
		return fmt.Errorf("list: %w", err)
	}
	want := sha256.Sum256(data)
	for _, listed := range page.Objects {
		err = errors.Join(err, knows(listed, want, "list"))
	}
	if put.ETag == whole.ETag {
		err = errors.Join(err, knows(put, want, "put"))
	}
	return errors.Join(err, knows(whole, want, "get"), knows(part, want, "get of a part"), knows(stat, want, "stat"))
}

// knows checks a digest, and spoils the caller's copy of it but for put's,
// which is looked at again.
func knows(info store.Info, want [sha256.Size]byte, from string) error {
	if info.SHA256 != nil && !bytes.Equal(info.SHA256, want[:]) {
		return fmt.Errorf("%s: got the digest %x, want %x, or none", from, info.SHA256, want)
	}
	if from != "put" {
		clear(info.SHA256)
	}
	return nil
}
