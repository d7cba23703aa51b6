package versioned

import (
	"context"
	"fmt"
	"io"
	"time"

	"bogops/app/store"
)

// Options are what a store over one Home may be told.
type Options struct {
	Now func() time.Time // nil: time.Now
}

// Alone returns the store.Store that home is where there is nowhere to fall
// back to: one epoch for ever, and no lease. It is a store.Locator where home is
// one. Its tombstones stay: nobody can tell when the last write that waits for
// their absence is gone.
func Alone(home Home, opts Options) store.Store {
	a := alone{home, Writer{Place: home, Epoch: 1, Now: opts.Now, Blind: true}}
	if locator, ok := home.(store.Locator); ok {
		return located{a, locator}
	}
	return a
}

type alone struct {
	home   Home
	writer Writer
}

type located struct {
	alone
	store.Locator
}

// Put implements store.Store.
func (a alone) Put(ctx context.Context, key string, body io.Reader, opts store.PutOptions) (store.Info, error) {
	written, replaced, err := a.writer.Put(ctx, key, body, opts)
	if err != nil {
		return store.Info{}, fmt.Errorf("put %s: %w", store.Fingerprint(key), err)
	}
	info := written.Info
	info.Replaced = replaced.Exists()
	return info, nil
}

// Get implements store.Store.
func (a alone) Get(ctx context.Context, key string, rng store.Range) (io.ReadCloser, store.Info, error) {
	body, head, err := a.home.Open(ctx, key, rng)
	if err = found(head, err); err != nil {
		return nil, store.Info{}, fmt.Errorf("get %s: %w", store.Fingerprint(key), err)
	}
	return body, head.Info, nil
}

// Stat implements store.Store.
func (a alone) Stat(ctx context.Context, key string) (store.Info, error) {
	head, err := a.home.Head(ctx, key)
	if err = found(head, err); err != nil {
		return store.Info{}, fmt.Errorf("stat %s: %w", store.Fingerprint(key), err)
	}
	return head.Info, nil
}

func found(head Head, err error) error {
	if err == nil && !head.Exists() {
		return store.ErrNotFound
	}
	return err
}

// Delete implements store.Store.
func (a alone) Delete(ctx context.Context, key, ifMatch string) error {
	if _, _, err := a.writer.Delete(ctx, key, ifMatch); err != nil {
		return fmt.Errorf("delete %s: %w", store.Fingerprint(key), err)
	}
	return nil
}

// List implements store.Store.
func (a alone) List(ctx context.Context, opts store.ListOptions) (store.Page, error) {
	return a.home.List(ctx, opts)
}

// Describe implements store.Store.
func (a alone) Describe() store.Description { return a.home.Describe() }

// Health implements store.Store.
func (a alone) Health(ctx context.Context) store.Health { return a.home.Health(ctx) }

// Close implements store.Store.
func (a alone) Close() error { return a.home.Close() }
