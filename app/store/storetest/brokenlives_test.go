package storetest_test

import (
	"context"
	"io"

	"bogops/app/store"
	"bogops/app/store/memstore"
	"bogops/app/store/storetest"
)

// durable says that it is, and is not.
type durable struct {
	mem
	closed bool
}

func (s *durable) Describe() store.Description {
	return store.Description{Kind: "memory", Durable: true}
}

func (s *durable) Close() error {
	s.closed = true
	return s.mem.Close()
}

func forgetting() storetest.Subject {
	first := &durable{mem: memstore.New()}
	return storetest.Subject{Store: first, Again: func(context.Context) (store.Store, error) {
		if first.closed {
			return &durable{mem: memstore.New()}, nil
		}
		return first, nil
	}}
}

// hiding sees its own last write at once; the other view does so only once
// another write has pushed it out.
func hiding() storetest.Subject {
	first, other := memstore.New(), memstore.New()
	return storetest.Subject{Store: &echoing{first, other}, Again: func(context.Context) (store.Store, error) { return other, nil }}
}

type echoing struct {
	mem
	other mem
}

func (s *echoing) Put(ctx context.Context, key string, body io.Reader, opts store.PutOptions) (store.Info, error) {
	if r, info, err := s.mem.Get(ctx, key, store.Whole); err == nil {
		_, _ = s.other.Put(ctx, key, r, store.PutOptions{Size: info.Size})
	}
	return s.mem.Put(ctx, key, body, opts)
}

// tireless works on after its caller has gone.
type tireless struct{ mem }

func (s *tireless) Put(ctx context.Context, key string, body io.Reader, opts store.PutOptions) (store.Info, error) {
	return s.mem.Put(context.WithoutCancel(ctx), key, body, opts)
}

func (s *tireless) Delete(ctx context.Context, key, ifMatch string) error {
	return s.mem.Delete(context.WithoutCancel(ctx), key, ifMatch)
}

type restless struct{ mem }

func (s *restless) Close() error { return nil }

type feeling struct {
	mem
	state store.State
}

func (s *feeling) Health(context.Context) store.Health {
	return store.Health{State: s.state, Reason: "So it says."}
}
