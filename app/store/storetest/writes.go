package storetest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"time"

	"bogops/app/store"
)

// unfinishedUnseen looks at a key while its next body is half there.
func unfinishedUnseen(ctx context.Context, subject Subject) error {
	s := subject.Store
	old, next := pattern(1, 200_000), pattern(2, 300_000)
	if _, err := put(ctx, s, "k", old); err != nil {
		return err
	}
	unseen := func(moment string) error {
		if err := holds(ctx, s, "k", old); err != nil {
			return fmt.Errorf("%s: %w", moment, err)
		}
		if err := missing(ctx, s, "new"); err != nil {
			return fmt.Errorf("%s: %w", moment, err)
		}
		return nil
	}
	for _, key := range []string{"k", "new"} {
		body := &watchedBody{rest: next, look: func(given int) error {
			return unseen(fmt.Sprintf("while the put of %q has %d of %d bytes", key, given, len(next)))
		}}
		_, err := s.Put(ctx, key, body, store.PutOptions{Size: int64(len(next))})
		if body.saw != nil {
			return body.saw
		}
		if err != nil {
			return fmt.Errorf("put %q: %w", key, err)
		}
		if err := holds(ctx, s, key, next); err != nil {
			return err
		}
		old = next
	}
	return nil
}

// watchedBody looks around before it yields its second and its last part.
type watchedBody struct {
	rest  []byte
	given int
	look  func(given int) error
	saw   error
}

func (b *watchedBody) Read(p []byte) (int, error) {
	if b.given > 0 && b.saw == nil && (len(b.rest) < 100_000 || b.given < 100_000) {
		b.saw = b.look(b.given)
	}
	if len(b.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), 50_000)], b.rest)
	b.rest, b.given = b.rest[n:], b.given+n
	return n, nil
}

func description(ctx context.Context, subject Subject) error {
	meta := map[string]string{"colour": "red", "empty": "", "odd": "a=b; c=\"d\" ~!"}
	begun := time.Now()
	first, err := subject.Store.Put(ctx, "k", bytes.NewReader(nil),
		store.PutOptions{ContentType: "text/plain; charset=utf-8", Meta: meta})
	if err != nil {
		return fmt.Errorf("put: %w", err)
	}
	_, got, err := get(ctx, subject.Store, "k", store.Whole)
	if err != nil {
		return err
	}
	stat, err := subject.Store.Stat(ctx, "k")
	if err != nil {
		return fmt.Errorf("stat: %w", err)
	}
	for from, info := range map[string]store.Info{"put": first, "get": got, "stat": stat} {
		if info.ContentType != "text/plain; charset=utf-8" {
			return fmt.Errorf("%s: got content type %q, want %q", from, info.ContentType, "text/plain; charset=utf-8")
		}
		if !maps.Equal(info.Meta, meta) {
			return fmt.Errorf("%s: got metadata %q, want %q", from, info.Meta, meta)
		}
		// A store elsewhere has a clock of its own, but not one of another day.
		if away := info.Modified.Sub(begun).Abs(); away > time.Hour || info.Modified.Location() != time.UTC {
			return fmt.Errorf("%s: got modified %v, want now in UTC", from, info.Modified)
		}
		if !info.Modified.Equal(first.Modified) {
			return fmt.Errorf("%s: got modified %v, want %v as put answered", from, info.Modified, first.Modified)
		}
	}
	if _, err := put(ctx, subject.Store, "k", nil); err != nil {
		return err
	}
	if stat, err = subject.Store.Stat(ctx, "k"); err != nil {
		return fmt.Errorf("stat: %w", err)
	}
	if len(stat.Meta) != 0 || stat.ContentType != "" {
		return fmt.Errorf("stat after a put without: got metadata %q and content type %q, want none", stat.Meta, stat.ContentType)
	}
	return nil
}

func etag(ctx context.Context, subject Subject) error {
	s := subject.Store
	var seen []string
	for i := range 3 {
		info, err := put(ctx, s, "k", pattern(i, 100))
		if err != nil {
			return err
		}
		if n := len(info.ETag); n < 3 || info.ETag[0] != '"' || info.ETag[n-1] != '"' {
			return fmt.Errorf("put: got ETag %s, want a strong one in quotes (RFC 9110, section 8.8.3)", info.ETag)
		}
		for range 2 {
			_, got, err := get(ctx, s, "k", store.Range{Offset: 3, Length: 5})
			if err != nil {
				return err
			}
			stat, err := s.Stat(ctx, "k")
			if err != nil {
				return fmt.Errorf("stat: %w", err)
			}
			if got.ETag != info.ETag || stat.ETag != info.ETag {
				return fmt.Errorf("got ETag %s by get and %s by stat, want %s as put answered", got.ETag, stat.ETag, info.ETag)
			}
		}
		for _, before := range seen {
			if before == info.ETag {
				return fmt.Errorf("got ETag %s for other bytes again, want a new one", before)
			}
		}
		seen = append(seen, info.ETag)
	}
	return nil
}
