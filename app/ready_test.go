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
