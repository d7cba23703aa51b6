package storetest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing/iotest"

	"bogops/app/store"
)

func roundTrip(ctx context.Context, subject Subject) error {
	for i, size := range []int{0, 1, 4 << 10, 1<<20 + 1} {
		key, data := fmt.Sprintf("size-%d", size), pattern(i, size)
		if _, err := put(ctx, subject.Store, key, data); err != nil {
			return err
		}
		if err := holds(ctx, subject.Store, key, data); err != nil {
			return err
		}
	}
	return missing(ctx, subject.Store, "size-2")
}

// strangeKeys are pairwise different, and alike to whatever takes a key for
// a path, a word, a number or a C string.
func strangeKeys() []string {
	long := strings.Repeat("k", 1023)
	return []string{
		"a", "A", "a/", "/a", "a/b", "a//b", "/a/b", "a/./b", "a/../b", "a/B", ".", "..", "../a", "/", "//", "...",
		"a b", "a+b", "a%20b", "a%2Fb", "a%2fb", "%", "%%", "a\\b", "a?b", "a#b", "a&b", "a:b", "a*b", "~", "-", "-rf", "a.", "a ",
		"é", "e\u0301", "É", "ß", "ss", "ı", "i", "日本", "🦦", "\u00a0", "\ufeff", "\ufffd", "con", "nul", "1", "01", "a\u202eb",
		long + "1", long + "2", long, strings.Repeat("é", 512), strings.Repeat("d/", 512), strings.Repeat("K", 1024),
		strings.Repeat("%", 250), strings.Repeat("n", 255), strings.Repeat("n", 256),
	}
}

func oddKeys(ctx context.Context, subject Subject) error {
	keys := strangeKeys()
	for i, key := range keys {
		if _, err := put(ctx, subject.Store, key, pattern(i, 20)); err != nil {
			return err
		}
	}
	for i, key := range keys {
		if err := holds(ctx, subject.Store, key, pattern(i, 20)); err != nil {
			return err
		}
	}
	for i, key := range keys[:len(keys)-1] {
		if err := subject.Store.Delete(ctx, key, ""); err != nil {
			return fmt.Errorf("delete %s: %w", short(key), err)
		}
		if err := holds(ctx, subject.Store, keys[i+1], pattern(i+1, 20)); err != nil {
			return fmt.Errorf("after the delete of %s: %w", short(key), err)
		}
	}
	return nil
}

func overwrite(ctx context.Context, subject Subject) error {
	for i, size := range []int{300_000, 10, 0, 300_001} {
		info, err := put(ctx, subject.Store, "k", pattern(i, size))
		if err != nil {
			return err
		}
		if want := i > 0; info.Replaced != want {
			return fmt.Errorf("put %d of one key: got Replaced %t, want %t", i+1, info.Replaced, want)
		}
		if err := holds(ctx, subject.Store, "k", pattern(i, size)); err != nil {
			return err
		}
	}
	return nil
}

func unknownSize(ctx context.Context, subject Subject) error {
	for i, size := range []int{0, 1, 200_000} {
		key, data := fmt.Sprint("k", i), pattern(i, size)
		info, err := subject.Store.Put(ctx, key, iotest.HalfReader(bytes.NewReader(data)), store.PutOptions{Size: -1, MaxSize: 200_000})
		if err != nil {
			return fmt.Errorf("put of %d bytes, size not announced: %w", size, err)
		}
		if info.Size != int64(size) {
			return fmt.Errorf("put of %d bytes, size not announced: got size %d", size, info.Size)
		}
		if err := holds(ctx, subject.Store, key, data); err != nil {
			return err
		}
	}
	return nil
}

// refused checks that a put ends with want, and that neither a key with an
// object nor one without changes by it.
func refused(ctx context.Context, s store.Store, body func() io.Reader, opts store.PutOptions, want error, doing string) error {
	old := pattern(99, 1000)
	if _, err := put(ctx, s, "old", old); err != nil {
		return err
	}
	for _, key := range []string{"old", "new"} {
		_, err := s.Put(ctx, key, body(), opts)
		if err := failsWith(err, want, "put of "+doing); err != nil {
			return err
		}
	}
	if err := holds(ctx, s, "old", old); err != nil {
		return fmt.Errorf("after a refused put of %s: %w", doing, err)
	}
	if err := missing(ctx, s, "new"); err != nil {
		return fmt.Errorf("after a refused put of %s: %w", doing, err)
	}
	return nil
}

