package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"bogops/app/store"
)

const racers = 32

func oneCreator(ctx context.Context, subject Subject) error {
	return oneWins(ctx, subject, store.PutOptions{Size: 1000, IfAbsent: true})
}

func oneSwapper(ctx context.Context, subject Subject) error {
	info, err := put(ctx, subject.Store, "k", []byte("old"))
	if err != nil {
		return err
	}
	return oneWins(ctx, subject, store.PutOptions{Size: 1000, IfMatch: info.ETag})
}

// oneWins lets many put at once with opts, through two views: one of them must
// succeed, the others be told that their condition failed, and the winner's
// bytes be there.
func oneWins(ctx context.Context, subject Subject, opts store.PutOptions) error {
	other, err := subject.Again(ctx)
	if err != nil {
		return fmt.Errorf("a second view: %w", err)
	}
	return errors.Join(race(ctx, []store.Store{subject.Store, other}, opts), other.Close())
}

func race(ctx context.Context, views []store.Store, opts store.PutOptions) error {
	gate := newGate(racers)
	errs := make([]error, racers)
	var all sync.WaitGroup
	for i := range racers {
		all.Go(func() {
			body := io.MultiReader(gate, bytes.NewReader(pattern(i, 1000)))
			_, errs[i] = views[i%2].Put(ctx, "k", body, opts)
		})
	}
	all.Wait()
	winner, winners := 0, 0
	for i, err := range errs {
		switch {
		case err == nil:
			winner, winners = i, winners+1
		case !errors.Is(err, store.ErrCondition):
			return fmt.Errorf("put by racer %d: got error %w, want none or %q", i, err, store.ErrCondition)
		}
	}
	if winners != 1 {
		return fmt.Errorf("got %d winners of %d, want exactly 1", winners, racers)
	}
	return holds(ctx, views[0], "k", pattern(winner, 1000))
}

// gate is an empty body that ends once n bodies wait in it, so that all puts
// are past what they check first. A store may well let them in one by one:
// then it ends after a moment.
type gate struct {
	mu      sync.Mutex
	waiting int
	want    int
	open    chan struct{}
}

func newGate(n int) *gate { return &gate{want: n, open: make(chan struct{})} }

func (g *gate) Read([]byte) (int, error) {
	g.mu.Lock()
	if g.waiting++; g.waiting == g.want {
		close(g.open)
	}
	g.mu.Unlock()
	select {
	case <-g.open:
	case <-time.After(200 * time.Millisecond):
	}
	return 0, io.EOF
}

func ifMatch(ctx context.Context, subject Subject) error {
	s := subject.Store
	first, err := put(ctx, s, "k", []byte("first"))
	if err != nil {
		return err
	}
	write := func(key, data, etag string) error {
		_, err := s.Put(ctx, key, bytes.NewReader([]byte(data)), store.PutOptions{Size: int64(len(data)), IfMatch: etag})
		return err
	}
	if err := write("k", "second", first.ETag); err != nil {
		return fmt.Errorf("put with the ETag that the key has: %w", err)
	}
	for doing, try := range map[string]struct{ key, etag string }{
		"put with a stale ETag":             {"k", first.ETag},
		"put with an ETag of nothing":       {"k", `"no such"`},
		"put with an ETag on a missing key": {"new", first.ETag},
		`put with "*" on a missing key`:     {"new", "*"},
	} {
		if err := failsWith(write(try.key, "third", try.etag), store.ErrCondition, doing); err != nil {
			return err
		}
	}
	now, err := s.Stat(ctx, "k")
	if err != nil {
		return fmt.Errorf("stat: %w", err)
	}
	if err := failsWith(write("k", "third", "W/"+now.ETag), store.ErrCondition, "put with a weak ETag"); err != nil {
		return err
	}
	if err := errors.Join(holds(ctx, s, "k", []byte("second")), missing(ctx, s, "new")); err != nil {
		return fmt.Errorf("after refused puts: %w", err)
	}
	_, err = s.Put(ctx, "k", bytes.NewReader(nil), store.PutOptions{IfAbsent: true})
	if err := failsWith(err, store.ErrCondition, "put if absent on a key with an object"); err != nil {
		return err
	}
	if err := write("k", "fourth", "*"); err != nil {
		return fmt.Errorf(`put with "*" on a key with an object: %w`, err)
	}
	return holds(ctx, s, "k", []byte("fourth"))
}

func deleted(ctx context.Context, subject Subject) error {
	for range 2 {
		if _, err := put(ctx, subject.Store, "k", []byte("data")); err != nil {
			return err
		}
		if err := subject.Store.Delete(ctx, "k", ""); err != nil {
			return fmt.Errorf("delete: %w", err)
		}
		if err := missing(ctx, subject.Store, "k"); err != nil {
			return fmt.Errorf("after the delete: %w", err)
		}
	}
	_, err := subject.Store.Put(ctx, "k", bytes.NewReader(nil), store.PutOptions{IfAbsent: true})
	if err != nil {
		return fmt.Errorf("put if absent after a delete: %w", err)
	}
	return nil
}

func deleteMissing(ctx context.Context, subject Subject) error {
	if err := subject.Store.Delete(ctx, "never", ""); err != nil {
		return fmt.Errorf("delete of a key that never held anything: got error %w, want none", err)
	}
	return nil
}

func deleteIfMatch(ctx context.Context, subject Subject) error {
	s := subject.Store
	first, err := put(ctx, s, "k", []byte("first"))
	if err != nil {
		return err
	}
	second, err := put(ctx, s, "k", []byte("second"))
	if err != nil {
		return err
	}
	for _, try := range []struct{ key, etag string }{
		{"k", first.ETag}, {"k", "W/" + second.ETag}, {"never", second.ETag}, {"never", "*"},
	} {
		err := s.Delete(ctx, try.key, try.etag)
		if err := failsWith(err, store.ErrCondition, fmt.Sprintf("delete %q if it is %s", try.key, try.etag)); err != nil {
			return err
		}
	}
	if err := holds(ctx, s, "k", []byte("second")); err != nil {
		return fmt.Errorf("after refused deletes: %w", err)
	}
	if err := s.Delete(ctx, "k", second.ETag); err != nil {
		return fmt.Errorf("delete with the ETag that the key has: %w", err)
	}
	if err := missing(ctx, s, "k"); err != nil {
		return err
	}
	if _, err := put(ctx, s, "k", []byte("third")); err != nil {
		return err
	}
	if err := s.Delete(ctx, "k", "*"); err != nil {
		return fmt.Errorf(`delete with "*" of an object: %w`, err)
	}
	return missing(ctx, s, "k")
}
