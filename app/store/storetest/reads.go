package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"bogops/app/store"
)

func readerKeeps(ctx context.Context, subject Subject) error {
	s, old := subject.Store, pattern(1, 300_000)
	replace := func(key string) error {
		_, err := put(ctx, s, key, pattern(2, 300_000))
		return err
	}
	remove := func(key string) error { return s.Delete(ctx, key, "") }
	for what, do := range map[string]func(string) error{"replacement": replace, "delete": remove} {
		if _, err := put(ctx, s, what, old); err != nil {
			return err
		}
		r, info, err := s.Get(ctx, what, store.Whole)
		if err != nil {
			return fmt.Errorf("get: %w", err)
		}
		got := make([]byte, info.Size)
		_, first := io.ReadFull(r, got[:10])
		if err := do(what); err != nil {
			return errors.Join(fmt.Errorf("%s: %w", what, err), r.Close())
		}
		_, rest := io.ReadFull(r, got[10:])
		if err := errors.Join(first, rest, r.Close()); err != nil {
			return fmt.Errorf("a reader during its %s: %w", what, err)
		}
		if err := same(got, old); err != nil {
			return fmt.Errorf("a reader during its %s: %w", what, err)
		}
	}
	return nil
}

// noTornReads lets one write versions of an object, each one byte repeated,
// while four read it. A reader must see one byte repeated as often as the
// object's size says, and never a version older than one it saw before.
func noTornReads(ctx context.Context, subject Subject) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if _, err := put(ctx, subject.Store, "k", version(0)); err != nil {
		return err
	}
	begun := make(chan struct{}) // a read begins: the moment to write
	written := make(chan struct{})
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if err := readVersions(ctx, subject.Store, begun, written); err != nil {
				cancel(err)
			}
		})
	}
	all.Go(func() {
		defer close(written)
		for i := 1; i <= versions && ctx.Err() == nil; i++ {
			select {
			case <-begun:
			case <-ctx.Done():
				return
			}
			if _, err := put(ctx, subject.Store, "k", version(i)); err != nil {
				cancel(err)
			}
		}
	})
	all.Wait()
	return context.Cause(ctx)
}

const versions = 20

func version(i int) []byte { return bytes.Repeat([]byte{byte(i)}, 70_000+i) }

// readVersions reads until all is written, and once more.
func readVersions(ctx context.Context, s store.Store, begun chan<- struct{}, written <-chan struct{}) error {
	for seen := 0; ; {
		over := false
		select {
		case begun <- struct{}{}:
		case <-written:
			over = true
		}
		var err error
		if seen, err = readVersion(ctx, s, seen); err != nil {
			return err
		}
		if over && seen != versions {
			return fmt.Errorf("after the last put: got version %d, want %d", seen, versions)
		}
		if over {
			return nil
		}
	}
}

func readVersion(ctx context.Context, s store.Store, seen int) (int, error) {
	got, info, err := get(ctx, s, "k", store.Whole)
	if err != nil {
		return seen, err
	}
	i := int(info.Size) - len(version(0))
	if i < seen {
		return seen, fmt.Errorf("got version %d after version %d was read", i, seen)
	}
	if err := same(got, version(i)); err != nil {
		return seen, fmt.Errorf("read of version %d: %w", i, err)
	}
	return i, nil
}

func ranges(ctx context.Context, subject Subject) error {
	const size = 200_000
	data := pattern(1, size)
	if _, err := put(ctx, subject.Store, "k", data); err != nil {
		return err
	}
	if _, err := put(ctx, subject.Store, "empty", nil); err != nil {
		return err
	}
	for _, try := range []struct {
		offset, length int64
		from, to       int
	}{
		{0, -1, 0, size}, {0, 0, 0, 0}, {0, 1, 0, 1}, {0, size, 0, size}, {0, size + 1, 0, size},
		{1, -1, 1, size}, {65_535, 2, 65_535, 65_537}, {65_536, 65_536, 65_536, 131_072}, {100, 150_000, 100, 150_100},
		{size - 1, -1, size - 1, size}, {size - 1, 1, size - 1, size}, {size - 1, 5, size - 1, size},
		{size, -1, size, size}, {size, 1, size, size}, {size + 1, 1, size, size}, {1 << 62, 1 << 62, size, size},
	} {
		rng := store.Range{Offset: try.offset, Length: try.length}
		got, info, err := get(ctx, subject.Store, "k", rng)
		if err != nil {
			return fmt.Errorf("range %+v of %d bytes: %w", rng, size, err)
		}
		if err := same(got, data[try.from:try.to]); err != nil {
			return fmt.Errorf("range %+v of %d bytes: %w", rng, size, err)
		}
		if info.Size != size {
			return fmt.Errorf("range %+v: got size %d, want the whole object's, %d", rng, info.Size, size)
		}
		if got, _, err = get(ctx, subject.Store, "empty", rng); err != nil || len(got) > 0 {
			return fmt.Errorf("range %+v of an empty object: got %d bytes and error %w, want none", rng, len(got), err)
		}
	}
	return nil
}