func truncatedBody(ctx context.Context, subject Subject) error {
	errCut := errors.New("connection cut")
	for _, size := range []int{0, 1, 999, 150_000} {
		data := pattern(size, size)
		doing := fmt.Sprintf("%d bytes where one more was announced", size)
		whole := func() io.Reader { return bytes.NewReader(data) }
		if err := refused(ctx, subject.Store, whole, store.PutOptions{Size: int64(size) + 1}, store.ErrTruncated, doing); err != nil {
			return err
		}
		failing := func() io.Reader { return io.MultiReader(bytes.NewReader(data), iotest.ErrReader(errCut)) }
		for _, announced := range []int64{int64(size) + 1, -1} {
			doing := fmt.Sprintf("a body that fails after %d bytes", size)
			opts := store.PutOptions{Size: announced}
			if err := refused(ctx, subject.Store, failing, opts, store.ErrTruncated, doing); err != nil {
				return err
			}
			if err := refused(ctx, subject.Store, failing, opts, errCut, doing); err != nil {
				return err
			}
		}
	}
	return nil
}

func oversizedBody(ctx context.Context, subject Subject) error {
	for _, size := range []int{2, 70_000, 150_000} {
		body := func() io.Reader { return bytes.NewReader(pattern(size, size)) }
		for doing, opts := range map[string]store.PutOptions{
			"one byte less than the body was announced": {Size: int64(size) - 1},
			"the announced size is over the limit":      {Size: int64(size), MaxSize: int64(size) - 1},
			"the body of unknown size is over limit":    {Size: -1, MaxSize: int64(size) - 1},
		} {
			if err := refused(ctx, subject.Store, body, opts, store.ErrTooLarge, fmt.Sprintf("%d bytes, where %s", size, doing)); err != nil {
				return err
			}
		}
	}
	return nil
}

func digest(ctx context.Context, subject Subject) error {
	for _, size := range []int{0, 1, 100_000} {
		data := pattern(size, size)
		right := sha256.Sum256(data)
		wrong := sha256.Sum256(append([]byte("x"), data...))
		body := func() io.Reader { return bytes.NewReader(data) }
		for _, announced := range []int64{int64(size), -1} {
			if err := refused(ctx, subject.Store, body, store.PutOptions{Size: announced, SHA256: wrong[:]}, store.ErrDigest,
				fmt.Sprintf("%d bytes with a wrong digest", size)); err != nil {
				return err
			}
			key := fmt.Sprint("right", size, announced)
			if _, err := subject.Store.Put(ctx, key, body(), store.PutOptions{Size: announced, SHA256: right[:]}); err != nil {
				return fmt.Errorf("put of %d bytes with their digest: %w", size, err)
			}
			if err := holds(ctx, subject.Store, key, data); err != nil {
				return err
			}
		}
	}
	return nil
}

// buffers hands the store memory that changes as soon as a call is over.
func buffers(ctx context.Context, subject Subject) error {
	data := pattern(1, 100_000)
	lent := &lentBody{data: bytes.Clone(data)}
	meta := map[string]string{"colour": "red"}
	info, err := subject.Store.Put(ctx, "k", lent, store.PutOptions{Size: int64(len(data)), Meta: meta})
	if err != nil {
		return fmt.Errorf("put: %w", err)
	}
	clear(lent.data)
	meta["colour"] = "blue"
	clear(info.Meta)
	if err := holds(ctx, subject.Store, "k", data); err != nil {
		return fmt.Errorf("the body's memory was used again: %w", err)
	}
	for range 2 {
		info, err := subject.Store.Stat(ctx, "k")
		if err != nil {
			return fmt.Errorf("stat: %w", err)
		}
		if got := info.Meta["colour"]; got != "red" {
			return fmt.Errorf("the metadata's map was changed by the caller: got colour %q, want %q", got, "red")
		}
		clear(info.Meta)
	}
	return nil
}

// lentBody lends its own memory to whoever asks for WriteTo.
type lentBody struct {
	data []byte
	at   int
}

func (b *lentBody) Read(p []byte) (int, error) {
	n := copy(p, b.data[b.at:])
	if b.at += n; n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

func (b *lentBody) WriteTo(w io.Writer) (int64, error) {
	n, err := w.Write(b.data[b.at:])
	b.at += n
	return int64(n), err
}
