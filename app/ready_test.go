package main

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"bogops/app/certs"
	"bogops/app/store"
	"bogops/app/store/fallback"
	"bogops/app/store/memstore"
)

// moody is a store that feels as it is told.
type moody struct {
	*memstore.Store
	health store.Health
}

func (m *moody) Health(context.Context) store.Health { return m.health }

func TestStrangersLearnWhichPartIsNotReadyAndTheLogLearnsWhy(t *testing.T) {
	var log bytes.Buffer
	source, err := certs.Open(t.Context(), certs.Config{Mode: "off"})
	require.NoError(t, err)
	objects := &moody{Store: memstore.New(), health: store.Health{State: store.Down, Reason: "/srv/objects was removed"}}
	s := &server{log: slog.New(slog.NewJSONHandler(&log, nil)), store: objects, certs: source}

	for range 3 {
		require.EqualError(t, s.ready(t.Context()), "the store is down")
	}
	require.Equal(t, 1, strings.Count(log.String(), "/srv/objects was removed"), "once, however often it is asked")

	objects.health = store.Health{State: store.Healthy}
	require.NoError(t, s.ready(t.Context()))
	objects.health = store.Health{State: store.Down, Reason: "/srv/objects was removed"}
	require.Error(t, s.ready(t.Context()))
	require.Equal(t, 2, strings.Count(log.String(), "/srv/objects was removed"), "and again after a change")
}

func TestAnInstanceWithoutALeaseSaysSoWhereItsStoreIsDown(t *testing.T) {
	source, err := certs.Open(t.Context(), certs.Config{Mode: "off"})
	require.NoError(t, err)
	objects := &moody{Store: memstore.New(), health: store.Health{State: store.Down, Reason: "the record could not be read"}}
	led := false
	s := &server{log: slog.New(slog.DiscardHandler), store: objects, unled: func() bool { return !led }, certs: source}
	require.EqualError(t, s.ready(t.Context()), "the instance has no lease on the store's common state")
	led = true
	require.EqualError(t, s.ready(t.Context()), "the store is down")
	s.draining.Store(true)
	require.EqualError(t, s.ready(t.Context()), "the instance is draining")
}

func TestAModeThatIsNotKnownIsNeverCalledPrimary(t *testing.T) {
	require.Equal(t, "reconciling", storeState(""))
	for _, mode := range []fallback.Mode{fallback.Primary, fallback.Fallback, fallback.Reconciling} {
		require.Equal(t, string(mode), storeState(mode))
	}
}
