package main

import (
	"context"
	"io"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"bogops/app/store"
	"bogops/app/store/filestore"
	"bogops/app/store/memstore"
)

// opened is a store, and what only some stores have to say.
type opened struct {
	store   store.Store
	after   io.Closer     // what is closed after the store; nil: nothing
	state   func() string // the contract's store_state; nil: always primary
	unled   func() bool   // the store does not know what all instances act by; nil: it always does
	metrics []prometheus.Collector
}

func (o opened) close() {
	_ = o.store.Close()
	if o.after != nil {
		_ = o.after.Close()
	}
}

// openStore is the one switch that names every store. Those across a network
// need not be reached: they are down until they are, and the server listens.
func openStore(ctx context.Context, cfg Config, log *slog.Logger) (opened, error) {
	u, err := splitStore(cfg.Store)
	if err != nil {
		return opened{}, err
	}
	switch u.scheme {
	case "ceph":
		return openCeph(ctx, cfg, u, log)
	case "s3":
		return openS3(ctx, cfg, u)
	case "file":
		files, err := filestore.Open(u.name)
		return opened{store: files}, err
	}
	return opened{store: memstore.New()}, nil
}
