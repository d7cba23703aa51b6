package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"bogops/app/store"
	"bogops/app/store/fallback"
	"bogops/app/store/versioned"
)

// markEvery is how often the pool is asked whether it is used with fall-back.
const markEvery = time.Second

// unmarked is a pool without fall-back that refuses to serve while others use
// it with one: it would deny what lies in S3, and write what they do not expect.
// Until the pool has answered once, nobody knows, and nothing is served.
type unmarked struct {
	store.Store
	locator store.Locator
	why     atomic.Pointer[string] // it does not serve; nil: it does
	stop    context.CancelFunc
	watch   sync.WaitGroup
}

// openUnmarked asks home, every so often, until Close, which closes home too.
func openUnmarked(home versioned.Home, every time.Duration) *unmarked {
	ctx, stop := context.WithCancel(context.Background())
	alone := versioned.Alone(home, versioned.Options{})
	u := &unmarked{Store: alone, locator: locator(alone), stop: stop}
	unknown := "The pool has not been asked yet whether it is used with fall-back."
	u.why.Store(&unknown)
	u.watch.Go(func() { u.ask(ctx, home.Records(), every) })
	return u
}

func (u *unmarked) ask(ctx context.Context, records versioned.Records, every time.Duration) {
	next := time.NewTicker(every)
	defer next.Stop()
	for ctx.Err() == nil {
		err := fallback.RefuseMarked(ctx, records)
		switch {
		case err == nil:
			u.why.Store(nil)
		case !errors.Is(err, store.ErrUnavailable) && !errors.Is(err, store.ErrUnknown) && ctx.Err() == nil:
			text := err.Error()
			u.why.Store(&text)
		}
		select {
		case <-next.C:
		case <-ctx.Done():
		}
	}
}

// may returns an error while nothing is served.
func (u *unmarked) may() error {
	if why := u.why.Load(); why != nil {
		return fmt.Errorf("%w: %s", store.ErrUnavailable, *why)
	}
	return nil
}

// Put implements store.Store.
func (u *unmarked) Put(ctx context.Context, key string, body io.Reader, opts store.PutOptions) (store.Info, error) {
	if err := u.may(); err != nil {
		return store.Info{}, err
	}
	return u.Store.Put(ctx, key, body, opts)
}

// Get implements store.Store.
func (u *unmarked) Get(ctx context.Context, key string, rng store.Range) (io.ReadCloser, store.Info, error) {
	if err := u.may(); err != nil {
		return nil, store.Info{}, err
	}
	return u.Store.Get(ctx, key, rng)
}

// Stat implements store.Store.
func (u *unmarked) Stat(ctx context.Context, key string) (store.Info, error) {
	if err := u.may(); err != nil {
		return store.Info{}, err
	}
	return u.Store.Stat(ctx, key)
}

// Delete implements store.Store.
func (u *unmarked) Delete(ctx context.Context, key, ifMatch string) error {
	if err := u.may(); err != nil {
		return err
	}
	return u.Store.Delete(ctx, key, ifMatch)
}

// List implements store.Store.
func (u *unmarked) List(ctx context.Context, opts store.ListOptions) (store.Page, error) {
	if err := u.may(); err != nil {
		return store.Page{}, err
	}
	return u.Store.List(ctx, opts)
}

// Locate implements store.Locator.
func (u *unmarked) Locate(ctx context.Context, key string) (store.Location, error) {
	if err := u.may(); err != nil {
		return store.Location{}, err
	}
	return u.locator.Locate(ctx, key)
}

// Health implements store.Store.
func (u *unmarked) Health(ctx context.Context) store.Health {
	if health := u.Store.Health(ctx); health.State == store.Down {
		return health
	}
	if why := u.why.Load(); why != nil {
		return store.Health{State: store.Down, Reason: *why}
	}
	return u.Store.Health(ctx)
}

// Close implements store.Store.
func (u *unmarked) Close() error {
	u.stop()
	u.watch.Wait()
	return u.Store.Close()
}
