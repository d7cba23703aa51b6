package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"bogops/app/store"
)

func secondView(ctx context.Context, subject Subject) error {
	other, err := subject.Again(ctx)
	if err != nil {
		return fmt.Errorf("a second view: %w", err)
	}
	return errors.Join(seesWrites(ctx, subject.Store, other), other.Close())
}

func seesWrites(ctx context.Context, one, other store.Store) error {
	views := []store.Store{one, other}
	for i := range 6 {
		writer, reader := views[i%2], views[1-i%2]
		info, err := put(ctx, writer, "k", pattern(i, 1000))
		if err != nil {
			return err
		}
		if err := holds(ctx, reader, "k", pattern(i, 1000)); err != nil {
			return fmt.Errorf("the other view after put %d: %w", i, err)
		}
		stat, err := reader.Stat(ctx, "k")
		if err != nil {
			return fmt.Errorf("the other view after put %d: %w", i, err)
		}
		if stat.ETag != info.ETag {
			return fmt.Errorf("the other view after put %d: got ETag %s, want %s", i, stat.ETag, info.ETag)
		}
		if err := shows(ctx, reader, store.ListOptions{Limit: 10}, []string{"k"}, nil); err != nil {
			return fmt.Errorf("the other view after put %d: %w", i, err)
		}
		_, err = reader.Put(ctx, "k", bytes.NewReader(nil), store.PutOptions{IfAbsent: true})
		if err := failsWith(err, store.ErrCondition, "the other view puts if absent"); err != nil {
			return err
		}
		if i%3 != 2 {
			continue
		}
		if err := writer.Delete(ctx, "k", info.ETag); err != nil {
			return fmt.Errorf("delete: %w", err)
		}
		if err := missing(ctx, reader, "k"); err != nil {
			return fmt.Errorf("the other view after the delete: %w", err)
		}
	}
	return nil
}

func reopen(ctx context.Context, subject Subject) error {
	s := subject.Store
	if !s.Describe().Durable {
		return nil // it says that it forgets
	}
	var before []store.Info
	for i, key := range []string{"a", "b/c", "gone"} {
		info, err := s.Put(ctx, key, bytes.NewReader(pattern(i, 100_000*i)), store.PutOptions{
			Size: int64(100_000 * i), ContentType: "text/plain", Meta: map[string]string{"n": key}})
		if err != nil {
			return fmt.Errorf("put %q: %w", key, err)
		}
		before = append(before, info)
	}
	if err := errors.Join(s.Delete(ctx, "gone", ""), s.Close()); err != nil {
		return fmt.Errorf("delete and close: %w", err)
	}
	again, err := subject.Again(ctx)
	if err != nil {
		return fmt.Errorf("open again: %w", err)
	}
	return errors.Join(remembers(ctx, again, before[:2]), missing(ctx, again, "gone"), again.Close())
}

func remembers(ctx context.Context, s store.Store, before []store.Info) error {
	for i, info := range before {
		if err := holds(ctx, s, info.Key, pattern(i, int(info.Size))); err != nil {
			return fmt.Errorf("opened again: %w", err)
		}
		now, err := s.Stat(ctx, info.Key)
		if err != nil {
			return fmt.Errorf("opened again: %w", err)
		}
		if now.ETag != info.ETag || now.ContentType != info.ContentType || now.Meta["n"] != info.Key || !now.Modified.Equal(info.Modified) {
			return fmt.Errorf("opened again: got %+v, want %+v", now, info)
		}
	}
	return shows(ctx, s, store.ListOptions{Limit: 10}, []string{"a", "b/c"}, nil)
}

func contextEnded(ctx context.Context, subject Subject) error {
	s, old := subject.Store, pattern(1, 1000)
	if _, err := put(ctx, s, "k", old); err != nil {
		return err
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	for doing, do := range everyOperation(ended, s) {
		if err := failsWith(do(), context.Canceled, doing+" with a context that has ended"); err != nil {
			return err
		}
	}
	if err := errors.Join(holds(ctx, s, "k", old), missing(ctx, s, "new")); err != nil {
		return fmt.Errorf("after operations whose context had ended: %w", err)
	}
	during, cancel := context.WithCancel(ctx)
	defer cancel()
	body := &watchedBody{rest: pattern(2, 300_000), look: func(int) error { cancel(); return nil }}
	_, err := s.Put(during, "k", body, store.PutOptions{Size: 300_000})
	if err := failsWith(err, context.Canceled, "put whose context ends within the body"); err != nil {
		return err
	}
	return holds(ctx, s, "k", old)
}

func everyOperation(ctx context.Context, s store.Store) map[string]func() error {
	return map[string]func() error{
		"put": func() error {
			_, err := s.Put(ctx, "k", bytes.NewReader([]byte("x")), store.PutOptions{Size: 1})
			return err
		},
		"put of a new key": func() error {
			_, err := s.Put(ctx, "new", bytes.NewReader(nil), store.PutOptions{})
			return err
		},
		"get": func() error {
			r, _, err := s.Get(ctx, "k", store.Whole)
			if err == nil {
				r.Close()
			}
			return err
		},
		"stat":   func() error { _, err := s.Stat(ctx, "k"); return err },
		"delete": func() error { return s.Delete(ctx, "k", "") },
		"list":   func() error { _, err := s.List(ctx, store.ListOptions{Limit: 1}); return err },
	}
}

func health(ctx context.Context, subject Subject) error {
	s := subject.Store
	if kind := s.Describe().Kind; kind == "" {
		return errors.New("describe: got no kind")
	}
	if got := s.Health(ctx); got.State != store.Healthy {
		return fmt.Errorf("a fresh store: got %q (%s), want %q", got.State, got.Reason, store.Healthy)
	}
	if _, err := put(ctx, s, "k", []byte("x")); err != nil {
		return err
	}
	if err := s.Close(); err != nil {
		return fmt.Errorf("close: %w", err)
	}
	if got := s.Health(ctx); got.State != store.Down || got.Reason == "" {
		return fmt.Errorf("a closed store: got %q (%q), want %q and a reason", got.State, got.Reason, store.Down)
	}
	for doing, do := range everyOperation(ctx, s) {
		if err := failsWith(do(), store.ErrUnavailable, doing+" on a closed store"); err != nil {
			return err
		}
	}
	return nil
}
