package api

import (
	"context"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"bogops/app/admit"
	"bogops/app/store"
	"bogops/app/store/memstore"
)

// breaking is a store whose bodies panic as they are read.
type breaking struct{ *memstore.Store }

func (s breaking) Get(ctx context.Context, key string, rng store.Range) (io.ReadCloser, store.Info, error) {
	body, info, err := s.Store.Get(ctx, key, rng)
	if err != nil {
		return nil, info, err
	}
	return brokenBody{body}, info, nil
}

type brokenBody struct{ io.ReadCloser }

func (brokenBody) Read([]byte) (int, error)         { panic("a bug of the store") }
func (brokenBody) WriteTo(io.Writer) (int64, error) { panic("a bug of the store") }

func TestAStoreThatPanicsKeepsNoBytesOfTheBudget(t *testing.T) {
	gate := admit.New(admit.Config{})
	b := newBench(t, withStore(breaking{memstore.New()}), func(c *Config) { c.Gate = gate })
	require.Equal(t, 201, b.do("PUT", "/v1/objects/k", "hello").status)
	for _, target := range []string{"/v1/objects/k", "/v1/objects/k?process=reverse", "/v1/objects/k?process=thumbnail:1:1"} {
		require.Equal(t, 500, b.do("GET", target, "").status)
		require.Zero(t, gate.Numbers().Bytes, target)
		require.Zero(t, gate.Numbers().Turns.Working, target)
	}
}
