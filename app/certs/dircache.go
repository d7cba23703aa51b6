package certs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// dirCache is a Shared cache in a directory, one file per key, for instances on
// one machine or on a file system with working flock(2). Writers take turns
// under the lock of one file; readers need none, as a file is only ever renamed
// into place.
type dirCache string

const lockFile = ".lock"

func (d dirCache) Get(ctx context.Context, key string) ([]byte, string, error) {
	file, err := d.file(key)
	if err != nil {
		return nil, "", err
	}
	value, err := bounded(ctx, func() ([]byte, error) { return os.ReadFile(file) })
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := bounded(ctx, func() (fs.FileInfo, error) { return os.Stat(string(d)) }); err != nil {
			return nil, "", err // a directory that is gone is a cache that is down
		}
		return nil, "", fmt.Errorf("%s: %w", key, ErrMissing)
	}
	return value, versionOf(value), err
}

func (d dirCache) Put(ctx context.Context, key string, value []byte) error {
	return d.locked(ctx, key, func(file string) error { return d.replace(file, value) })
}

func (d dirCache) Swap(ctx context.Context, key, version string, value []byte) (string, error) {
	err := d.locked(ctx, key, func(file string) error {
		before, err := os.ReadFile(file)
		current := versionOf(before)
		if errors.Is(err, fs.ErrNotExist) {
			current, err = "", nil
		}
		if err != nil {
			return err
		}
		if current != version {
			return fmt.Errorf("%s: %w", key, ErrChanged)
		}
		return d.replace(file, value)
	})
	return versionOf(value), err
}

func (d dirCache) Delete(ctx context.Context, key string) error {
	return d.locked(ctx, key, func(file string) error {
		if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	})
}

// locked runs change on the file of key while no other writer does.
func (d dirCache) locked(ctx context.Context, key string, change func(file string) error) error {
	file, err := d.file(key)
	if err != nil {
		return err
	}
	_, err = bounded(ctx, func() (struct{}, error) {
		lock, err := os.OpenFile(filepath.Join(string(d), lockFile), os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return struct{}{}, err
		}
		defer lock.Close() // releases the lock
		for {
			err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB)
			if err == nil {
				return struct{}{}, change(file)
			}
			if !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) {
				return struct{}{}, fmt.Errorf("lock %s: %w", lock.Name(), err)
			}
			select { // a blocking flock could not be called off
			case <-ctx.Done():
				return struct{}{}, ctx.Err()
			case <-time.After(5 * time.Millisecond):
			}
		}
	})
	return err
}

// replace writes value under a temporary name, syncs and renames it: a crash
// leaves the old value or the new one.
func (d dirCache) replace(file string, value []byte) error {
	temporary, err := os.CreateTemp(string(d), ".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(temporary.Name()) // after the rename there is nothing to remove
	_, err = temporary.Write(value)
	if err := errors.Join(err, temporary.Sync(), temporary.Close()); err != nil {
		return err
	}
	return os.Rename(temporary.Name(), file)
}

func (d dirCache) file(key string) (string, error) {
	if key == "" || strings.HasPrefix(key, ".") || strings.ContainsAny(key, `/\`) {
		return "", fmt.Errorf("cache key %q cannot be a file name", key)
	}
	return filepath.Join(string(d), key), nil
}

// versionOf identifies a value: sealed values never repeat.
func versionOf(value []byte) string {
	sum := sha256.Sum256(value)
	return hex.EncodeToString(sum[:])
}

// leftBehind is how long bounded waits for work that had begun when its context
// ended. Any file system that is well is done by then.
const leftBehind = time.Second

// bounded returns when do does, or leftBehind after ctx ended: whoever cancels
// and waits leaves nothing that still writes. Only a file system that hangs
// keeps do's goroutine; nothing in user space can free it.
func bounded[T any](ctx context.Context, do func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := do()
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
	}
	select {
	case r := <-done:
		return r.value, r.err
	case <-time.After(leftBehind):
		var none T
		return none, ctx.Err()
	}
}
